/* SPDX-License-Identifier: MIT */
/** @file Each kind of event that had an older form, from it to a CloudEvent and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/event.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"

#define TIME "2026-09-29T11:32:00.123Z"

#define FIRESTORE "providers/cloud.firestore/eventTypes/document."
#define DATABASE  "providers/google.firebase.database/eventTypes/ref."
#define AUTH      "providers/firebase.auth/eventTypes/user."
#define DOCUMENT  "projects/p/databases/(default)/documents/a b/c"
#define FS_SOURCE "//firestore.googleapis.com/projects/p/databases/(default)"
#define DB_SOURCE "//firebasedatabase.googleapis.com/projects/_/locations/"
#define BUCKET                                        \
  "{\"service\":\"storage.googleapis.com\",\"name\":" \
  "\"projects/_/buckets/b/objects/f/n.txt\",\"type\":\"storage#object\"}"
#define ST_SOURCE "//storage.googleapis.com/projects/_/buckets/b"
#define PS_RESOURCE                                                                   \
  "{\"service\":\"pubsub.googleapis.com\",\"name\":\"projects/p/topics/t\",\"type\":" \
  "\"type.googleapis.com/google.pubsub.v1.PubsubMessage\"}"
#define PS_TYPE "google.cloud.pubsub.topic.v1.messagePublished"

static const struct kind {
  const char *legacy, *resource, *domain, *data; /* the last three JSON; domain may be NULL */
  const char *type, *source, *subject, *newer;   /* `newer`: the data, JSON; NULL: the same */
  const char *back;                              /* legacy of the way back; NULL: the same */
} kinds[] = {
    {FIRESTORE "write", "\"" DOCUMENT "\"", NULL, "{\"value\":{\"x y\":1}}",
     "google.cloud.firestore.document.v1.written", FS_SOURCE, "documents/a b/c", NULL, NULL},
    {FIRESTORE "create", "\"" DOCUMENT "\"", NULL, "{}",
     "google.cloud.firestore.document.v1.created", FS_SOURCE, "documents/a b/c", NULL, NULL},
    {FIRESTORE "update", "\"" DOCUMENT "\"", NULL, "{\"n\":1e400}",
     "google.cloud.firestore.document.v1.updated", FS_SOURCE, "documents/a b/c", NULL, NULL},
    {FIRESTORE "delete", "\"" DOCUMENT "\"", NULL, "{\"oldValue\":null}",
     "google.cloud.firestore.document.v1.deleted", FS_SOURCE, "documents/a b/c", NULL, NULL},
    {DATABASE "write", "\"projects/_/instances/i/refs/g/x\"", "\"firebaseio.com\"",
     "{\"data\":null,\"delta\":10}", "google.firebase.database.ref.v1.written",
     DB_SOURCE "us-central1/instances/i", "refs/g/x", NULL, NULL},
    {DATABASE "create", "\"projects/_/instances/i/refs/g/x\"",
     "\"europe-west1.firebasedatabase.app\"", "{\"data\":null}",
     "google.firebase.database.ref.v1.created", DB_SOURCE "europe-west1/instances/i", "refs/g/x",
     NULL, NULL},
    {DATABASE "update", "\"projects/_/instances/i/refs/g/x\"", "\"firebaseio.com\"", "{}",
     "google.firebase.database.ref.v1.updated", DB_SOURCE "us-central1/instances/i", "refs/g/x",
     NULL, NULL},
    {DATABASE "delete", "\"projects/_/instances/i/refs/g/x\"", "\"firebaseio.com\"",
     "{\"delta\":null}", "google.firebase.database.ref.v1.deleted",
     DB_SOURCE "us-central1/instances/i", "refs/g/x", NULL, NULL},
    {AUTH "create", "\"projects/p\"", NULL,
     "{\"uid\":\"u1\",\"metadata\":{\"createdAt\":\"a\",\"lastSignedInAt\":\"b\",\"x\":1}}",
     "google.firebase.auth.user.v1.created", "//firebaseauth.googleapis.com/projects/p", "users/u1",
     "{\"uid\":\"u1\",\"metadata\":{\"createTime\":\"a\",\"lastSignInTime\":\"b\",\"x\":1}}", NULL},
    {AUTH "delete", "\"projects/p\"", NULL, "{\"uid\":\"u1\"}",
     "google.firebase.auth.user.v1.deleted", "//firebaseauth.googleapis.com/projects/p", "users/u1",
     NULL, NULL},
    {"google.storage.object.finalize", BUCKET, NULL, "{\"kind\":\"storage#object\"}",
     "google.cloud.storage.object.v1.finalized", ST_SOURCE, "objects/f/n.txt", NULL, NULL},
    {"google.storage.object.delete", BUCKET, NULL, "{}", "google.cloud.storage.object.v1.deleted",
     ST_SOURCE, "objects/f/n.txt", NULL, NULL},
    {"google.storage.object.archive", BUCKET, NULL, "{}", "google.cloud.storage.object.v1.archived",
     ST_SOURCE, "objects/f/n.txt", NULL, NULL},
    {"google.storage.object.metadataUpdate", BUCKET, NULL, "{}",
     "google.cloud.storage.object.v1.metadataUpdated", ST_SOURCE, "objects/f/n.txt", NULL, NULL},
    {"providers/cloud.storage/eventTypes/object.change", BUCKET, NULL, "{}",
     "google.cloud.storage.object.v1.finalized", ST_SOURCE, "objects/f/n.txt", NULL,
     "google.storage.object.finalize"},
    {"providers/google.firebase.analytics/eventTypes/event.log", "\"projects/p/events/e\"", NULL,
     "{\"eventDim\":[]}", "google.firebase.analytics.log.v1.written",
     "//firebase.googleapis.com/projects/p", "events/e", NULL, NULL},
    {"google.firebase.remoteconfig.update", "\"projects/p\"", NULL, "{\"versionNumber\":\"1\"}",
     "google.firebase.remoteconfig.remoteConfig.v1.updated",
     "//firebaseremoteconfig.googleapis.com/projects/p", NULL, NULL, NULL},
    {"google.pubsub.topic.publish", PS_RESOURCE, NULL,
     "{\"@type\":\"type.googleapis.com/google.pubsub.v1.PubsubMessage\",\"data\":\"AQID\"}",
     PS_TYPE, "//pubsub.googleapis.com/projects/p/topics/t", NULL,
     "{\"message\":{\"@type\":\"type.googleapis.com/google.pubsub.v1.PubsubMessage\","
     "\"data\":\"AQID\",\"messageId\":\"e-1\",\"publishTime\":\"" TIME "\"}}",
     NULL},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static psprobe_events *decode(const char *body, const char *type, psprobe_event_want want) {
  const psprobe_attribute header = {"Content-Type", type};
  const psprobe_event_request request = {
      .headers = &header, .header_count = 1, .body = body, .body_len = strlen(body), .want = want};
  psprobe_events *events = NULL;
  psprobe_error error = {0};
  if (psprobe_events_decode(&request, &events, &error) != PSPROBE_OK)
    fail_msg("%s: %s", body, error.message);
  return events;
}

static void put_legacy(psp_buf *out, const struct kind *k, bool flat) {
  psp_buf_printf(out,
                 "{%s\"eventId\":\"e-1\",\"timestamp\":\"" TIME
                 "\",\"eventType\":\"%s\",\"resource\":%s%s%s%s,\"data\":%s}",
                 flat ? "" : "\"context\":{", k->legacy, k->resource,
                 k->domain != NULL ? ",\"domain\":" : "", k->domain != NULL ? k->domain : "",
                 flat ? "" : "}", k->data);
}

static void assert_newer(const struct kind *k, const psprobe_event *event) {
  assert_string_equal(event->id, "e-1");
  assert_string_equal(event->time, TIME);
  assert_string_equal(event->type, k->type);
  assert_string_equal(event->source, k->source);
  assert_true(psp_text_equal(event->subject, k->subject));
  assert_string_equal(event->datacontenttype, "application/json");
  assert_string_equal(event->data, k->newer != NULL ? k->newer : k->data);
}

static void test_to_a_cloudevent(void **state) {
  (void)state;
  for (size_t i = 0; i < 2 * KINDS; i++) {
    psp_buf body = {0};
    put_legacy(&body, &kinds[i / 2], i % 2);
    psprobe_events *events = decode(body.data, "application/json", PSPROBE_WANT_CLOUDEVENT);
    assert_newer(&kinds[i / 2], psprobe_events_get(events, 0));
    psprobe_events_free(events);
    psp_buf_free(&body);
  }
}

static void assert_legacy(const psprobe_event *event, const char *type, const char *resource,
                          const char *data) {
  psprobe_legacy_event legacy = {0};
  psprobe_error error = {0};
  psp_buf expected = {0};
  if (psprobe_event_legacy(event, &legacy, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  psp_buf_printf(&expected,
                 "{\"eventId\":\"e-1\",\"timestamp\":\"" TIME
                 "\",\"eventType\":\"%s\",\"resource\":%s}",
                 type, resource);
  assert_string_equal(legacy.context, expected.data);
  assert_string_equal(legacy.data, data);
  psp_buf_free(&expected);
  psprobe_legacy_event_free(&legacy);
}

static void test_and_back(void **state) {
  (void)state;
  for (size_t i = 0; i < KINDS; i++) {
    const struct kind *k = &kinds[i];
    psp_buf body = {0};
    put_legacy(&body, k, false);
    psprobe_events *events = decode(body.data, "application/json", PSPROBE_WANT_CLOUDEVENT);
    char *json = psprobe_event_json(psprobe_events_get(events, 0), NULL);
    psprobe_events *again = decode(json, "application/cloudevents+json", PSPROBE_WANT_LEGACY);
    assert_legacy(psprobe_events_get(again, 0), k->back != NULL ? k->back : k->legacy, k->resource,
                  k->data);
    free(json);
    psprobe_events_free(again);
    psprobe_events_free(events);
    psp_buf_free(&body);
  }
}

/* An older event for who wants one stays as it is, whatever is in it. */
static void test_untouched(void **state) {
  (void)state;
  psprobe_events *events =
      decode("{\"context\":{\"eventId\":\"1\",\"eventType\":\"x.y\",\"params\":{}},\"data\":[1]}",
             "application/json", PSPROBE_WANT_LEGACY);
  psprobe_legacy_event legacy = {0};
  assert_int_equal(psprobe_event_legacy(psprobe_events_get(events, 0), &legacy, NULL), PSPROBE_OK);
  assert_string_equal(legacy.context, "{\"eventId\":\"1\",\"eventType\":\"x.y\",\"params\":{}}");
  assert_string_equal(legacy.data, "[1]");
  psprobe_legacy_event_free(&legacy);
  psprobe_events_free(events);
}

/* A CloudEvent that was never an older one keeps its attributes. */
static void test_unknown_type(void **state) {
  (void)state;
  psprobe_events *events = decode(
      "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"com.x\","
      "\"n\":7,\"data\":{\"a\":1}}",
      "application/cloudevents+json", PSPROBE_WANT_LEGACY);
  psprobe_legacy_event legacy = {0};
  assert_int_equal(psprobe_event_legacy(psprobe_events_get(events, 0), &legacy, NULL), PSPROBE_OK);
  assert_string_equal(legacy.context,
                      "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"com.x\","
                      "\"n\":\"7\"}");
  assert_string_equal(legacy.data, "{\"a\":1}");
  psprobe_legacy_event_free(&legacy);
  psprobe_events_free(events);
}

static void test_source_that_is_none(void **state) {
  (void)state;
  psprobe_events *events = decode(
      "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":"
      "\"google.cloud.storage.object.v1.deleted\"}",
      "application/cloudevents+json", PSPROBE_WANT_LEGACY);
  psprobe_legacy_event legacy = {0};
  psprobe_error error = {0};
  assert_int_equal(psprobe_event_legacy(psprobe_events_get(events, 0), &legacy, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "/s"));
  assert_null(legacy.context);
  psprobe_events_free(events);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_to_a_cloudevent),     cmocka_unit_test(test_and_back),
      cmocka_unit_test(test_untouched),           cmocka_unit_test(test_unknown_type),
      cmocka_unit_test(test_source_that_is_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
