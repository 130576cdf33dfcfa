/* SPDX-License-Identifier: MIT */
/** @file Events without memory: each allocation fails once, and nothing is lost or half read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/event.h>

#include "failing_malloc.h"

#define ENVELOPE                                                                            \
  "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"//s/x\",\"type\":\"t\",\"ext\":true," \
  "\"data_base64\":\"AAEC\"}"

typedef struct input {
  const psprobe_attribute headers[6];
  size_t count;
  const char *body;
} input;

static const input inputs[] = {
    {{{"Content-Type", "application/json"}},
     1,
     "{\"message\":{\"data\":\"aGk=\",\"messageId\":\"1\"},\"subscription\":\"s\"}"},
    {{{"x-goog-pubsub-message-id", "1"}, {"a", "b"}, {"ce-x", "y"}}, 3, "data"},
    {{{"ce-id", "1"},
      {"ce-source", "/"},
      {"ce-type", "t"},
      {"ce-specversion", "1.0"},
      {"ce-ext", "%41"},
      {"Content-Type", "text/plain"}},
     6,
     "text"},
    {{{"Content-Type", "application/cloudevents-batch+json"}}, 1, "[" ENVELOPE "," ENVELOPE "]"},
    {{{"Content-Type", "application/json"}},
     1,
     "{\"context\":{\"eventId\":\"1\",\"eventType\":\"google.pubsub.topic.publish\",\"resource\":"
     "\"projects/p/topics/t\"},\"data\":{\"data\":\"aGk=\"}}"},
    {{{"Content-Type", "application/json"}},
     1,
     "{\"eventId\":\"1\",\"eventType\":\"providers/firebase.auth/eventTypes/user.create\","
     "\"resource\":\"projects/p\",\"data\":{\"uid\":\"u\",\"metadata\":{\"createdAt\":\"x\"}}}"},
};

static bool handle(void *arg) {
  const input *in = arg;
  const psprobe_event_request request = {.headers = in->headers,
                                         .header_count = in->count,
                                         .body = in->body,
                                         .body_len = strlen(in->body)};
  psprobe_events *events = NULL;
  psprobe_error error = {0};
  psprobe_code code = psprobe_events_decode(&request, &events, &error);
  if (code != PSPROBE_OK) {
    if (code != PSPROBE_RESOURCE_EXHAUSTED) fail_msg("%s: %s", in->body, error.message);
    assert_null(events);
    return false;
  }
  psprobe_legacy_event legacy = {0};
  char *json = psprobe_event_json(psprobe_events_get(events, 0), NULL);
  code = psprobe_event_legacy(psprobe_events_get(events, 0), &legacy, &error);
  bool done = json != NULL && code == PSPROBE_OK;
  if (code != PSPROBE_OK) assert_int_equal(code, PSPROBE_RESOURCE_EXHAUSTED);
  psprobe_legacy_event_free(&legacy);
  free(json);
  psprobe_events_free(events);
  return done;
}

static void test_every_form(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
    assert_true(failing_each(handle, (void *)&inputs[i]) > 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_form)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
