/* SPDX-License-Identifier: MIT */
/** @file Writes to documents in memory, with the commit's time as an argument. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "firestore/value/json.h"
#include "local/documents/write.h"

#define ROOT "projects/demo-project/databases/(default)/documents"
#define DOC  ROOT "/c/x"

static psp_documents *documents;
static psprobe_error error;
static psp_buf message;

static int setup(void **state) {
  (void)state;
  assert_int_equal(psp_documents_new(NULL, &documents, NULL), PSPROBE_OK);
  psp_documents_begin(documents);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  psp_documents_end(documents, false, NULL);
  psp_documents_free(documents);
  psp_buf_free(&message);
  return 0;
}

static psp_json *parse(const char *text) {
  psp_json *json;
  if (psp_json_parse(text, strlen(text), "test", &json, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return json;
}

/* Does a write at `now_us`. @return its code; *update_us receives the result's time */
static psprobe_code write_at(int64_t now_us, const char *text, int64_t *update_us) {
  psp_json *json = parse(text);
  psp_local_write write;
  psp_write_result result = {0};
  psp_buf_reset(&message);
  error = (psprobe_error){0};
  psprobe_code code = psp_local_write_read(json, &write, &error);
  if (code == PSPROBE_OK)
    code = psp_local_write_apply(documents, &write, now_us, &result, &message, &error);
  if (update_us != NULL) *update_us = result.update_us;
  psp_write_result_free(&result);
  psp_local_write_free(&write);
  psp_json_free(json);
  return code;
}

static void ok(int64_t now_us, const char *text) {
  if (write_at(now_us, text, NULL) != PSPROBE_OK) fail_msg("%s", error.message);
}

/* The document as it is now: its fields as JSON, "" when it is absent. */
static const char *fields(int64_t *create_us, int64_t *update_us) {
  static char text[1024];
  psp_stored_document document;
  psp_buf out = {0};
  psp_json_writer w = {.buf = &out};
  text[0] = '\0';
  if (psp_documents_get(documents, DOC, &document, NULL) != PSPROBE_OK) return text;
  psp_fields_encode(&w, document.fields);
  snprintf(text, sizeof text, "%s", out.data);
  if (create_us != NULL) *create_us = document.create_us;
  if (update_us != NULL) *update_us = document.update_us;
  psp_buf_free(&out);
  psp_stored_document_free(&document);
  return text;
}

#define UPDATE(f) "{\"update\":{\"name\":\"" DOC "\",\"fields\":{" f "}}"
#define INT(k, n) "\"" k "\":{\"integerValue\":\"" #n "\"}"
#define EXISTS(b) ",\"currentDocument\":{\"exists\":" #b "}}"
#define MASK(...) ",\"updateMask\":{\"fieldPaths\":[" __VA_ARGS__ "]}}"
#define TRANSFORM(t) \
  "{\"transform\":{\"document\":\"" DOC "\",\"fieldTransforms\":[{\"fieldPath\":\"f\"," t "}]}}"

static void test_update_and_delete(void **state) {
  (void)state;
  int64_t created, updated;
  ok(10, UPDATE(INT("a", 1)) "}");
  assert_string_equal(fields(&created, &updated), "{" INT("a", 1) "}");
  assert_true(created == 10 && updated == 10);
  ok(20, UPDATE(INT("b", 2)) "}"); /* the whole document */
  assert_string_equal(fields(&created, &updated), "{" INT("b", 2) "}");
  assert_true(created == 10 && updated == 20);
  ok(30, UPDATE(INT("b", 2)) "}"); /* the same again keeps its version */
  fields(&created, &updated);
  assert_int_equal(updated, 20);
  ok(40, "{\"delete\":\"" DOC "\"}");
  assert_string_equal(fields(NULL, NULL), "");
  ok(50, "{\"delete\":\"" DOC "\"}");
}

static void test_mask(void **state) {
  (void)state;
  ok(10, UPDATE(INT("a", 1) "," INT("b", 2) "," INT("c", 3)) "}");
  ok(20, UPDATE(INT("a", 9) "," INT("z", 9)) MASK("\"a\",\"b\""));
  assert_string_equal(fields(NULL, NULL), "{" INT("c", 3) "," INT("a", 9) "}");
}

static void test_conditions(void **state) {
  (void)state;
  int64_t updated;
  assert_int_equal(write_at(10, UPDATE("") EXISTS(true), NULL), PSPROBE_NOT_FOUND);
  assert_string_equal(message.data,
                      "no entity to update: app: \"dev~demo-project\"\npath <\n  Element {\n    "
                      "type: \"c\"\n    name: \"x\"\n  }\n>\n");
  ok(20, UPDATE("") EXISTS(false));
  assert_int_equal(write_at(30, UPDATE("") EXISTS(false), NULL), PSPROBE_ALREADY_EXISTS);
  assert_string_equal(message.data,
                      "entity already exists: EntityRef{partitionRef=dev~demo-project, path=/c/x}");
  ok(40, UPDATE(INT("a", 1)) EXISTS(true));
  assert_int_equal(write_at(50,
                            "{\"delete\":\"" DOC "\",\"currentDocument\":{\"updateTime\":"
                            "\"1970-01-01T00:00:00.000041Z\"}}",
                            NULL),
                   PSPROBE_FAILED_PRECONDITION);
  assert_string_equal(error.message,
                      "the stored version (40) does not match the required base version (41)");
  assert_int_equal(write_at(60, "{\"verify\":\"" DOC "\"" EXISTS(true), &updated), PSPROBE_OK);
  assert_int_equal(updated, 40);
  ok(70, "{\"delete\":\"" DOC
         "\",\"currentDocument\":{\"updateTime\":"
         "\"1970-01-01T00:00:00.000040Z\"}}");
}

