/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/firestore.h>

#include "fake_client.h"

#define ROOT FAKE_FIRESTORE "/v1/projects/" FAKE_PROJECT "/databases/%28default%29/documents"
#define NAME "projects/" FAKE_PROJECT "/databases/(default)/documents/"

#define STORED                                         \
  "{\"name\":\"" NAME                                  \
  "c/d\",\"fields\":{\"n\":{\"integerValue\":\"1\"}}," \
  "\"createTime\":\"2024-01-02T03:04:05Z\",\"updateTime\":\"2024-01-02T03:04:06.123456Z\"}\n"
#define BODY "{\"fields\":{\"n\":{\"integerValue\":\"1\"}}}"
#define EXISTS \
  "{\"error\":{\"code\":409,\"message\":\"entity exists\",\"status\":\"ALREADY_EXISTS\"}}"
#define LATER     "{\"error\":{\"code\":503,\"message\":\"later\",\"status\":\"UNAVAILABLE\"}}"
#define COMMITTED "{\"writeResults\":[{}],\"commitTime\":\"2024-01-02T03:04:05Z\"}"

static psprobe_value *one; /* {n: 1} */

static int set_up(void **state) {
  one = psprobe_value_map();
  psprobe_value_set(one, "n", psprobe_value_integer(1));
  int status = fake_client_setup(state);
  fake_in_order(((fake_client *)*state)->fake);
  return status;
}

static int tear_down(void **state) {
  psprobe_value_free(one);
  return fake_client_teardown(state);
}

static fake_call *expect(fake_client *f, const char *method, const char *url, int status,
                         const char *answer) {
  fake_call *call = fake_expect(f->fake, method, url);
  fake_reply(call, status, NULL, answer);
  return call;
}

static void check_body(fake_call *call, const char *body) {
  assert_string_equal(fake_request(call, 0)->body, body);
}

static void check_stored(psprobe_document *document) {
  int64_t n = 0;
  assert_non_null(document);
  assert_string_equal(psprobe_document_name(document), NAME "c/d");
  assert_true(
      psprobe_value_get_integer(psprobe_value_find(psprobe_document_fields(document), "n"), &n));
  assert_int_equal(n, 1);
  assert_int_equal(psprobe_document_create_time(document).seconds, 1704164645);
  assert_int_equal(psprobe_document_update_time(document).nanos, 123456000);
  psprobe_document_free(document);
}

static void creates(void **state) {
  fake_client *f = *state;
  psprobe_document *document = NULL;
  fake_call *call = expect(f, "POST", ROOT "/c?documentId=d", 200, STORED);
  assert_int_equal(psprobe_document_create(f->client, "c", "d", one, &document, NULL), PSPROBE_OK);
  check_stored(document);
  check_body(call, BODY);
  assert_string_equal(fake_request_header(fake_request(call, 0), "authorization"), "Bearer owner");
  expect(f, "POST", ROOT "/c/d/e%20%C3%A9?documentId=x%3F%25", 200, STORED);
  assert_int_equal(psprobe_document_create(f->client, "c/d/e \xC3\xA9", "x?%", one, NULL, NULL),
                   PSPROBE_OK);
}

static void creates_once_under_an_id_of_its_own(void **state) {
  fake_client *f = *state;
  psprobe_document *document = NULL;
  fake_call *first = expect(f, "POST", ROOT "/c?documentId=*", 503, LATER);
  fake_call *second = expect(f, "POST", ROOT "/c?documentId=*", 409, EXISTS);
  fake_call *get = expect(f, "GET", ROOT "/c/*", 200, STORED);
  assert_int_equal(psprobe_document_create(f->client, "c", NULL, one, &document, NULL), PSPROBE_OK);
  check_stored(document);
  const char *url = fake_request(first, 0)->url;
  assert_string_equal(fake_request(second, 0)->url, url);
  const char *id = strchr(url, '=') + 1;
  assert_int_equal(strlen(id), 20);
  assert_string_equal(strrchr(fake_request(get, 0)->url, '/') + 1, id);
  /* Nobody asks what is stored: then it is not asked for either. */
  expect(f, "POST", ROOT "/c?documentId=*", 503, LATER);
  expect(f, "POST", ROOT "/c?documentId=*", 409, EXISTS);
  assert_int_equal(psprobe_document_create(f->client, "c", NULL, one, NULL, NULL), PSPROBE_OK);
}

static void under_a_given_id_existing_is_told(void **state) {
  fake_client *f = *state;
  psprobe_document *document = NULL;
  psprobe_error error = {0};
  expect(f, "POST", ROOT "/c?documentId=d", 503, LATER);
  expect(f, "POST", ROOT "/c?documentId=d", 409, EXISTS);
  assert_int_equal(psprobe_document_create(f->client, "c", "d", one, &document, &error),
                   PSPROBE_ALREADY_EXISTS);
  assert_null(document);
  assert_int_equal(error.http_status, 409);
  assert_string_equal(error.message,
                      "create document c/d: ALREADY_EXISTS (HTTP 409): entity exists");
}

