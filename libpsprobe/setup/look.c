/* SPDX-License-Identifier: MIT */
/** @file Looking at what is there: every thing, once. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "setup/parts.h"

/* Of an API that is off nothing is there. Those that are not listed are looked at. */
static bool is_off(const psprobe_setup *setup, const psp_thing *thing) {
  const psp_thing *api =
      psp_setup_find(setup, &psp_kind_api, psp_services[psp_setup_service(thing)].host);
  return api != NULL && api->seen == PSP_SEEN_ABSENT;
}

static void judge(const psprobe_setup *setup, psp_thing *thing, const psp_json *seen) {
  const psp_kind *kind = thing->kind;
  const char *why = kind->strange != NULL ? kind->strange(setup, seen) : NULL;
  if (why != NULL) {
    thing->seen = PSP_SEEN_STRANGE;
    thing->why = why;
  } else if (kind->same == NULL || kind->same(setup, thing, seen)) {
    thing->seen = PSP_SEEN_SAME;
  } else {
    thing->seen = psp_setup_is_old(setup, thing, seen) ? PSP_SEEN_OLD : PSP_SEEN_PART;
  }
}

/* The topic knows where the rest was made. */
static psprobe_code read_region(psprobe_setup *setup, const psp_thing *topic, const psp_json *seen,
                                psprobe_error *error) {
  const psp_json *labels = psp_json_get(seen, "labels");
  const char *region = psp_json_string(psp_json_get(labels, PSP_SETUP_REGION_LABEL));
  if (topic->seen == PSP_SEEN_STRANGE || region == NULL || region[0] == 0) return PSPROBE_OK;
  if (setup->region_given && strcmp(region, setup->region) != 0)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "topic %s says that the rest of it is in %s, not in %s: leave --region out, or "
                    "destroy that first",
                    topic->name, region, setup->region);
  snprintf(setup->region, sizeof setup->region, "%s", region);
  return PSPROBE_OK;
}

static psprobe_code read_thing(psprobe_setup *setup, psp_thing *thing, psprobe_error *error) {
  psp_buf path = {0};
  psp_json *seen = NULL;
  char what[200];
  snprintf(what, sizeof what, "look at %s %s", thing->kind->word, thing->name);
  thing->kind->path(setup, thing, &path);
  psprobe_code code =
      path.failed ? psp_fail_memory(error, what)
                  : psp_setup_call(setup, thing, "GET", path.data, NULL, what, &seen, error);
  psp_buf_free(&path);
  if (code == PSPROBE_NOT_FOUND && error->from_service) {
    thing->seen = PSP_SEEN_ABSENT;
    return PSPROBE_OK;
  }
  if (code != PSPROBE_OK) return code;
  judge(setup, thing, seen);
  if (thing->kind == &psp_kind_topic) code = read_region(setup, thing, seen, error);
  psp_json_free(seen);
  return code;
}

psprobe_code psp_setup_look_at(psprobe_setup *setup, psp_thing *thing, psprobe_error *error) {
  psp_setup_tell(setup, "looking at %s %s", thing->kind->word, thing->name);
  if (is_off(setup, thing)) {
    thing->seen = PSP_SEEN_ABSENT;
    return PSPROBE_OK;
  }
  psprobe_code code = thing->kind->read != NULL ? thing->kind->read(setup, thing, error)
                                                : read_thing(setup, thing, error);
  if (code != PSPROBE_OK && code != PSPROBE_CANCELLED)
    psp_setup_advise(setup, thing, thing->kind == &psp_kind_grants ? "getIamPolicy" : "get", error);
  return code;
}

psprobe_code psp_setup_look(psprobe_setup *setup, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  for (size_t i = 0; code == PSPROBE_OK && i < setup->count; i++) {
    psp_thing *thing = &setup->things[i];
    if (thing->wanted || setup->verb == PSPROBE_SETUP_DESTROY)
      code = psp_setup_look_at(setup, thing, error);
  }
  return code;
}
