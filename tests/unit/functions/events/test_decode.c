/* SPDX-License-Identifier: MIT */
/** @file Requests that hold events in every form, and those that hold none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/event.h>

#include "base/json.h"
#include "event_request.h"
#include "files.h"

#define TOPIC  "projects/p/topics/t"
#define SOURCE "//pubsub.googleapis.com/" TOPIC
#define TYPE   "google.cloud.pubsub.topic.v1.messagePublished"
#define TIME   "2026-03-04T05:06:07.089Z"
#define MESSAGE                                                                         \
  "{\"attributes\":{\"kind\":\"paid\"},\"data\":\"eyJuIjoxfQ==\",\"messageId\":\"17\"," \
  "\"publishTime\":\"" TIME "\"}"
#define SUBSCRIPTION "projects/p/subscriptions/s"
#define PUSH         "{\"message\":" MESSAGE ",\"subscription\":\"" SUBSCRIPTION "\"}"
#define ENVELOPE                                                                      \
  "{\"specversion\":\"1.0\",\"id\":\"17\",\"source\":\"" SOURCE "\",\"type\":\"" TYPE \
  "\",\"time\":\"" TIME "\",\"datacontenttype\":\"application/json\",\"data\":" PUSH "}"
typedef struct form {
  const char *what, *path;
  header_list headers;
  const char *body;
  psprobe_event_form form;
  bool subscription; /* it tells one */
} form;

static const form forms[] = {
    {"push", "/" TOPIC, {JSON}, PUSH, PSPROBE_EVENT_PUSH, true},
    {"unwrapped",
     "/" TOPIC,
     {{"kind", "paid"},
      {"X-Goog-Pubsub-Message-Id", "17"},
      {"x-goog-pubsub-publish-time", TIME},
      {"x-goog-pubsub-subscription-name", SUBSCRIPTION},
      {"Host", "h"},
      {"Content-Length", "7"}},
     "{\"n\":1}",
     PSPROBE_EVENT_UNWRAPPED,
     true},
    {"binary",
     "/",
     {CE("17", SOURCE, TYPE, "1.0"), {"ce-time", TIME}, JSON},
     PUSH,
     PSPROBE_EVENT_BINARY,
     true},
    {"structured",
     "/",
     {{"Content-Type", "application/cloudevents+json; charset=UTF-8"}},
     ENVELOPE,
     PSPROBE_EVENT_STRUCTURED,
     true},
    {"structured without its type", "/", {JSON}, ENVELOPE, PSPROBE_EVENT_STRUCTURED, true},
    {"batch",
     "/",
     {{"Content-Type", "APPLICATION/cloudevents-batch+json"}},
     "[" ENVELOPE "]",
     PSPROBE_EVENT_BATCH,
     true},
    {"older",
     "/",
     {JSON},
     "{\"context\":{\"eventId\":\"17\",\"timestamp\":\"" TIME "\",\"eventType\":"
     "\"google.pubsub.topic.publish\",\"resource\":{\"service\":\"pubsub.googleapis.com\",\"name\":"
     "\"" TOPIC "\"}},\"data\":{\"attributes\":{\"kind\":\"paid\"},\"data\":\"eyJuIjoxfQ==\"}}",
     PSPROBE_EVENT_LEGACY,
     false},
    {"oldest",
     "/",
     {JSON},
     "{\"eventId\":\"17\",\"timestamp\":\"" TIME "\",\"eventType\":"
     "\"providers/cloud.pubsub/eventTypes/topic.publish\",\"resource\":\"" TOPIC "\","
     "\"data\":{\"attributes\":{\"kind\":\"paid\"},\"data\":\"eyJuIjoxfQ==\"}}",
     PSPROBE_EVENT_LEGACY,
     false},
};
#define FORMS (sizeof forms / sizeof *forms)

static void assert_message(const form *f, const psprobe_event *event) {
  const psprobe_message *m = event->message;
  assert_non_null(m);
  assert_int_equal(m->data_len, 7);
  assert_memory_equal(m->data, "{\"n\":1}", 7);
  assert_string_equal(m->message_id, "17");
  assert_int_equal(m->publish_time.seconds, 1772600767);
  assert_int_equal(m->publish_time.nanos, 89000000);
  assert_string_equal(psprobe_message_attribute(m, "kind"), "paid");
  if (f->subscription)
    assert_string_equal(m->subscription, SUBSCRIPTION);
  else
    assert_null(m->subscription);
  assert_string_equal(event->topic, TOPIC);
}