static void gets(void **state) {
  fake_client *f = *state;
  psprobe_document *document = NULL;
  psprobe_error error = {0};
  expect(f, "GET", ROOT "/c/d", 200, STORED);
  assert_int_equal(psprobe_document_get(f->client, "c/d", NULL, &document, NULL), PSPROBE_OK);
  check_stored(document);
  document = NULL;
  expect(f, "GET", ROOT "/c/none", 404,
         "{\"error\":{\"code\":404,\"message\":\"not found\",\"status\":\"NOT_FOUND\"}}");
  assert_int_equal(psprobe_document_get(f->client, "c/none", NULL, &document, &error),
                   PSPROBE_NOT_FOUND);
  assert_string_equal(error.message, "get document c/none: NOT_FOUND (HTTP 404): not found");
  expect(f, "GET", ROOT "/c/d", 200, STORED);
  assert_int_equal(psprobe_document_get(f->client, "c/d", NULL, NULL, NULL), PSPROBE_OK);
}

/* What cannot be read is not the caller's fault, and no document. */
static void unreadable_answers(void **state) {
  fake_client *f = *state;
  static const char *const bodies[] = {"",     "<html>proxy</html>",           "{", "[]", "{}",
                                       "null", "{\"name\":\"x\",\"fields\":5}"};
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    psprobe_document *document = NULL;
    psprobe_error error = {0};
    expect(f, "GET", ROOT "/c/d", 200, bodies[i]);
    assert_int_equal(psprobe_document_get(f->client, "c/d", NULL, &document, &error),
                     PSPROBE_INTERNAL);
    assert_int_equal(error.code, PSPROBE_INTERNAL);
    assert_false(error.retryable);
    assert_non_null(strstr(error.message, "get document c/d: the answer cannot be read: "));
    assert_null(document);
  }
}

static void patches(void **state) {
  fake_client *f = *state;
  static const char *const mask[] = {"n", "m.`x-y`"};
  psprobe_precondition exists = {.must_exist = true}, absent = {.must_not_exist = true};
  psprobe_document *document = NULL;
  fake_call *call = expect(f, "PATCH", ROOT "/c/d", 200, STORED);
  assert_int_equal(psprobe_document_patch(f->client, &(psprobe_write){.path = "c/d", .fields = one},
                                          &document, NULL),
                   PSPROBE_OK);
  check_stored(document);
  check_body(call, BODY);
  expect(f, "PATCH",
         ROOT
         "/c/d?updateMask.fieldPaths=n&updateMask.fieldPaths=m.%60x-y%60"
         "&currentDocument.exists=true",
         200, STORED);
  assert_int_equal(
      psprobe_document_patch(
          f->client,
          &(psprobe_write){
              .path = "c/d", .fields = one, .mask = mask, .mask_count = 2, .precondition = exists},
          NULL, NULL),
      PSPROBE_OK);
  expect(f, "PATCH", ROOT "/c/d?currentDocument.exists=false", 200, STORED);
  assert_int_equal(
      psprobe_document_patch(f->client,
                             &(psprobe_write){.path = "c/d", .fields = one, .precondition = absent},
                             NULL, NULL),
      PSPROBE_OK);
}

/* What a query cannot say goes as a commit; what is stored is then asked for. */
static void patches_by_commit(void **state) {
  fake_client *f = *state;
  psprobe_precondition time = {.update_time = {1704164645, 123456000}};
  psprobe_document *document = NULL;
  fake_call *call = expect(f, "POST", ROOT ":commit", 200, COMMITTED);
  expect(f, "GET", ROOT "/c/d", 200, STORED);
  assert_int_equal(
      psprobe_document_patch(f->client,
                             &(psprobe_write){.path = "c/d", .fields = one, .precondition = time},
                             &document, NULL),
      PSPROBE_OK);
  check_stored(document);
  check_body(call, "{\"writes\":[{\"update\":{\"name\":\"" NAME
                   "c/d\",\"fields\":{\"n\":{\"integerValue\":\"1\"}}},"
                   "\"currentDocument\":{\"updateTime\":\"2024-01-02T03:04:05.123456Z\"}}]}");
  static const char *const none[] = {"n"};
  call = expect(f, "POST", ROOT ":commit", 200, COMMITTED);
  assert_int_equal(
      psprobe_document_patch(
          f->client, &(psprobe_write){.path = "c/d", .fields = one, .mask = none, .mask_count = 0},
          NULL, NULL),
      PSPROBE_OK);
  assert_non_null(
      strstr((const char *)fake_request(call, 0)->body, "\"updateMask\":{\"fieldPaths\":[]}"));
  const char *many[200];
  for (int i = 0; i < 200; i++)
    many[i] = "n";
  expect(f, "POST", ROOT ":commit", 200, COMMITTED);
  assert_int_equal(
      psprobe_document_patch(
          f->client,
          &(psprobe_write){.path = "c/d", .fields = one, .mask = many, .mask_count = 200}, NULL,
          NULL),
      PSPROBE_OK);
  static const char *const ampersand[] = {"m.`x&y`"}; /* Google's emulator splits at %26 too */
  expect(f, "POST", ROOT ":commit", 200, COMMITTED);
  assert_int_equal(
      psprobe_document_patch(
          f->client,
          &(psprobe_write){.path = "c/d", .fields = one, .mask = ampersand, .mask_count = 1}, NULL,
          NULL),
      PSPROBE_OK);
  call = expect(f, "POST", ROOT ":commit", 200, COMMITTED);
  expect(f, "GET", ROOT "/c/d%26e", 200, STORED);
  assert_int_equal(psprobe_document_create(f->client, "c", "d&e", one, &document, NULL),
                   PSPROBE_OK);
  check_stored(document);
  check_body(call, "{\"writes\":[{\"update\":{\"name\":\"" NAME
                   "c/d&e\",\"fields\":{\"n\":{\"integerValue\":\"1\"}}},"
                   "\"currentDocument\":{\"exists\":false}}]}");
  call = expect(f, "POST", ROOT ":commit", 200, COMMITTED);
  assert_int_equal(psprobe_document_delete(f->client, "c/d", &time, NULL), PSPROBE_OK);
  check_body(call, "{\"writes\":[{\"delete\":\"" NAME
                   "c/d\",\"currentDocument\":{\"updateTime\":\"2024-01-02T03:04:05.123456Z\"}}]}");
}

