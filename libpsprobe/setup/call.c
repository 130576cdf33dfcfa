/* SPDX-License-Identifier: MIT */
/** @file Calls, and waiting: for operations, and for what Google takes a while to know everywhere.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "os/wait.h"
#include "setup/parts.h"

#define LONGEST_PAUSE_NS (5 * PSP_SECOND_NS)
#define API_SPREADS_NS   (180 * PSP_SECOND_NS)
#define NAMES_SPREAD_NS  (90 * PSP_SECOND_NS)
#define OPERATION_NS     (900 * PSP_SECOND_NS)

void psp_setup_tell(psprobe_setup *setup, const char *format, ...) {
  va_list args;
  va_start(args, format);
  pthread_mutex_lock(&setup->lock);
  vsnprintf(setup->now, sizeof setup->now, format, args);
  setup->since_ns = psprobe_clock_monotonic();
  pthread_mutex_unlock(&setup->lock);
  va_end(args);
}

bool psp_setup_pause(psprobe_setup *setup, int64_t ns) {
  int64_t until = psprobe_clock_monotonic() + ns;
  pthread_mutex_lock(&setup->lock);
  while (!setup->stopped && psp_cond_wait_until(&setup->woken, &setup->lock, until)) {
  }
  bool stopped = setup->stopped;
  pthread_mutex_unlock(&setup->lock);
  return !stopped;
}

psprobe_code psp_setup_fail_stopped(psprobe_error *error) {
  return psp_fail(error, PSPROBE_CANCELLED,
                  "stopped. What was done stays: apply goes on from here, destroy takes it away");
}

static bool is_recent(int64_t when_ns, int64_t span_ns) {
  return when_ns != 0 && psprobe_clock_monotonic() - when_ns < span_ns;
}

/* An API that was turned on, and an account that was made, are not known everywhere at once. */
static bool spreads(const psprobe_setup *setup, psp_service service, const psprobe_error *error) {
  if (strcmp(error->reason, "SERVICE_DISABLED") == 0)
    return is_recent(setup->enabled_ns[service], API_SPREADS_NS);
  bool name = strstr(error->message, ".iam.gserviceaccount.com") != NULL &&
              strstr(error->message, "does not exist") != NULL;
  return name && is_recent(setup->account_ns, NAMES_SPREAD_NS);
}

static int64_t longer(int64_t pause_ns) {
  int64_t next = pause_ns + pause_ns / 2;
  return next < LONGEST_PAUSE_NS ? next : LONGEST_PAUSE_NS;
}

static psprobe_code read_answer(const psp_buf *text, const char *what, psp_json **answer,
                                psprobe_error *error) {
  psp_json *json = NULL;
  psprobe_code code =
      psp_json_parse(text->data != NULL ? text->data : "", text->len, what, &json, error);
  if (code == PSPROBE_OK && !psp_json_is_object(json))
    code = psp_fail(error, PSPROBE_UNKNOWN, "%s: the answer is not an object", what);
  if (code != PSPROBE_OK || answer == NULL) {
    psp_json_free(json);
    if (code != PSPROBE_OK) code = PSPROBE_UNKNOWN; /* not ours: somebody else has answered */
    if (error != NULL) error->code = code;
  } else {
    *answer = json;
  }
  return code;
}

psprobe_code psp_setup_call(psprobe_setup *setup, const psp_thing *thing, const char *method,
                            const char *path, const psp_buf *body, const char *what,
                            psp_json **answer, psprobe_error *error) {
  const psp_call call = {
      .service = psp_setup_service(thing),
      .method = method,
      .path = path,
      .body = body != NULL ? body->data : NULL,
      .body_len = body != NULL ? body->len : 0,
      .retry = {.codes = PSP_RETRY_ON(PSPROBE_UNAVAILABLE), .factor = 2, .max_attempts = 5},
      .what = what};
  int64_t pause_ns = setup->o.first_poll_ns;
  for (;;) {
    psp_buf text = {0};
    psprobe_code code = psp_call_run_until(setup->client, &call, &setup->stopper, &text, error);
    if (code == PSPROBE_OK) code = read_answer(&text, what, answer, error);
    psp_buf_free(&text);
    if (code == PSPROBE_CANCELLED) return psp_setup_fail_stopped(error);
    if (code == PSPROBE_OK || !spreads(setup, call.service, error)) return code;
    if (!psp_setup_pause(setup, pause_ns)) return psp_setup_fail_stopped(error);
    pause_ns = longer(pause_ns);
  }
}

/* google.rpc.Status, as an operation that failed holds it. */
static psprobe_code fail_operation(const psp_json *status, const char *what, psprobe_error *error) {
  int64_t number = PSPROBE_UNKNOWN;
  const char *message = psp_json_string(psp_json_get(status, "message"));
  psp_json_int64(psp_json_get(status, "code"), &number);
  if (number < PSPROBE_CANCELLED || number > PSPROBE_UNAUTHENTICATED) number = PSPROBE_UNKNOWN;
  psprobe_code code = (psprobe_code)number;
  psp_fail(error, code, "%s: %s: %s", what, psprobe_code_name(code),
           message != NULL ? message : "the operation failed");
  if (error != NULL) error->from_service = true;
  return code;
}

static bool is_done(const psp_json *operation) {
  bool done = false;
  return psp_json_bool(psp_json_get(operation, "done"), &done) && done;
}

/* False, on PSPROBE_OK: it goes on. */
static psprobe_code look_at_operation(psprobe_setup *setup, const psp_thing *thing,
                                      const char *path, const char *what, bool *done,
                                      psprobe_error *error) {
  psp_json *answer = NULL;
  psprobe_code code = psp_setup_call(setup, thing, "GET", path, NULL, what, &answer, error);
  *done = is_done(answer);
  const psp_json *status = psp_json_get(answer, "error");
  if (*done && status != NULL) code = fail_operation(status, what, error);
  psp_json_free(answer);
  return code;
}

psprobe_code psp_setup_await(psprobe_setup *setup, const psp_thing *thing, const psp_json *answer,
                             const char *what, psprobe_error *error) {
  const char *name = psp_json_string(psp_json_get(answer, "name"));
  bool done = is_done(answer);
  if (done && psp_json_get(answer, "error") != NULL)
    return fail_operation(psp_json_get(answer, "error"), what, error);
  psp_buf path = {0};
  psp_buf_printf(&path, "%s%s", thing->kind->operation, name != NULL ? name : "");
  /* "(default)" of a database; the rest of a name needs no escaping. */
  psprobe_code code = path.failed ? psp_fail_memory(error, what) : PSPROBE_OK;
  if (code == PSPROBE_OK && name == NULL && !done)
    code = psp_fail(error, PSPROBE_UNKNOWN, "%s: the answer is no operation", what);
  int64_t pause_ns = setup->o.first_poll_ns;
  int64_t until = psprobe_clock_monotonic() + OPERATION_NS;
  while (code == PSPROBE_OK && !done) {
    if (!psp_setup_pause(setup, pause_ns))
      code = psp_setup_fail_stopped(error);
    else if (psprobe_clock_monotonic() > until)
      code = psp_fail(error, PSPROBE_DEADLINE_EXCEEDED,
                      "%s: not done after 15 minutes; apply again goes on", what);
    else
      code = look_at_operation(setup, thing, path.data, what, &done, error);
    pause_ns = longer(pause_ns);
  }
  psp_buf_free(&path);
  return code;
}