/* The message in an event's data, by what is in it and not by how it is written. */
static void assert_data(const psprobe_event *event) {
  psp_json *json = NULL;
  assert_int_equal(event->kind, PSPROBE_DATA_JSON);
  assert_int_equal(psp_json_parse(event->data, event->data_len, "data", &json, NULL), PSPROBE_OK);
  const psp_json *m = psp_json_get(json, "message");
  assert_string_equal(psp_json_string(psp_json_get(m, "data")), "eyJuIjoxfQ==");
  assert_string_equal(psp_json_string(psp_json_get(m, "messageId")), "17");
  assert_string_equal(psp_json_string(psp_json_get(m, "publishTime")), TIME);
  assert_string_equal(psp_json_string(psp_json_get(psp_json_get(m, "attributes"), "kind")), "paid");
  psp_json_free(json);
}

static void test_same_event_through_every_form(void **state) {
  (void)state;
  for (size_t i = 0; i < FORMS; i++) {
    const form *f = &forms[i];
    psprobe_events *events = NULL;
    psprobe_error error = {0};
    for (int want = PSPROBE_WANT_CLOUDEVENT; want <= PSPROBE_WANT_MESSAGE; want++) {
      if (event_request_decode(f->path, f->headers, f->body, (psprobe_event_want)want, &events,
                               &error) != PSPROBE_OK)
        fail_msg("%s: %s", f->what, error.message);
      assert_int_equal(psprobe_events_count(events), 1);
      const psprobe_event *event = psprobe_events_get(events, 0);
      assert_int_equal(event->form, f->form);
      assert_string_equal(event->id, "17");
      assert_string_equal(event->type, TYPE);
      assert_message(f, event);
      if (want == PSPROBE_WANT_CLOUDEVENT) {
        assert_string_equal(event->source, SOURCE);
        assert_string_equal(event->time, TIME);
        assert_string_equal(event->datacontenttype, "application/json");
        assert_null(event->subject);
        assert_data(event);
      }
      assert_null(psprobe_events_get(events, 1));
      psprobe_events_free(events);
    }
  }
}

/* The older event of each is the same too. */
static void test_same_older_event(void **state) {
  (void)state;
  for (size_t i = 0; i < FORMS; i++) {
    const form *f = &forms[i];
    psprobe_events *events = NULL;
    psprobe_legacy_event legacy = {0};
    psp_json *context = NULL, *data = NULL;
    assert_int_equal(
        event_request_decode(f->path, f->headers, f->body, PSPROBE_WANT_LEGACY, &events, NULL),
        PSPROBE_OK);
    assert_int_equal(psprobe_event_legacy(psprobe_events_get(events, 0), &legacy, NULL),
                     PSPROBE_OK);
    psp_json_parse(legacy.context, strlen(legacy.context), "context", &context, NULL);
    psp_json_parse(legacy.data, strlen(legacy.data), "data", &data, NULL);
    const psp_json *resource = psp_json_get(context, "resource");
    const char *name = psp_json_string(resource);
    if (name == NULL) name = psp_json_string(psp_json_get(resource, "name"));
    assert_string_equal(psp_json_string(psp_json_get(context, "eventId")), "17");
    assert_string_equal(psp_json_string(psp_json_get(context, "timestamp")), TIME);
    assert_string_equal(name, TOPIC);
    assert_string_equal(psp_json_string(psp_json_get(data, "data")), "eyJuIjoxfQ==");
    assert_null(psp_json_get(data, "messageId"));
    psp_json_free(context);
    psp_json_free(data);
    psprobe_legacy_event_free(&legacy);
    psprobe_events_free(events);
  }
}

/* A body that nothing marks is a message where that is asked for, and nowhere else. */
static void test_plain(void **state) {
  (void)state;
  static const struct {
    const char *body;
    psprobe_event_form form;
  } cases[] = {{"hello", PSPROBE_EVENT_PLAIN},
               {"{\"probe_id\":\"x\"}", PSPROBE_EVENT_PLAIN},
               {"", PSPROBE_EVENT_PLAIN},
               {PUSH, PSPROBE_EVENT_PUSH}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_events *events = NULL;
    psprobe_event_request request = {.body = cases[i].body,
                                     .body_len = strlen(cases[i].body),
                                     .want = PSPROBE_WANT_MESSAGE,
                                     .plain = true};
    assert_int_equal(psprobe_events_decode(&request, &events, NULL), PSPROBE_OK);
    const psprobe_event *event = psprobe_events_get(events, 0);
    assert_int_equal(event->form, cases[i].form);
    if (event->form == PSPROBE_EVENT_PLAIN) {
      assert_int_equal(event->message->data_len, request.body_len);
      if (request.body_len > 0)
        assert_memory_equal(event->message->data, cases[i].body, request.body_len);
    }
    psprobe_events_free(events);
  }
}

