/* SPDX-License-Identifier: MIT */
/** @file Requests that hold no event, a broken one, or two: what they are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event_request.h"

#define TOPIC  "projects/p/topics/t"
#define SOURCE "//pubsub.googleapis.com/" TOPIC
#define TYPE   "google.cloud.pubsub.topic.v1.messagePublished"
#define TIME   "2026-03-04T05:06:07.089Z"
#define MESSAGE                                                                         \
  "{\"attributes\":{\"kind\":\"paid\"},\"data\":\"eyJuIjoxfQ==\",\"messageId\":\"17\"," \
  "\"publishTime\":\"" TIME "\"}"
#define PUSH "{\"message\":" MESSAGE ",\"subscription\":\"projects/p/subscriptions/s\"}"
#define ENVELOPE                                                                      \
  "{\"specversion\":\"1.0\",\"id\":\"17\",\"source\":\"" SOURCE "\",\"type\":\"" TYPE \
  "\",\"time\":\"" TIME "\",\"datacontenttype\":\"application/json\",\"data\":" PUSH "}"
static const struct broken {
  header_list headers;
  const char *body, *why;
  psprobe_code code;
  int status;
} broken[] = {
    {{JSON}, "", "empty", PSPROBE_INVALID_ARGUMENT, 0},
    {{JSON}, "{\"message\":", "ends too soon", PSPROBE_INVALID_ARGUMENT, 0},
    {{JSON}, "\x1F\x8B\x08", "not good JSON", PSPROBE_INVALID_ARGUMENT, 0},
    {{JSON}, "[]", "no event", PSPROBE_INVALID_ARGUMENT, 0},
    {{JSON}, "null", "no event", PSPROBE_INVALID_ARGUMENT, 0},
    {{JSON}, "{}", "no event", PSPROBE_INVALID_ARGUMENT, 0},
    {{JSON}, "{\"message\":17}", "not an object", PSPROBE_INVALID_ARGUMENT, 0},
    {{JSON}, "{\"message\":{\"data\":\"!!\"}}", "base64", PSPROBE_INVALID_ARGUMENT, 0},
    {{JSON}, "{\"message\":{\"data\":17}}", "not a string", PSPROBE_INVALID_ARGUMENT, 0},
    {{JSON},
     "{\"message\":{\"attributes\":{\"a\":1}}}",
     "not a string",
     PSPROBE_INVALID_ARGUMENT,
     0},
    {{JSON}, "{\"message\":{\"data\":\"aGk=\"}}", "messageId", PSPROBE_INVALID_ARGUMENT, 0},
    {{JSON}, "{\"message\":{},\"context\":{}}", "two events", PSPROBE_INVALID_ARGUMENT, 0},
    {{JSON},
     "{\"message\":{},\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/\",\"type\":\"t\"}",
     "two events",
     PSPROBE_INVALID_ARGUMENT,
     0},
    {{{"Content-Type", "text/plain"}}, PUSH, "text/plain", PSPROBE_INVALID_ARGUMENT, 415},
    {{{"Content-Type", "application/xml; charset=utf-8"}},
     PUSH,
     "application/json",
     PSPROBE_INVALID_ARGUMENT,
     415},
    {{{"Content-Type", "application/json; charset=utf-16"}},
     PUSH,
     "UTF-8",
     PSPROBE_INVALID_ARGUMENT,
     415},
    {{JSON, {"Content-Encoding", "zstd"}}, PUSH, "zstd", PSPROBE_INVALID_ARGUMENT, 415},
    {{JSON, JSON}, PUSH, "more than once", PSPROBE_INVALID_ARGUMENT, 0},
    /* CloudEvents */
    {{{"ce-id", "1"}, {"ce-source", "/"}, {"ce-type", "t"}},
     "{}",
     "ce-specversion",
     PSPROBE_INVALID_ARGUMENT,
     0},
    {{CE("1", "", "t", "1.0"), JSON}, "{}", "ce-source", PSPROBE_INVALID_ARGUMENT, 0},
    {{CE("1", "/", "t", "0.3"), JSON}, "{}", "specversion", PSPROBE_INVALID_ARGUMENT, 0},
    {{CE("1", "/", "t", "1.0"), {"ce-time", "yesterday"}},
     "{}",
     "RFC 3339",
     PSPROBE_INVALID_ARGUMENT,
     0},
    {{CE("1", "/", "t", "1.0"), {"ce-a_b", "x"}}, "{}", "a-z", PSPROBE_INVALID_ARGUMENT, 0},
    {{CE("1", "/", "t", "1.0"), {"ce-data", "x"}},
     "{}",
     "called data",
     PSPROBE_INVALID_ARGUMENT,
     0},
    {{CE("1", "/", "t", "1.0"), {"ce-subject", "%C0%A0"}},
     "{}",
     "UTF-8",
     PSPROBE_INVALID_ARGUMENT,
     0},
    {{CE("1", "/", "t", "1.0"), {"ce-subject", "a%00b"}},
     "{}",
     "UTF-8",
     PSPROBE_INVALID_ARGUMENT,
     0},
    {{CE("1", "/", "t", "1.0"), {"ce-id", "2"}},
     "{}",
     "more than once",
     PSPROBE_INVALID_ARGUMENT,
     0},
    {{CE("1", "/", "t", "1.0"), JSON}, "{\"a\":", "JSON", PSPROBE_INVALID_ARGUMENT, 0},
    {{CE("1", "//x/", TYPE, "1.0"), JSON}, "{}", "message", PSPROBE_INVALID_ARGUMENT, 0},
    {{{"Content-Type", "application/cloudevents+json"}},
     "[]",
     "not a JSON object",
     PSPROBE_INVALID_ARGUMENT,
     0},
    {{{"Content-Type", "application/cloudevents+avro"}},
     "{}",
     "JSON",
     PSPROBE_INVALID_ARGUMENT,
     415},
    {{{"Content-Type", "application/cloudevents+json"}},
     "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/\",\"type\":\"t\",\"data\":1,"
     "\"data_base64\":\"AA==\"}",
     "both data",
     PSPROBE_INVALID_ARGUMENT,
     0},
    {{{"Content-Type", "application/cloudevents+json"}},
     "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/\",\"type\":\"t\",\"data_base64\":\"!\"}",
     "base64",
     PSPROBE_INVALID_ARGUMENT,
     0},
    {{{"Content-Type", "application/cloudevents+json"}},
     "{\"specversion\":\"1.0\",\"id\":{},\"source\":\"/\",\"type\":\"t\"}",
     "neither text",
     PSPROBE_INVALID_ARGUMENT,
     0},
    {{{"Content-Type", "application/cloudevents+json"}, {"ce-id", "2"}},
     ENVELOPE,
     "two events",
     PSPROBE_INVALID_ARGUMENT,
     0},
    {{{"Content-Type", "application/cloudevents-batch+json"}},
     ENVELOPE,
     "array",
     PSPROBE_INVALID_ARGUMENT,
     0},
    {{{"Content-Type", "application/cloudevents-batch+json"}},
     "[" ENVELOPE ",{}]",
     "event 2",
     PSPROBE_INVALID_ARGUMENT,
     0},
    /* older events */
    {{JSON},
     "{\"context\":{\"eventType\":\"google.pubsub.topic.publish\"}}",
     "eventId",
     PSPROBE_INVALID_ARGUMENT,
     0},
    {{JSON}, "{\"context\":{\"eventId\":\"1\"}}", "eventType", PSPROBE_INVALID_ARGUMENT, 0},
    {{JSON},
     "{\"context\":{\"eventId\":\"1\",\"eventType\":\"google.pubsub.topic.publish\"}}",
     "resource",
     PSPROBE_INVALID_ARGUMENT,
     0},
    {{JSON},
     "{\"context\":{\"eventId\":\"1\",\"eventType\":\"some.thing\",\"resource\":\"x\"}}",
     "some.thing",
     PSPROBE_UNIMPLEMENTED,
     0},
    {{{"x-goog-pubsub-message-id", "1"}, {"x-goog-pubsub-publish-time", "noon"}},
     "x",
     "RFC 3339",
     PSPROBE_INVALID_ARGUMENT,
     0},
};

static void test_refusals(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    psprobe_events *events = NULL;
    psprobe_error error = {0};
    psprobe_code code = event_request_decode("/", broken[i].headers, broken[i].body,
                                             PSPROBE_WANT_CLOUDEVENT, &events, &error);
    if (code != broken[i].code || error.http_status != broken[i].status ||
        strstr(error.message, broken[i].why) == NULL)
      fail_msg("%zu, %s: code %d, status %d, \"%s\" instead of \"%s\"", i, broken[i].body, code,
               error.http_status, error.message, broken[i].why);
    assert_null(events);
  }
}

static void test_deep_nesting(void **state) {
  (void)state;
  char deep[4096];
  psprobe_events *events = NULL;
  psprobe_error error = {0};
  memset(deep, '[', sizeof deep - 1);
  deep[sizeof deep - 1] = 0;
  assert_int_equal(event_request_decode("/", (header_list){JSON}, deep, PSPROBE_WANT_CLOUDEVENT,
                                        &events, &error),
                   PSPROBE_INVALID_ARGUMENT);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_refusals),
                                     cmocka_unit_test(test_deep_nesting)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
