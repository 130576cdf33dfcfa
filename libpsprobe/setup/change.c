/* SPDX-License-Identifier: MIT */
/** @file One step: makes, changes, deletes. Each can be repeated after a failure anywhere. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "setup/parts.h"

/* A call, and the operation that it may have begun. */
static psprobe_code call_and_wait(psprobe_setup *setup, const psp_thing *thing, const char *method,
                                  const psp_buf *path, const psp_buf *body, const char *what,
                                  psprobe_error *error) {
  psp_json *answer = NULL;
  if (path->failed || (body != NULL && body->failed)) return psp_fail_memory(error, what);
  psprobe_code code = psp_setup_call(setup, thing, method, path->data, body, what, &answer, error);
  if (code == PSPROBE_OK && thing->kind->operation != NULL)
    code = psp_setup_await(setup, thing, answer, what, error);
  psp_json_free(answer);
  return code;
}

static psprobe_code patch(psprobe_setup *setup, psp_thing *thing, psprobe_error *error) {
  const psp_kind *kind = thing->kind;
  psp_buf path = {0}, plain = {0}, wrapped = {0};
  char what[200];
  snprintf(what, sizeof what, "change %s %s", kind->word, thing->name);
  kind->path(setup, thing, &path);
  psp_setup_body(setup, thing, &plain);
  if (kind->wrapped != NULL && !plain.failed) {
    psp_json_writer w = {.buf = &wrapped};
    psp_json_begin_object(&w);
    psp_json_put_key(&w, kind->wrapped);
    psp_json_put_raw(&w, plain.data, plain.len);
    psp_json_put_member(&w, "updateMask", kind->mask);
    psp_json_end_object(&w);
  }
  psprobe_code code = plain.failed
                          ? psp_fail_memory(error, what)
                          : call_and_wait(setup, thing, "PATCH", &path,
                                          kind->wrapped != NULL ? &wrapped : &plain, what, error);
  psp_buf_free(&path);
  psp_buf_free(&plain);
  psp_buf_free(&wrapped);
  return code;
}

/* It was there all the same: made by a call whose answer was lost, or by somebody else just now. */
static psprobe_code accept(psprobe_setup *setup, psp_thing *thing, psprobe_error *error) {
  psprobe_code code = psp_setup_look_at(setup, thing, error);
  if (code != PSPROBE_OK) return code;
  if (thing->seen == PSP_SEEN_STRANGE)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "%s %s is somebody else's: %s. It is not touched; take another --topic",
                    thing->kind->word, thing->name, thing->why);
  return thing->seen == PSP_SEEN_SAME ? PSPROBE_OK : patch(setup, thing, error);
}

static psprobe_code make(psprobe_setup *setup, psp_thing *thing, psprobe_error *error) {
  const psp_kind *kind = thing->kind;
  psp_buf path = {0}, body = {0};
  char what[200];
  snprintf(what, sizeof what, "%s %s %s", kind == &psp_kind_api ? "enable" : "create", kind->word,
           thing->name);
  (kind->made_at != NULL ? kind->made_at : kind->path)(setup, thing, &path);
  psp_setup_body(setup, thing, &body);
  psprobe_error failure = {0};
  psprobe_code code = call_and_wait(setup, thing, kind->made_at != NULL ? "POST" : "PUT", &path,
                                    &body, what, &failure);
  if (code != PSPROBE_OK && error != NULL) *error = failure;
  if (code == PSPROBE_ALREADY_EXISTS) code = accept(setup, thing, error);
  if (code == PSPROBE_OK && kind == &psp_kind_account)
    setup->account_ns = psprobe_clock_monotonic();
  for (int s = 0; code == PSPROBE_OK && kind == &psp_kind_api && s < PSP_SERVICE_COUNT; s++)
    if (strcmp(psp_services[s].host, thing->name) == 0)
      setup->enabled_ns[s] = psprobe_clock_monotonic();
  psp_buf_free(&path);
  psp_buf_free(&body);
  return code;
}

static psprobe_code delete (psprobe_setup *setup, psp_thing *thing, psprobe_error *error) {
  psp_buf path = {0};
  char what[200];
  snprintf(what, sizeof what, "delete %s %s", thing->kind->word, thing->name);
  thing->kind->path(setup, thing, &path);
  psprobe_error failure = {0};
  psprobe_code code = call_and_wait(setup, thing, "DELETE", &path, NULL, what, &failure);
  bool gone = code == PSPROBE_NOT_FOUND && failure.from_service;
  if (code != PSPROBE_OK && !gone && error != NULL) *error = failure;
  psp_buf_free(&path);
  return gone ? PSPROBE_OK : code;
}

static psprobe_code act(psprobe_setup *setup, psp_step *step, const char **verb,
                        psprobe_error *error) {
  psp_thing *thing = step->thing;
  bool take_away = step->action == PSPROBE_SETUP_DELETE;
  if (thing->kind->change != NULL) {
    *verb = "setIamPolicy";
    return thing->kind->change(setup, thing, take_away, error);
  }
  *verb = take_away ? "delete" : thing->kind == &psp_kind_api ? "enable" : "create";
  if (take_away) return delete (setup, thing, error);
  if (step->action == PSPROBE_SETUP_UPDATE) {
    *verb = "update";
    return patch(setup, thing, error);
  }
  psprobe_code code =
      step->action == PSPROBE_SETUP_REPLACE ? delete (setup, thing, error) : PSPROBE_OK;
  return code == PSPROBE_OK ? make(setup, thing, error) : code;
}

psprobe_code psp_setup_change(psprobe_setup *setup, psp_step *step, psprobe_error *error) {
  psp_thing *thing = step->thing;
  const char *verb = "update";
  psp_setup_tell(setup, "%s %s %s", psp_setup_action_word(step->action), thing->kind->word,
                 thing->name);
  psprobe_code code = act(setup, step, &verb, error);
  if (code == PSPROBE_OK)
    thing->seen = step->action == PSPROBE_SETUP_DELETE ? PSP_SEEN_ABSENT : PSP_SEEN_SAME;
  else if (code != PSPROBE_CANCELLED)
    psp_setup_advise(setup, thing, verb, error);
  return code;
}