/* Data that is no JSON: text and bytes, and written so that it can be read again. */
static void test_data(void **state) {
  (void)state;
  static const struct {
    const char *type, *body;
    psprobe_event_data kind;
    const char *json;
  } cases[] = {
      {"text/plain", "h\xC3\xA9", PSPROBE_DATA_TEXT, "\"data\":\"h\xC3\xA9\""},
      {"text/plain", "\xFF", PSPROBE_DATA_BYTES, "\"data_base64\":\"/w==\""},
      {"application/octet-stream", "\xFF\xFE", PSPROBE_DATA_BYTES, "\"data_base64\":\"//4=\""},
      {"application/vnd.x+json", " {\"a\":1.50}", PSPROBE_DATA_JSON, "{\"a\":1.50}"},
      {"application/json", "", PSPROBE_DATA_NONE, "}"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_events *events = NULL, *again = NULL;
    const header_list h = {CE("1", "/", "t", "1.0"), {"Content-Type", cases[i].type}};
    assert_int_equal(
        event_request_decode("/", h, cases[i].body, PSPROBE_WANT_CLOUDEVENT, &events, NULL),
        PSPROBE_OK);
    const psprobe_event *event = psprobe_events_get(events, 0);
    assert_int_equal(event->kind, cases[i].kind);
    char *json = psprobe_event_json(event, NULL);
    if (strstr(json, cases[i].json) == NULL) fail_msg("%s", json);
    assert_int_equal(
        event_request_decode("/", (header_list){{"Content-Type", "application/cloudevents+json"}},
                             json, PSPROBE_WANT_CLOUDEVENT, &again, NULL),
        PSPROBE_OK);
    const psprobe_event *read = psprobe_events_get(again, 0);
    assert_int_equal(read->kind, event->kind);
    assert_int_equal(read->data_len,
                     event->data_len - (event->data_len > 0 && *event->data == ' '));
    free(json);
    psprobe_events_free(events);
    psprobe_events_free(again);
  }
}

static void test_empty_batch(void **state) {
  (void)state;
  psprobe_events *events = NULL;
  const header_list h = {{"Content-Type", "application/cloudevents-batch+json"}};
  assert_int_equal(event_request_decode("/", h, "[]", PSPROBE_WANT_CLOUDEVENT, &events, NULL),
                   PSPROBE_OK);
  assert_int_equal(psprobe_events_count(events), 0);
  psprobe_events_free(events);
}

static psprobe_code decode_text(const char *type, const psp_buf *body, psprobe_error *error) {
  psprobe_events *events = NULL;
  const header_list h = {{"Content-Type", type}};
  psprobe_code code =
      event_request_decode("/", h, body->data, PSPROBE_WANT_CLOUDEVENT, &events, error);
  psprobe_events_free(events);
  return code;
}

/* What costs room or time by their number is bounded. */
static void test_many(void **state) {
  (void)state;
  psp_buf body = {0};
  psprobe_error error = {0};
  for (size_t most = 256; most <= 257; most++) {
    psp_buf_reset(&body);
    psp_buf_text(&body, "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\"");
    for (size_t i = 0; i < most; i++)
      psp_buf_printf(&body, ",\"e%zu\":1", i);
    psp_buf_text(&body, "}");
    assert_int_equal(decode_text("application/cloudevents+json", &body, &error),
                     most == 256 ? PSPROBE_OK : PSPROBE_INVALID_ARGUMENT);
  }
  assert_string_equal(error.message, "CloudEvent: more than 256 attributes");
  psp_buf_reset(&body);
  psp_buf_text(&body, "[0");
  for (size_t i = 0; i < 10000; i++)
    psp_buf_text(&body, ",1");
  psp_buf_text(&body, "]");
  assert_int_equal(decode_text("application/cloudevents-batch+json", &body, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_string_equal(error.message, "a batch of 10001 CloudEvents: at most 10000");
  psp_buf_free(&body);
}

static void feed(const char *text, size_t len, void *arg) {
  psprobe_events *events = NULL;
  const form *f = arg;
  psprobe_event_request request = {
      .path = f->path, .headers = f->headers, .header_count = 6, .body = text, .body_len = len};
  while (f->headers[request.header_count - 1].key == NULL)
    request.header_count--;
  if (psprobe_events_decode(&request, &events, NULL) == PSPROBE_OK) psprobe_events_free(events);
}

static void test_truncated(void **state) {
  (void)state;
  for (size_t i = 0; i < FORMS; i++) {
    psp_buf body = {0};
    psp_buf_text(&body, forms[i].body);
    test_prefixes(&body, feed, (void *)&forms[i]);
    psp_buf_free(&body);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_same_event_through_every_form),
      cmocka_unit_test(test_same_older_event),
      cmocka_unit_test(test_plain),
      cmocka_unit_test(test_data),
      cmocka_unit_test(test_empty_batch),
      cmocka_unit_test(test_many),
      cmocka_unit_test(test_truncated),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