static void test_two_inserts_in_one_commit(void **state) {
  (void)state;
  ok(10, UPDATE("") EXISTS(false));
  assert_int_equal(write_at(10, UPDATE("") EXISTS(false), NULL), PSPROBE_INVALID_ARGUMENT);
  assert_string_equal(error.message, "Cannot insert then insert an entity in the same request.");
}

static void test_transforms(void **state) {
  (void)state;
  static const struct {
    const char *before, *transform, *after;
  } cases[] = {
      {"", "\"increment\":{\"integerValue\":\"5\"}", INT("f", 5)},
      {INT("f", 1), "\"increment\":{\"integerValue\":\"5\"}", INT("f", 6)},
      {INT("f", 1), "\"increment\":{\"doubleValue\":1.5}", "\"f\":{\"doubleValue\":2.5}"},
      {INT("f", 9223372036854775807), "\"increment\":{\"integerValue\":\"5\"}",
       INT("f", 9223372036854775807)},
      {"\"f\":{\"stringValue\":\"s\"}", "\"increment\":{\"integerValue\":\"5\"}", INT("f", 5)},
      {INT("f", 7), "\"maximum\":{\"doubleValue\":7}", INT("f", 7)},
      {INT("f", 7), "\"maximum\":{\"doubleValue\":7.5}", "\"f\":{\"doubleValue\":7.5}"},
      {INT("f", 7), "\"minimum\":{\"integerValue\":\"3\"}", INT("f", 3)},
      {"", "\"minimum\":{\"integerValue\":\"3\"}", INT("f", 3)},
      {"",
       "\"appendMissingElements\":{\"values\":[{\"integerValue\":\"1\"},{\"integerValue\":\"1\"},"
       "{\"doubleValue\":1}]}",
       "\"f\":{\"arrayValue\":{\"values\":[{\"integerValue\":\"1\"}]}}"},
      {"\"f\":{\"arrayValue\":{\"values\":[{\"integerValue\":\"1\"},{\"nullValue\":null},"
       "{\"integerValue\":\"1\"}]}}",
       "\"removeAllFromArray\":{\"values\":[{\"doubleValue\":1}]}",
       "\"f\":{\"arrayValue\":{\"values\":[{\"nullValue\":null}]}}"},
      {"", "\"setToServerValue\":\"REQUEST_TIME\"",
       "\"f\":{\"timestampValue\":\"1970-01-01T00:00:01.234Z\"}"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[1024];
    snprintf(text, sizeof text, "{\"update\":{\"name\":\"" DOC "\",\"fields\":{%s}}}",
             cases[i].before);
    ok(10, text);
    snprintf(text, sizeof text,
             "{\"transform\":{\"document\":\"" DOC
             "\",\"fieldTransforms\":[{\"fieldPath\":\"f\",%s}]}}",
             cases[i].transform);
    ok(1234567, text);
    snprintf(text, sizeof text, "{%s}", cases[i].after);
    assert_string_equal(fields(NULL, NULL), text);
  }
}

static void test_refused(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"{}", "empty write operation"},
      {"{\"update\":{}}", "Document name \"\" lacks \"projects\" at index 0."},
      {"{\"delete\":\"bad\"}", "Document name \"bad\" lacks \"projects\" at index 0."},
      {"{\"update\":{\"name\":\"" DOC "\"},\"delete\":\"" DOC "\"}",
       "Payload isn't valid for request."},
      {"{\"delete\":\"" DOC "\",\"bogus\":1}", "Payload isn't valid for request."},
      {"{\"verify\":\"" DOC "\"}", "a verify must contain a precondition"},
      {TRANSFORM("\"increment\":{\"stringValue\":\"x\"}"), "Input must be int64 or double."},
      {TRANSFORM("\"setToServerValue\":\"BOGUS\""), "Payload isn't valid for request."},
      {TRANSFORM("\"setToServerValue\":\"SERVER_VALUE_UNSPECIFIED\""),
       "ServerValue type must be specified for set_to_server_value transformation."},
      {"{\"transform\":{\"document\":\"" DOC "\",\"fieldTransforms\":[{\"fieldPath\":\"f\"}]}}",
       "Operation type must be specified for field transformation."},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(write_at(10, cases[i][0], NULL), PSPROBE_INVALID_ARGUMENT);
    assert_string_equal(error.message, cases[i][1]);
  }
}

static void test_too_large(void **state) {
  (void)state;
  size_t len = 530000;
  psp_buf text = {0};
  psp_buf_text(&text, "{\"update\":{\"name\":\"" DOC "\",\"fields\":{");
  for (int i = 0; i < 2; i++) {
    psp_buf_printf(&text, "%s\"f%d\":{\"stringValue\":\"", i ? "," : "", i);
    for (size_t k = 0; k < len; k++)
      psp_buf_char(&text, 'x');
    psp_buf_text(&text, "\"}");
  }
  psp_buf_text(&text, "}}}");
  assert_int_equal(write_at(10, text.data, NULL), PSPROBE_INVALID_ARGUMENT);
  assert_string_equal(error.message, "maximum entity size is 1048576 bytes");
  psp_buf_free(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_update_and_delete, setup, teardown),
      cmocka_unit_test_setup_teardown(test_mask, setup, teardown),
      cmocka_unit_test_setup_teardown(test_conditions, setup, teardown),
      cmocka_unit_test_setup_teardown(test_two_inserts_in_one_commit, setup, teardown),
      cmocka_unit_test_setup_teardown(test_transforms, setup, teardown),
      cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(test_too_large, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