/* An id of 1,500 bytes, all to be escaped, makes a URL of 4,500: it goes in a body. */
static void creates_long_ids_by_commit(void **state) {
  fake_client *f = *state;
  char id[1501] = "";
  for (int i = 0; i < 500; i++)
    strcat(id, "\xE6\x97\xA5");
  fake_call *call = expect(f, "POST", ROOT ":commit", 200, COMMITTED);
  assert_int_equal(psprobe_document_create(f->client, "c", id, one, NULL, NULL), PSPROBE_OK);
  assert_non_null(strstr((const char *)fake_request(call, 0)->body, id));
}

static void deletes(void **state) {
  fake_client *f = *state;
  psprobe_precondition exists = {.must_exist = true};
  expect(f, "DELETE", ROOT "/c/d", 200, "{\n}\n");
  assert_int_equal(psprobe_document_delete(f->client, "c/d", NULL, NULL), PSPROBE_OK);
  expect(f, "DELETE", ROOT "/c/d?currentDocument.exists=true", 200, "{\n}\n");
  assert_int_equal(psprobe_document_delete(f->client, "c/d", &exists, NULL), PSPROBE_OK);
}

/* No request is made for what the service would refuse (the fixture would tell). */
static void refuses_before_it_sends(void **state) {
  fake_client *f = *state;
  psprobe_value *bad = psprobe_value_map();
  psprobe_value_set(bad, "__x__", psprobe_value_null());
  psprobe_precondition both = {.must_exist = true, .must_not_exist = true};
  static const char *const mask[] = {"a b"};
  psprobe_error error = {0};
  psprobe_document *document = NULL;
  assert_int_equal(psprobe_document_create(f->client, "c/d", "x", one, NULL, NULL),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psprobe_document_create(f->client, "c", "x/y", one, NULL, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_string_equal(error.message, "create document: document id \"x/y\": it has a slash");
  assert_int_equal(psprobe_document_create(f->client, "c", "x", bad, NULL, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "create document c/x: field __x__: "));
  assert_int_equal(psprobe_document_create(f->client, "c", "x", NULL, NULL, NULL),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psprobe_document_get(f->client, "c", NULL, &document, NULL),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(
      psprobe_document_patch(f->client, &(psprobe_write){.path = "c/d", .fields = bad}, NULL, NULL),
      PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psprobe_document_patch(
                       f->client, &(psprobe_write){.path = "c/d", .fields = NULL}, NULL, NULL),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(
      psprobe_document_patch(
          f->client, &(psprobe_write){.path = "c/d", .fields = one, .mask = mask, .mask_count = 1},
          NULL, NULL),
      PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(
      psprobe_document_patch(f->client,
                             &(psprobe_write){.path = "c/d", .fields = one, .precondition = both},
                             NULL, NULL),
      PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psprobe_document_delete(f->client, NULL, NULL, NULL), PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psprobe_document_delete(f->client, "c/d", &both, NULL),
                   PSPROBE_INVALID_ARGUMENT);
  psprobe_value_free(bad);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(creates, set_up, tear_down),
      cmocka_unit_test_setup_teardown(creates_once_under_an_id_of_its_own, set_up, tear_down),
      cmocka_unit_test_setup_teardown(under_a_given_id_existing_is_told, set_up, tear_down),
      cmocka_unit_test_setup_teardown(gets, set_up, tear_down),
      cmocka_unit_test_setup_teardown(unreadable_answers, set_up, tear_down),
      cmocka_unit_test_setup_teardown(patches, set_up, tear_down),
      cmocka_unit_test_setup_teardown(patches_by_commit, set_up, tear_down),
      cmocka_unit_test_setup_teardown(creates_long_ids_by_commit, set_up, tear_down),
      cmocka_unit_test_setup_teardown(deletes, set_up, tear_down),
      cmocka_unit_test_setup_teardown(refuses_before_it_sends, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
