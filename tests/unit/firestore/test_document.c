/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/timestamp.h"
#include "files.h"
#include "firestore/document.h"
#include "values.h"

#define DATA "tests/data/firestore/"
#define NAME "projects/p/databases/(default)/documents/c/d"

static psp_json *parse(const char *text, size_t len) {
  psp_json *json = NULL;
  psprobe_error error = {0};
  if (psp_json_parse(text, len, "test", &json, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  return json;
}

static psprobe_document *document_of(const psp_json *json) {
  psprobe_document *document = NULL;
  psprobe_error error = {0};
  if (psp_document_decode(json, &document, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  return document;
}

static void put_time(psp_json_writer *w, const char *key, psprobe_timestamp time) {
  char text[PSP_TIMESTAMP_SIZE];
  psp_json_put_key(w, key);
  psp_json_put_string(w, psp_timestamp_format(text, time.seconds, time.nanos));
}

/* The captured answer, read and written as Google's server prints, is the same to the byte. */
static void the_captured_document_comes_back(void **state) {
  (void)state;
  psp_buf body = test_file(DATA "document-all-types.json");
  psp_json *json = parse(body.data, body.len);
  psprobe_document *document = document_of(json);
  psp_buf out = {0};
  psp_json_writer w = {.buf = &out, .pretty = true};
  psp_json_begin_object(&w);
  psp_json_put_key(&w, "name");
  psp_json_put_name(&w, psprobe_document_name(document));
  psp_json_put_key(&w, "fields");
  psp_fields_encode(&w, psprobe_document_fields(document));
  put_time(&w, "createTime", psprobe_document_create_time(document));
  put_time(&w, "updateTime", psprobe_document_update_time(document));
  psp_json_end_object(&w);
  assert_string_equal(out.data, body.data);
  psprobe_document_free(document);
  psp_json_free(json);
  psp_buf_free(&out);
  psp_buf_free(&body);
}

/* What was sent for it and what came back are the same values, but for the nanoseconds. */
static void the_captured_request_is_the_same_document(void **state) {
  (void)state;
  psp_buf sent = test_file(DATA "document-all-types.request.json");
  psp_buf got = test_file(DATA "document-all-types.json");
  psp_json *request = parse(sent.data, sent.len), *answer = parse(got.data, got.len);
  psprobe_document *document = document_of(answer);
  psprobe_value *fields = NULL;
  psprobe_timestamp time;
  assert_int_equal(psp_fields_decode(psp_json_get(request, "fields"), &fields, NULL), PSPROBE_OK);
  assert_int_equal(psp_fields_check(fields, NULL), PSPROBE_OK);
  assert_true(psprobe_value_get_timestamp(psprobe_value_find(fields, "time"), &time));
  assert_int_equal(time.nanos, 123456789);
  time.nanos = 123456000;
  psprobe_value_set(fields, "time", psprobe_value_timestamp(time));
  assert_true(psprobe_value_equal(fields, psprobe_document_fields(document)));
  psprobe_value_free(fields);
  psprobe_document_free(document);
  psp_json_free(request);
  psp_json_free(answer);
  psp_buf_free(&sent);
  psp_buf_free(&got);
}

static void feed(const char *text, size_t len, void *arg) {
  psp_json *json = NULL;
  psprobe_document *document = NULL;
  if (psp_json_parse(text, len, "test", &json, NULL) == PSPROBE_OK &&
      psp_document_decode(json, &document, NULL) == PSPROBE_OK)
    ++*(int *)arg;
  psprobe_document_free(document);
  psp_json_free(json);
}

/* Cut at any byte it is no document, until the last brace. */
static void cut_short_it_is_none(void **state) {
  (void)state;
  psp_buf body = test_file(DATA "document-all-types.json");
  int taken = 0;
  test_prefixes(&body, feed, &taken);
  assert_int_equal(taken, 1); /* without the newline */
  psp_buf_free(&body);
}

static const struct {
  const char *json, *rule; /* rule NULL: fine */
} documents[] = {
    {"{\"name\":\"" NAME "\"}", NULL},
    {"{\"name\":\"" NAME "\",\"fields\":null}", NULL},
    {"{\"name\":\"" NAME "\",\"fields\":{}}", NULL},
    {"{\"name\":\"" NAME "\",\"create_time\":\"2024-01-01T00:00:00Z\"}", NULL},
    {"{}", "without a name"},
    {"[]", "an object"},
    {"null", "an object"},
    {"\"x\"", "an object"},
    {"{\"name\":5}", "without a name"},
    {"{\"name\":\"x\",\"fields\":[]}", "document x: mapValue"},
    {"{\"name\":\"x\",\"fields\":\"y\"}", "document x: mapValue"},
    {"{\"name\":\"x\",\"fields\":{\"a\":{\"integerValue\":\"z\"}}}", "document x: field a: "},
    {"{\"name\":\"x\",\"createTime\":5}", "a time that is none"},
    {"{\"name\":\"x\",\"updateTime\":\"yesterday\"}", "a time that is none"},
};

static void documents_are_checked(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
    psp_json *json = parse(documents[i].json, strlen(documents[i].json));
    psprobe_document *document = NULL;
    psprobe_error error = {0};
    psprobe_code code = psp_document_decode(json, &document, &error);
    if (documents[i].rule == NULL) {
      if (code != PSPROBE_OK) fail_msg("%s: %s", documents[i].json, error.message);
      assert_int_equal(psprobe_value_get_type(psprobe_document_fields(document)),
                       PSPROBE_VALUE_MAP);
    } else if (code != PSPROBE_INVALID_ARGUMENT ||
               strstr(error.message, documents[i].rule) == NULL) {
      fail_msg("%s: %d, \"%s\"", documents[i].json, code, error.message);
    }
    psprobe_document_free(document);
    psp_json_free(json);
  }
}

/* An id with a zero byte in it is kept, not cut at it. */
static void a_zero_in_a_name_stays(void **state) {
  (void)state;
  const char *text = "{\"name\":\"projects/p/databases/d/documents/c/a\\u0000b\"}";
  psp_json *json = parse(text, strlen(text));
  psprobe_document *document = document_of(json);
  assert_string_equal(document->name,
                      "projects/p/databases/d/documents/c/a\xC0\x80"
                      "b");
  psp_buf out = {0};
  psp_json_writer w = {.buf = &out};
  psp_document_encode(&w, document->name, document->fields);
  assert_string_equal(out.data,
                      "{\"name\":\"projects/p/databases/d/documents/c/a\\u0000b\",\"fields\":{}}");
  psp_buf_free(&out);
  psprobe_document_free(document);
  psp_json_free(json);
}

static void preconditions(void **state) {
  (void)state;
  static const struct {
    psprobe_precondition precondition;
    const char *json; /* NULL: refused */
  } cases[] = {
      {{.must_exist = true}, "{\"exists\":true}"},
      {{.must_not_exist = true}, "{\"exists\":false}"},
      {{.update_time = {1704164645, 123456000}},
       "{\"updateTime\":\"2024-01-02T03:04:05.123456Z\"}"},
      {{.update_time = {0, 1000}}, "{\"updateTime\":\"1970-01-01T00:00:00.000001Z\"}"},
      {{.must_exist = true, .update_time = {1704164645, 0}},
       "{\"updateTime\":\"2024-01-02T03:04:05Z\"}"},
      {{.must_exist = true, .must_not_exist = true}, NULL},
      {{.must_not_exist = true, .update_time = {1, 0}}, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_buf out = {0};
    psp_json_writer w = {.buf = &out};
    psprobe_code code = psp_precondition_check(&cases[i].precondition, NULL);
    assert_false(psp_precondition_empty(&cases[i].precondition));
    assert_int_equal(code, cases[i].json != NULL ? PSPROBE_OK : PSPROBE_INVALID_ARGUMENT);
    if (cases[i].json == NULL) continue;
    psp_precondition_encode(&w, &cases[i].precondition);
    assert_string_equal(out.data, cases[i].json);
    psp_buf_free(&out);
  }
  psprobe_precondition none = {0};
  assert_true(psp_precondition_empty(&none));
  assert_true(psp_precondition_empty(NULL));
  assert_int_equal(psp_precondition_check(NULL, NULL), PSPROBE_OK);
  psprobe_document_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_captured_document_comes_back),
      cmocka_unit_test(the_captured_request_is_the_same_document),
      cmocka_unit_test(cut_short_it_is_none),
      cmocka_unit_test(documents_are_checked),
      cmocka_unit_test(a_zero_in_a_name_stays),
      cmocka_unit_test(preconditions),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
