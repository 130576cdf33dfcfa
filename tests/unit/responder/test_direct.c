/* SPDX-License-Identifier: MIT */
/** @file The responder's direct form: the document that it writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/probe.h>

#include "base/json.h"
#include "fake_client.h"

#define ID  "0123456789abcdef0123456789abcdef"
#define URL FAKE_FIRESTORE "/v1/projects/" FAKE_PROJECT "/databases/%28default%29/documents/"

static psprobe_responder *make(fake_client *f, psprobe_responder_options options) {
  psprobe_responder *responder = NULL;
  options.direct = true;
  assert_int_equal(psprobe_responder_new(f->client, &options, &responder, NULL), PSPROBE_OK);
  return responder;
}

static psprobe_code answer(psprobe_responder *responder, const psprobe_message *message,
                           psprobe_error *error) {
  return psprobe_responder_answer(responder, message, psprobe_clock_monotonic(), error);
}

static const char *field(const psp_json *document, const char *name, const char *type) {
  const psp_json *fields = psp_json_get(document, "fields");
  return psp_json_string(psp_json_get(psp_json_get(fields, name), type));
}

static void test_the_document(void **state) {
  fake_client *f = *state;
  fake_call *create =
      fake_expect(f->fake, "POST", URL "pubsub_results?documentId=cloud_function-" ID);
  fake_reply(create, 200, NULL, "{\"name\":\"projects/p/databases/d/documents/c/x\"}");
  psprobe_responder *responder = make(f, (psprobe_responder_options){0});
  const psprobe_attribute attribute = {PSPROBE_ATTRIBUTE_ID, ID};
  int64_t published_ns = psprobe_clock_wall() - 69300000;
  psprobe_message message = {
      .attributes = &attribute,
      .attribute_count = 1,
      .publish_time = {published_ns / 1000000000, (int32_t)(published_ns % 1000000000)}};
  assert_int_equal(answer(responder, &message, NULL), PSPROBE_OK);
  const psp_http_request *request = fake_request(create, 0);
  psp_json *json = NULL;
  assert_int_equal(psp_json_parse(request->body, request->body_len, "body", &json, NULL),
                   PSPROBE_OK);
  assert_int_equal(psp_json_count(psp_json_get(json, "fields")), 4);
  const char *published = field(json, "publish_time", "timestampValue");
  const char *saved = field(json, "saved_at", "timestampValue");
  const char *elapsed = field(json, "elapsed", "stringValue");
  assert_string_equal(field(json, "source", "stringValue"), "cloud_function");
  assert_non_null(published);
  assert_true(strcmp(published, saved) < 0); /* RFC 3339 sorts by time */
  double number = 0;
  char unit[3] = "";
  assert_int_equal(sscanf(elapsed, "%lf%2s", &number, unit), 2);
  assert_true(strchr(elapsed, ' ') == NULL);
  assert_true(strcmp(unit, "s") == 0 || (strcmp(unit, "ms") == 0 && number >= 69.3));
  psp_json_free(json);
  assert_int_equal(psprobe_responder_answered(responder), 1);
  psprobe_responder_free(responder);
}

static void test_names(void **state) {
  fake_client *f = *state;
  static const struct {
    const char *id, *message_id, *url;
  } cases[] = {
      {NULL, "17", URL "other?documentId=mine-17-1554000000.000000005"},
      {"not ours", "a/b", URL "other?documentId=mine-a%2Fb-1554000000.000000005"},
      {NULL, NULL, URL "other?documentId=mine--1554000000.000000005"},
      {ID, "17", URL "other?documentId=mine-" ID},
  };
  psprobe_responder *responder =
      make(f, (psprobe_responder_options){.source = "mine", .collection = "other"});
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fake_reply(fake_expect(f->fake, "POST", cases[i].url), 200, NULL, "{}");
    const psprobe_attribute attribute = {PSPROBE_ATTRIBUTE_ID, cases[i].id};
    psprobe_message message = {.attributes = &attribute,
                               .attribute_count = cases[i].id != NULL,
                               .message_id = cases[i].message_id,
                               .publish_time = {1554000000, 5}};
    assert_int_equal(answer(responder, &message, NULL), PSPROBE_OK);
  }
  psprobe_responder_free(responder);
}

static void test_outcomes(void **state) {
  fake_client *f = *state;
  static const struct {
    int status;
    const char *body;
    psprobe_code code;
  } cases[] = {
      {409, "{\"error\":{\"code\":409,\"message\":\"there\",\"status\":\"ALREADY_EXISTS\"}}",
       PSPROBE_OK},
      {403, "{\"error\":{\"code\":403,\"message\":\"no\",\"status\":\"PERMISSION_DENIED\"}}",
       PSPROBE_PERMISSION_DENIED},
      {400, "{\"error\":{\"code\":400,\"message\":\"bad\",\"status\":\"INVALID_ARGUMENT\"}}",
       PSPROBE_FAILED_PRECONDITION},
  };
  psprobe_responder *responder = make(f, (psprobe_responder_options){0});
  psprobe_message message = {.message_id = "1", .publish_time = {1554000000, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    fake_reply(fake_expect(f->fake, "POST", URL "*"), cases[i].status, NULL, cases[i].body);
    assert_int_equal(answer(responder, &message, &error), cases[i].code);
    if (cases[i].code != PSPROBE_OK) assert_non_null(strstr(error.message, "pubsub_results"));
  }
  psprobe_message timeless = {.message_id = "1"};
  psprobe_error error = {0};
  assert_int_equal(answer(responder, &timeless, &error), PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "publish time"));
  assert_int_equal(psprobe_responder_answered(responder), 1);
  assert_int_equal(psprobe_responder_rejected(responder), 1);
  psprobe_responder_free(responder);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_client_setup, fake_client_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_the_document),
      TEST(test_names),
      TEST(test_outcomes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
