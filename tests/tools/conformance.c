/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A function for the conformance client of Google's functions frameworks: conformance [TARGET]
 *
 * Each target writes what it was called with to function_output.json in the current folder before
 * it answers; the slow ones take a little more than a second, and `crash` ends it. Without TARGET
 * the environment names it. Source:
 * https://github.com/GoogleCloudPlatform/functions-framework-conformance
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <psprobe/function.h>

#define OUTPUT "function_output.json"

/* What a slow target has as its argument. */
static bool slow = true;

static psprobe_code fail(psprobe_error *error, const char *why) {
  error->code = PSPROBE_INTERNAL;
  snprintf(error->message, sizeof error->message, "%s", why);
  return PSPROBE_INTERNAL;
}

/* Whole or not at all, for calls that write it at once. */
static psprobe_code write_output(const char *const *parts, psprobe_error *error) {
  char name[] = OUTPUT ".XXXXXX";
  int fd = mkstemp(name);
  FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
  if (file == NULL) return fail(error, OUTPUT " cannot be written");
  for (; *parts != NULL; parts++)
    fputs(*parts, file);
  bool written = !ferror(file);
  if (fclose(file) != 0 || !written || rename(name, OUTPUT) != 0) {
    remove(name);
    return fail(error, OUTPUT " cannot be written");
  }
  return PSPROBE_OK;
}

static void take_time(const void *arg) {
  const struct timespec t = {.tv_sec = 1, .tv_nsec = 50000000};
  if (arg == NULL) return;
  puts("at work");
  fflush(stdout);
  nanosleep(&t, NULL);
}

/* The body, zero-terminated; to free(). */
static char *body_of(const psprobe_call *call) {
  size_t len;
  const char *body = psprobe_call_body(call, &len);
  return strndup(body, len);
}

static psprobe_code on_http(void *arg, psprobe_call *call, psprobe_error *error) {
  char *body = body_of(call);
  if (body == NULL) return fail(error, "no memory");
  take_time(arg);
  psprobe_code code = write_output((const char *[]){body, NULL}, error);
  psprobe_call_reply(call, 200, "text/plain", "OK", 2);
  free(body);
  return code;
}

static psprobe_code on_typed(void *arg, psprobe_call *call, psprobe_error *error) {
  static const char form[] = "{\"payload\":%.*s}";
  size_t len;
  const char *body = psprobe_call_body(call, &len);
  char *answer = malloc(len + sizeof form);
  if (answer == NULL) return fail(error, "no memory");
  take_time(arg);
  int answer_len = snprintf(answer, len + sizeof form, form, (int)len, body);
  psprobe_call_reply(call, 200, "application/json", answer, (size_t)answer_len);
  free(answer);
  return PSPROBE_OK;
}

static psprobe_code on_cloudevent(void *arg, psprobe_call *call, psprobe_error *error) {
  char *json = psprobe_event_json(psprobe_call_event(call), NULL);
  if (json == NULL) return fail(error, "no memory");
  take_time(arg);
  psprobe_code code = write_output((const char *[]){json, NULL}, error);
  free(json);
  return code;
}

static psprobe_code on_event(void *arg, psprobe_call *call, psprobe_error *error) {
  const psprobe_legacy_event *event = psprobe_call_legacy(call);
  take_time(arg);
  return write_output(
      (const char *[]){"{\"data\":", event->data, ",\"context\":", event->context, "}", NULL},
      error);
}

static psprobe_code on_crash(void *arg, psprobe_call *call, psprobe_error *error) {
  (void)arg, (void)call, (void)error;
  abort();
}

#define TARGET(name, kind, function, how) \
  { (name), (kind), (function), (how), false, false }
static const psprobe_target targets[] = {
    TARGET("http", PSPROBE_TARGET_HTTP, on_http, NULL),
    TARGET("typed", PSPROBE_TARGET_TYPED, on_typed, NULL),
    TARGET("cloudevent", PSPROBE_TARGET_CLOUDEVENT, on_cloudevent, NULL),
    TARGET("event", PSPROBE_TARGET_EVENT, on_event, NULL),
    TARGET("http_slow", PSPROBE_TARGET_HTTP, on_http, &slow),
    TARGET("typed_slow", PSPROBE_TARGET_TYPED, on_typed, &slow),
    TARGET("cloudevent_slow", PSPROBE_TARGET_CLOUDEVENT, on_cloudevent, &slow),
    TARGET("event_slow", PSPROBE_TARGET_EVENT, on_event, &slow),
    TARGET("crash", PSPROBE_TARGET_HTTP, on_crash, NULL),
};

int main(int argc, char **argv) {
  psprobe_logger logger = {.sink = psprobe_log_stderr, .level = PSPROBE_LOG_INFO};
  psprobe_function_options options = {.target = argc > 1 ? argv[1] : NULL, .logger = &logger};
  psprobe_error error = {0};
  psprobe_code code =
      psprobe_function_serve(targets, sizeof targets / sizeof *targets, &options, &error);
  if (code != PSPROBE_OK) fprintf(stderr, "conformance: %s\n", error.message);
  return code == PSPROBE_OK ? 0 : 1;
}
