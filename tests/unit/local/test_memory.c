/* SPDX-License-Identifier: MIT */
/** @file Every allocation of the stand-in's pure parts fails once: nothing is half done, nothing
 * leaks (which the address sanitizer sees). */
#include "broker/broker_fixture.h"

#include "failing_malloc.h"
#include "files.h"
#include "local/broker/settings_json.h"
#include "local/documents/query.h"
#include "local/documents/write.h"
#include "local/functions/settings.h"
#include "local/pubsub/json.h"
#include "local/rest.h"

static psp_buf publish_body, subscription_body, document_body;
static psp_json *subscription_json, *document_json, *write_json, *query_json;

static psp_json *parse(const char *text) {
  psp_json *json;
  psprobe_error error;
  if (psp_json_parse(text, strlen(text), "test", &json, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return json;
}

static bool settings(void *arg) {
  (void)arg;
  psp_subscription_settings read = {0};
  psp_buf out = {0};
  psp_json_writer w = {.buf = &out, .pretty = true};
  bool done = psp_subscription_settings_decode(subscription_json, &read);
  if (done) psp_subscription_settings_encode(&w, &read);
  done = done && !out.failed;
  psp_buf_free(&out);
  psp_subscription_settings_free(&read);
  return done;
}

static bool publish_decode(void *arg) {
  (void)arg;
  psp_letters letters = {0};
  bool done =
      psp_broker_publish_decode(publish_body.data, publish_body.len, &letters, NULL) == PSPROBE_OK;
  psp_letters_free(&letters);
  return done;
}

/* A broker from its beginning to its end, with a pull and a push on the way. */
static bool whole_broker(void *arg) {
  (void)arg;
  psp_letter *letter = psp_letter_new("a", 1, NULL, 0, "key");
  psp_topic_settings topic = {.name = psp_strdup(TOPIC)};
  broker = psp_broker_new();
  bool done = broker != NULL && letter != NULL && topic.name != NULL &&
              psp_broker_topic_create(broker, &topic, NULL) == PSPROBE_OK;
  psp_broker_waiter waiting = {.max = 5};
  if (done)
    done = make_sub_on(SUB, TOPIC, (psp_subscription_settings){.ordering = true}, NULL) ==
               PSPROBE_OK &&
           make_sub_on("projects/p/subscriptions/push", TOPIC,
                       (psp_subscription_settings){.push = {.endpoint = TEXT("http://x/")}},
                       NULL) == PSPROBE_OK;
  if (done) psp_broker_pull(broker, SUB, &waiting, now);
  uint64_t id;
  done = done && waiting.code == PSPROBE_OK &&
         psp_broker_publish(broker, TOPIC, &letter, 1, now, &id, NULL) == PSPROBE_OK;
  if (broker != NULL) psp_broker_close(broker);
  psp_broker_mail mail = {0};
  if (broker != NULL) mail = psp_broker_outbox(broker);
  done = done && mail.pulls == &waiting && waiting.count == 1 && mail.pushes != NULL;
  psp_broker_waiter_clear(&waiting);
  if (mail.pushes != NULL) psp_broker_push_free(mail.pushes);
  psp_topic_settings_free(&topic);
  psp_letter_unref(letter);
  psp_broker_free(broker);
  return done;
}

/* What was acknowledged and comes back, a snapshot, a policy. */
static bool replay_in(psp_snapshot_settings *snapshot, psp_letter *letter) {
  psp_broker_waiter got = {.max = 5, .immediate = true};
  psp_subscription_settings on = {.retain_acked = true};
  uint64_t id;
  bool done =
      make_sub_on(SUB, TOPIC, (psp_subscription_settings){.ordering = true}, NULL) == PSPROBE_OK &&
      psp_broker_publish(broker, TOPIC, &letter, 1, now, &id, NULL) == PSPROBE_OK &&
      psp_broker_subscription_update(broker, SUB, &on, PSP_SUB_RETAIN, now, NULL) == PSPROBE_OK &&
      psp_broker_snapshot_create(broker, snapshot, SUB, now, NULL) == PSPROBE_OK;
  if (done) psp_broker_pull(broker, SUB, &got, now);
  if (done) psp_broker_outbox(broker);
  done =
      done && got.count == 1 &&
      psp_broker_acknowledge(broker, SUB, &got.deliveries[0].ack, 1, NULL, now, NULL) ==
          PSPROBE_OK &&
      psp_broker_seek_time(broker, SUB, 0, now, NULL) == PSPROBE_OK && held() == 1 &&
      psp_broker_seek_snapshot(broker, SUB, "projects/p/snapshots/snap", now, NULL) == PSPROBE_OK &&
      psp_broker_detach(broker, SUB, NULL) == PSPROBE_OK;
  psp_broker_waiter_clear(&got);
  return done;
}

static bool replay(void *arg) {
  (void)arg;
  psp_letter *letter = psp_letter_new("a", 1, NULL, 0, "key");
  psp_topic_settings topic = {.name = psp_strdup(TOPIC)};
  psp_snapshot_settings snapshot = {.name = psp_strdup("projects/p/snapshots/snap")};
  psp_policy policy = {0};
  broker = psp_broker_new();
  bool done = broker != NULL && letter != NULL && topic.name != NULL && snapshot.name != NULL &&
              psp_broker_topic_create(broker, &topic, NULL) == PSPROBE_OK &&
              replay_in(&snapshot, letter) &&
              psp_policies_set(psp_broker_policies(broker), TOPIC, &policy, NULL) == PSPROBE_OK;
  psp_topic_settings_free(&topic);
  psp_snapshot_settings_free(&snapshot);
  psp_letter_unref(letter);
  psp_broker_free(broker);
  return done;
}

static bool path(void *arg) {
  (void)arg;
  psp_rest_path parsed;
  if (!psp_rest_path_parse("/v1/a%20b/c:publish", &parsed)) return false;
  char *joined = psp_rest_path_join(&parsed, 1, 3);
  bool done = joined != NULL;
  free(joined);
  psp_rest_path_free(&parsed);
  return done;
}

static bool document(void *arg) {
  (void)arg;
  psprobe_value *map = NULL, *picked = NULL;
  psp_documents_mask mask = {0};
  bool done =
      psp_documents_fields_read(psp_json_get(document_json, "fields"), &map, NULL) == PSPROBE_OK &&
      psp_documents_mask_add(&mask, "map.k", NULL) == PSPROBE_OK &&
      psp_documents_mask_add(&mask, "arr", NULL) == PSPROBE_OK;
  if (done) picked = psp_documents_mask_pick(&mask, map);
  done = picked != NULL;
  psprobe_value_free(picked);
  psprobe_value_free(map);
  psp_documents_mask_free(&mask);
  return done;
}

static bool query(void *arg) {
  (void)arg;
  psp_local_query read;
  bool done = psp_local_query_read(query_json, &read, NULL) == PSPROBE_OK;
  psp_local_query_free(&read);
  return done;
}

static bool function(void *arg) {
  (void)arg;
  static const char *const argv[] = {"program", "argument", NULL}, *const env[] = {"A=1", NULL};
  psprobe_local_function_options options = {.argv = argv, .env = env, .name = "named"};
  psp_function *made = NULL;
  bool done = psp_function_new(&options, &made, NULL) == PSPROBE_OK;
  if (done) psp_function_free(made);
  return done;
}

/* A write is done as a whole or not at all. */
static bool write_document(void *arg) {
  psp_documents *documents = arg;
  psp_local_write write;
  psp_write_result result = {0};
  psp_buf message = {0};
  psp_documents_begin(documents);
  bool done = psp_local_write_read(write_json, &write, NULL) == PSPROBE_OK &&
              psp_local_write_apply(documents, &write, 1, &result, &message, NULL) == PSPROBE_OK;
  psp_write_result_free(&result);
  psp_local_write_free(&write);
  psp_buf_free(&message);
  psp_documents_end(documents, false, NULL);
  return done;
}

static void test_each(void **state) {
  (void)state;
  static bool (*const works[])(void *) = {settings, publish_decode, whole_broker, replay,
                                          path,     document,       query,        function};
  for (size_t i = 0; i < sizeof works / sizeof *works; i++)
    assert_true(failing_each(works[i], NULL) > 1);
}

static void test_write(void **state) {
  (void)state;
  psp_documents *documents;
  assert_int_equal(psp_documents_new(NULL, &documents, NULL), PSPROBE_OK);
  assert_true(failing_each(write_document, documents) > 10);
  psp_documents_free(documents);
}

#define DOC "projects/p/databases/d/documents/c/x"

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_each), cmocka_unit_test(test_write)};
  publish_body = test_file("tests/data/pubsub/publish.request.json");
  char *key = strstr(publish_body.data, ",\"orderingKey\":\"key-1\""); /* of one alone */
  memset(key, ' ', strlen(",\"orderingKey\":\"key-1\""));
  subscription_body = test_file("tests/data/pubsub/subscription-pull-all-fields.json");
  document_body = test_file("tests/data/firestore/document-all-types.request.json");
  subscription_json = parse(subscription_body.data);
  document_json = parse(document_body.data);
  write_json = parse(
      "{\"update\":{\"name\":\"" DOC
      "\",\"fields\":{\"a\":{\"integerValue\":\"1\"}}},"
      "\"updateMask\":{\"fieldPaths\":[\"a\",\"b.c\"]},\"updateTransforms\":[{\"fieldPath\":\"n\","
      "\"increment\":{\"integerValue\":\"1\"}},{\"fieldPath\":\"l\",\"appendMissingElements\":"
      "{\"values\":[{\"nullValue\":null}]}}],\"currentDocument\":{\"exists\":false}}");
  query_json = parse(
      "{\"from\":[{\"collectionId\":\"c\"}],\"where\":{\"fieldFilter\":{\"field\":{\"fieldPath\":"
      "\"n\"},\"op\":\"GREATER_THAN\",\"value\":{\"integerValue\":\"1\"}}},\"orderBy\":[{\"field\":"
      "{\"fieldPath\":\"n\"}}],\"startAt\":{\"values\":[{\"integerValue\":\"2\"}]},\"select\":"
      "{\"fields\":[{\"fieldPath\":\"n\"}]}}");
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  psp_json_free(subscription_json);
  psp_json_free(document_json);
  psp_json_free(write_json);
  psp_json_free(query_json);
  psp_buf_free(&publish_body);
  psp_buf_free(&subscription_body);
  psp_buf_free(&document_body);
  return failed;
}
