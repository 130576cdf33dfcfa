/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"
#include "firestore/write.h"
#include "values.h"

#define DATA      "tests/data/firestore/"
#define COUNT(l)  (sizeof(l) / sizeof *(l))
#define DATABASE  "demo-project", "(default)"
#define DOCUMENTS "projects/demo-project/databases/(default)/documents/"

static const psprobe_precondition must_not_exist = {.must_not_exist = true};

static psp_json *parse(const char *text, size_t len) {
  psp_json *json = NULL;
  assert_int_equal(psp_json_parse(text, len, "test", &json, NULL), PSPROBE_OK);
  return json;
}

/* `writes` make just this body. */
static void check_body(const psprobe_write *writes, size_t count, const char *body) {
  psp_buf out = {0};
  psprobe_error error = {0};
  if (psp_writes_encode(&out, DATABASE, writes, count, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  assert_string_equal(out.data, body);
  psp_buf_free(&out);
}

static void writes_the_captured_requests(void **state) {
  (void)state;
  psprobe_value *fields = psprobe_value_map(), *none = psprobe_value_map();
  psprobe_value_set(fields, "latency_ns", psprobe_value_integer(1234567));
  psprobe_value_set(fields, "source", psprobe_value_string("cloud_function"));
  psprobe_write create = {.path = "results/0123456789abcdef0123456789abcdef",
                          .fields = fields,
                          .precondition = must_not_exist};
  psp_buf golden = test_file(DATA "commit-create.request.json");
  check_body(&create, 1, golden.data);
  psp_buf_free(&golden);
  psprobe_write batch[] = {
      {.path = "results/b1", .fields = none, .precondition = must_not_exist},
      {.path = "results/v", .fields = none, .precondition = must_not_exist},
      {.path = "results/none"},
  };
  golden = test_file(DATA "batch-write.request.json");
  check_body(batch, COUNT(batch), golden.data);
  psp_buf_free(&golden);
  psprobe_value_free(fields);
  psprobe_value_free(none);
}

static void writes_masks_and_preconditions(void **state) {
  (void)state;
  psprobe_value *fields = psprobe_value_map();
  psprobe_value_set(fields, "a", psprobe_value_null());
  static const char *const mask[] = {"a", "m.`x-y`"};
  psprobe_write masked = {.path = "c/d",
                          .fields = fields,
                          .mask = mask,
                          .mask_count = 2,
                          .precondition = {.must_exist = true}};
  check_body(&masked, 1,
             "{\"writes\":[{\"update\":{\"name\":\"" DOCUMENTS
             "c/d\",\"fields\":{\"a\":{\"nullValue\":null}}},"
             "\"updateMask\":{\"fieldPaths\":[\"a\",\"m.`x-y`\"]},"
             "\"currentDocument\":{\"exists\":true}}]}");
  psprobe_write touch = {.path = "c/d",
                         .fields = fields,
                         .mask = mask,
                         .precondition = {.update_time = {1704164645, 123456000}}};
  check_body(&touch, 1,
             "{\"writes\":[{\"update\":{\"name\":\"" DOCUMENTS
             "c/d\",\"fields\":{\"a\":{\"nullValue\":null}}},\"updateMask\":{\"fieldPaths\":[]},"
             "\"currentDocument\":{\"updateTime\":\"2024-01-02T03:04:05.123456Z\"}}]}");
  check_body(NULL, 0, "{\"writes\":[]}");
  psprobe_value_free(fields);
}

static void writes_transforms(void **state) {
  (void)state;
  psprobe_value *fields = psprobe_value_map(), *five = psprobe_value_integer(5);
  psprobe_value *p = psprobe_value_array();
  psprobe_value_set(fields, "n", psprobe_value_integer(1));
  psprobe_value_append(p, psprobe_value_string("p"));
  psprobe_transform each[] = {{"at", PSPROBE_SERVER_TIME, NULL},  {"n", PSPROBE_INCREMENT, five},
                              {"arr", PSPROBE_APPEND_MISSING, p}, {"arr", PSPROBE_REMOVE_ALL, p},
                              {"n", PSPROBE_MAXIMUM, five},       {"n", PSPROBE_MINIMUM, five}};
  psprobe_write captured[] = {
      {.path = "results/t", .fields = fields, .transforms = each, .transform_count = 3},
      {.path = "results/none"}};
  psp_buf golden = test_file(DATA "commit-transforms.request.json");
  check_body(captured, 2, golden.data);
  psp_buf_free(&golden);
  psprobe_write writes[] = {{.path = "c/d", .transforms = each + 3, .transform_count = 3},
                            {.path = "c/e", .verify = true, .precondition = {.must_exist = true}}};
  check_body(
      writes, 2,
      "{\"writes\":[{\"update\":{\"name\":\"" DOCUMENTS
      "c/d\"},\"updateMask\":{\"fieldPaths\":[]},\"updateTransforms\":["
      "{\"fieldPath\":\"arr\",\"removeAllFromArray\":{\"values\":[{\"stringValue\":\"p\"}]}},"
      "{\"fieldPath\":\"n\",\"maximum\":{\"integerValue\":\"5\"}},"
      "{\"fieldPath\":\"n\",\"minimum\":{\"integerValue\":\"5\"}}]},"
      "{\"verify\":\"" DOCUMENTS "c/e\",\"currentDocument\":{\"exists\":true}}]}");
  psprobe_value_free(fields);
  psprobe_value_free(five);
  psprobe_value_free(p);
}

static void names_the_write_that_is_refused(void **state) {
  (void)state;
  psprobe_value *good = psprobe_value_map(), *bad = psprobe_value_map();
  psprobe_value_set(bad, "__x__", psprobe_value_null());
  static const char *const bad_mask[] = {"a-b"}, *const good_mask[] = {"a"};
  static char text[600001];
  psprobe_value *word = psprobe_value_string("x"), *large = psprobe_value_map();
  memset(text, 'x', sizeof text - 1);
  psprobe_value_set(large, "a", psprobe_value_string(text));
  psprobe_value_set(large, "b", psprobe_value_string(text));
  const psprobe_transform by_text[] = {{"a", PSPROBE_INCREMENT, word},
                                       {"a", PSPROBE_REMOVE_ALL, word},
                                       {"a", PSPROBE_SERVER_TIME, word},
                                       {"a-b", PSPROBE_SERVER_TIME, NULL}};
  psprobe_transform many[501];
  for (size_t i = 0; i < COUNT(many); i++)
    many[i] = (psprobe_transform){.field = "a"};
  const struct {
    psprobe_write write;
    const char *message;
  } cases[] = {
      {{.path = "c/d", .fields = bad}, "c/d: field __x__: "},
      {{.path = "c", .fields = good}, "c: document path \"c\": a document has an even"},
      {{.fields = good}, "without a path: no path"},
      {{.path = "c/d", .fields = good, .mask = bad_mask, .mask_count = 1},
       "c/d: field path \"a-b\": names other"},
      {{.path = "c/d", .mask = good_mask, .mask_count = 1}, "c/d: a mask without fields: a delete"},
      {{.path = "c/d",
        .fields = good,
        .precondition = {.must_exist = true, .must_not_exist = true}},
       "c/d: a precondition that the document must not exist and must exist"},
      {{.path = "c/d", .verify = true}, "c/d: a verify has a precondition"},
      {{.path = "c/d", .verify = true, .fields = good}, "c/d: a verify has no fields"},
      {{.path = "c/d", .verify = true, .transforms = by_text, .transform_count = 1},
       "c/d: a verify has no transforms"},
      {{.path = "c/d", .transforms = by_text, .transform_count = 1},
       "c/d: transform 1: it takes a number"},
      {{.path = "c/d", .transforms = by_text + 1, .transform_count = 1},
       "c/d: transform 1: it takes an array"},
      {{.path = "c/d", .transforms = by_text + 2, .transform_count = 1},
       "c/d: transform 1: the server's time takes no operand"},
      {{.path = "c/d", .transforms = by_text + 3, .transform_count = 1},
       "c/d: transform 1: field path \"a-b\""},
      {{.path = "c/d", .transforms = many, .transform_count = COUNT(many)},
       "c/d: 501 transforms of a document, and the service takes 500"},
      {{.path = "c/d", .fields = large}, "c/d: a document of 1200"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    psprobe_write writes[] = {{.path = "c/fine", .fields = good}, cases[i].write};
    psp_buf out = {0};
    psprobe_error error = {0};
    assert_int_equal(psp_writes_encode(&out, DATABASE, writes, 2, &error),
                     PSPROBE_INVALID_ARGUMENT);
    const char *said = strstr(error.message, "write 2 of 2, ");
    if (said == NULL || strstr(said, cases[i].message) == NULL)
      fail_msg("\"%s\" is not in \"%s\"", cases[i].message, error.message);
    psp_buf_free(&out);
  }
  psprobe_value_free(word);
  psprobe_value_free(large);
  psprobe_value_free(good);
  psprobe_value_free(bad);
}

static void refuses_more_than_the_service_takes(void **state) {
  (void)state;
  enum { WRITES = 11 };
  char *text = malloc(1 << 20);
  assert_non_null(text);
  memset(text, 'x', 1 << 20);
  psprobe_value *fields = psprobe_value_map();
  psprobe_value_set(fields, "s", psprobe_value_string_n(text, 1000000));
  free(text);
  psprobe_write writes[WRITES];
  for (int i = 0; i < WRITES; i++)
    writes[i] = (psprobe_write){.path = "c/d", .fields = fields};
  psp_buf out = {0};
  psprobe_error error = {0};
  assert_int_equal(psp_writes_encode(&out, DATABASE, writes, WRITES - 1, &error), PSPROBE_OK);
  psp_buf_reset(&out);
  assert_int_equal(psp_writes_encode(&out, DATABASE, writes, WRITES, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "send fewer at a time"));
  psp_buf_free(&out);
  psprobe_value_free(fields);
}

static psprobe_code decode_commit(const char *text, size_t len, size_t count) {
  psp_json *json = NULL;
  psprobe_error error = {0};
  psprobe_code code = psp_json_parse(text, len, "test", &json, &error);
  if (code == PSPROBE_OK) code = psp_commit_decode(json, count, NULL, &error);
  if (code != PSPROBE_OK) assert_true(*error.message);
  psp_json_free(json);
  return code;
}

static void commit_answers(void **state) {
  (void)state;
  psp_buf one = test_file(DATA "commit-create.json"),
          two = test_file(DATA "commit-transforms.json");
  assert_int_equal(decode_commit(one.data, one.len, 1), PSPROBE_OK);
  assert_int_equal(decode_commit(one.data, one.len, 2), PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(decode_commit(two.data, two.len, 2), PSPROBE_OK);
  static const char *const none[] = {
      "{}", "[]", "5", "null", "{\"writeResults\":{}}", "{\"writeResults\":\"x\"}"};
  for (size_t i = 0; i < COUNT(none); i++)
    assert_int_equal(decode_commit(none[i], strlen(none[i]), 1), PSPROBE_INVALID_ARGUMENT);
  psp_buf_free(&one);
  psp_buf_free(&two);
}

static void commit_tells_what_was_written(void **state) {
  (void)state;
  psp_buf body = test_file(DATA "commit-transforms.json");
  psp_json *json = parse(body.data, body.len);
  psprobe_written *written = NULL;
  int64_t n = 0;
  psprobe_timestamp at = {0};
  assert_int_equal(psp_commit_decode(json, 2, &written, NULL), PSPROBE_OK);
  psprobe_timestamp time = psprobe_written_time(written);
  psprobe_timestamp first = psprobe_written_update_time(written, 0);
  assert_true(time.nanos == 988024000 && first.seconds == time.seconds);
  assert_int_equal(psprobe_written_update_time(written, 1).seconds, 0);
  assert_int_equal(psprobe_written_update_time(written, 2).seconds, 0);
  assert_true(psprobe_value_get_timestamp(psprobe_written_transform(written, 0, 0), &at));
  assert_int_equal(at.nanos, 952000000);
  assert_true(psprobe_value_get_integer(psprobe_written_transform(written, 0, 1), &n) && n == 6);
  const psprobe_value *null = psprobe_written_transform(written, 0, 2);
  assert_true(null != NULL && psprobe_value_get_type(null) == PSPROBE_VALUE_NULL);
  assert_null(psprobe_written_transform(written, 0, 3));
  assert_null(psprobe_written_transform(written, 1, 0));
  assert_null(psprobe_written_transform(written, 2, 0));
  psprobe_written_free(written);
  psp_json_free(json);
  static const char *const broken[] = {"{\"writeResults\":[{\"updateTime\":5}]}",
                                       "{\"writeResults\":[{\"transformResults\":[5]}]}",
                                       "{\"writeResults\":[{}],\"commitTime\":\"x\"}"};
  for (size_t i = 0; i < COUNT(broken); i++) {
    json = parse(broken[i], strlen(broken[i]));
    assert_int_equal(psp_commit_decode(json, 1, &written, NULL), PSPROBE_INVALID_ARGUMENT);
    psp_json_free(json);
  }
  psp_buf_free(&body);
}

static const psprobe_write batch[] = {
    {.path = "results/b1"}, {.path = "results/v"}, {.path = "results/none"}};

static void batch_outcomes(void **state) {
  (void)state;
  psp_buf body = test_file(DATA "batch-write.json");
  psp_json *json = parse(body.data, body.len);
  psprobe_error outcomes[3], error = {0};
  memset(outcomes, 0x55, sizeof outcomes);
  assert_int_equal(psp_batch_write_decode(json, batch, 3, outcomes, &error), PSPROBE_OK);
  assert_int_equal(outcomes[0].code, PSPROBE_OK);
  assert_string_equal(outcomes[0].message, "");
  assert_int_equal(outcomes[1].code, PSPROBE_ALREADY_EXISTS);
  assert_false(outcomes[1].retryable);
  assert_string_equal(outcomes[1].message,
                      "write 2 of 3, results/v: ALREADY_EXISTS: entity already exists: "
                      "EntityRef{partitionRef=dev~demo-project, path=/results/v}");
  assert_int_equal(outcomes[2].code, PSPROBE_OK);
  assert_int_equal(psp_batch_write_decode(json, batch, 3, NULL, NULL), PSPROBE_OK);
  psp_json_free(json);
  psp_buf_free(&body);
}

/* A code of each kind: what it becomes, and whether it is worth another try. */
static void batch_codes(void **state) {
  (void)state;
  static const struct {
    const char *status;
    psprobe_code code;
    bool retryable;
  } cases[] = {
      {"{}", PSPROBE_OK, false},
      {"{\"code\":0,\"message\":\"fine\"}", PSPROBE_OK, false},
      {"{\"code\":5}", PSPROBE_NOT_FOUND, false},
      {"{\"code\":\"9\"}", PSPROBE_FAILED_PRECONDITION, false},
      {"{\"code\":8}", PSPROBE_RESOURCE_EXHAUSTED, true},
      {"{\"code\":10}", PSPROBE_ABORTED, true},
      {"{\"code\":14,\"message\":\"a\\nb\"}", PSPROBE_UNAVAILABLE, true},
      {"{\"code\":13}", PSPROBE_INTERNAL, false},
      {"{\"code\":17}", PSPROBE_UNKNOWN, false},
      {"{\"code\":-1}", PSPROBE_UNKNOWN, false},
      {"{\"code\":1.5}", PSPROBE_UNKNOWN, false},
      {"{\"code\":[]}", PSPROBE_UNKNOWN, false},
      {"{\"message\":\"odd\"}", PSPROBE_OK, false},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char text[128];
    psprobe_error outcome = {0};
    int len = snprintf(text, sizeof text, "{\"status\":[%s]}", cases[i].status);
    psp_json *json = parse(text, (size_t)len);
    assert_int_equal(psp_batch_write_decode(json, batch, 1, &outcome, NULL), PSPROBE_OK);
    assert_int_equal(outcome.code, cases[i].code);
    assert_int_equal(outcome.retryable, cases[i].retryable);
    assert_null(strchr(outcome.message, '\n'));
    psp_json_free(json);
  }
}

static void feed(const char *text, size_t len, void *arg) {
  psp_json *json = NULL;
  psprobe_error outcomes[3];
  memset(outcomes, 0x55, sizeof outcomes);
  if (psp_json_parse(text, len, "test", &json, NULL) == PSPROBE_OK &&
      psp_batch_write_decode(json, batch, 3, outcomes, NULL) == PSPROBE_OK)
    ++*(int *)arg;
  else
    assert_int_equal(outcomes[0].message[0], 0x55); /* untouched */
  psp_json_free(json);
}

static void broken_batch_answers(void **state) {
  (void)state;
  int taken = 0;
  psp_buf body = test_file(DATA "batch-write.json");
  test_prefixes(&body, feed, &taken);
  assert_int_equal(taken, 1); /* without the newline */
  psp_buf_free(&body);
  static const char *const broken[] = {"{}",
                                       "[]",
                                       "null",
                                       "{\"status\":{}}",
                                       "{\"status\":[]}",
                                       "{\"status\":[{},{}]}",
                                       "{\"status\":[{},{},{},{}]}",
                                       "{\"status\":[{},{},5]}",
                                       "{\"status\":[{},null,{}]}",
                                       "{\"writeResults\":[{},{},{}]}"};
  for (size_t i = 0; i < COUNT(broken); i++)
    feed(broken[i], strlen(broken[i]), &taken);
  assert_int_equal(taken, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(writes_the_captured_requests),
      cmocka_unit_test(writes_masks_and_preconditions),
      cmocka_unit_test(names_the_write_that_is_refused),
      cmocka_unit_test(refuses_more_than_the_service_takes),
      cmocka_unit_test(commit_answers),
      cmocka_unit_test(commit_tells_what_was_written),
      cmocka_unit_test(writes_transforms),
      cmocka_unit_test(batch_outcomes),
      cmocka_unit_test(batch_codes),
      cmocka_unit_test(broken_batch_answers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
