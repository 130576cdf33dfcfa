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

#define DOC(id)   "{\"name\":\"" NAME "c/" id "\",\"fields\":{\"n\":{\"integerValue\":\"1\"}}}"
#define FOUND(id) "{\"document\":" DOC(id) "}"
#define LATER     "{\"error\":{\"code\":503,\"message\":\"later\",\"status\":\"UNAVAILABLE\"}}"

static int set_up(void **state) {
  int status = fake_client_setup(state);
  fake_in_order(((fake_client *)*state)->fake);
  return status;
}

/* Notes the ids that come, and has enough after `most`. */
typedef struct seen {
  char ids[64];
  int count, most;
} seen;

static bool note(void *arg, const psprobe_document *document) {
  seen *s = arg;
  strcat(s->ids, strrchr(psprobe_document_name(document), '/') + 1);
  return ++s->count != s->most;
}

static fake_call *expect(fake_client *f, const char *method, const char *url, const char *answer) {
  fake_call *call = fake_expect(f->fake, method, url);
  fake_reply(call, 200, NULL, answer);
  return call;
}

static void lists_every_page(void **state) {
  fake_client *f = *state;
  seen s = {.most = 0};
  expect(f, "GET", ROOT "/c?pageSize=300",
         "{\"documents\":[" DOC("a") "," DOC("b") "],\"nextPageToken\":\"x+/=\"}");
  expect(f, "GET", ROOT "/c?pageSize=300&pageToken=x%2B%2F%3D",
         "{\"nextPageToken\":\"y\"}"); /* a page can be empty and not the last */
  expect(f, "GET", ROOT "/c?pageSize=300&pageToken=y",
         "{\"documents\":[" DOC("c") "],\"nextPageToken\":\"\"}");
  assert_int_equal(psprobe_document_list(f->client, "c", note, &s, NULL), PSPROBE_OK);
  assert_string_equal(s.ids, "abc");
  expect(f, "GET", ROOT "/c?pageSize=300", "{\n}\n");
  assert_int_equal(psprobe_document_list(f->client, "c", note, &s, NULL), PSPROBE_OK);
  assert_int_equal(s.count, 3);
}

static void listing_ends_when_told(void **state) {
  fake_client *f = *state;
  seen s = {.most = 2};
  expect(f, "GET", ROOT "/c?pageSize=300",
         "{\"documents\":[" DOC("a") "," DOC("b") "," DOC("c") "],\"nextPageToken\":\"x\"}");
  assert_int_equal(psprobe_document_list(f->client, "c", note, &s, NULL), PSPROBE_OK);
  assert_string_equal(s.ids, "ab");
}

static void listing_that_fails(void **state) {
  fake_client *f = *state;
  seen s = {.most = 0};
  psprobe_error error = {0};
  expect(f, "GET", ROOT "/c?pageSize=300",
         "{\"documents\":[" DOC("a") "],\"nextPageToken\":\"x\"}");
  fake_reply(fake_expect(f->fake, "GET", ROOT "/c?pageSize=300&pageToken=x"), 503, NULL,
             LATER); /* a read is tried again */
  expect(f, "GET", ROOT "/c?pageSize=300&pageToken=x",
         "{\"documents\":[" DOC("b") "],\"nextPageToken\":\"x\"}");
  assert_int_equal(psprobe_document_list(f->client, "c", note, &s, &error), PSPROBE_INTERNAL);
  assert_string_equal(error.message, "list collection c: the same page again");
  expect(f, "GET", ROOT "/c?pageSize=300", "{\"documents\":[" DOC("c") ",5]}");
  assert_int_equal(psprobe_document_list(f->client, "c", note, &s, &error), PSPROBE_INTERNAL);
  assert_string_equal(s.ids, "abc");
  static const char *const no_lists[] = {
      "[]", "5", "null", "\"\"", "{\"documents\":5}", "{\"documents\":{\"a\":" DOC("a") "}}"};
  for (size_t i = 0; i < sizeof no_lists / sizeof *no_lists; i++) {
    expect(f, "GET", ROOT "/c?pageSize=300", no_lists[i]);
    assert_int_equal(psprobe_document_list(f->client, "c", note, &s, &error), PSPROBE_INTERNAL);
  }
  assert_int_equal(s.count, 3);
  assert_int_equal(psprobe_document_list(f->client, "c/d", note, &s, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "list: collection path \"c/d\""));
}

static void body_has(fake_call *call, const char *part) {
  const char *body = fake_request(call, 0)->body;
  if (strstr(body, part) == NULL) fail_msg("%s without %s", body, part);
}

static void query_goes_on_after_the_last(void **state) {
  fake_client *f = *state;
  seen s = {.most = 0};
  psprobe_query query = {.collection = "c", .order_by = "n", .offset = 5, .page_size = 2};
  fake_call *first =
      expect(f, "POST", ROOT ":runQuery", "[" FOUND("a") ",{\"skippedResults\":5}," FOUND("b") "]");
  fake_call *second =
      expect(f, "POST", ROOT ":runQuery", "[" FOUND("c") "," FOUND("d") ",{\"done\":true}]");
  fake_call *third = expect(f, "POST", ROOT ":runQuery", "[" FOUND("e") "]");
  assert_int_equal(psprobe_query_run(f->client, &query, note, &s, NULL), PSPROBE_OK);
  assert_string_equal(s.ids, "abcde");
  body_has(first, "\"offset\":5,\"limit\":2");
  assert_null(strstr(fake_request(first, 0)->body, "startAt"));
  assert_null(strstr(fake_request(second, 0)->body, "offset"));
  body_has(second, "\"startAt\":{\"values\":[{\"integerValue\":\"1\"},{\"referenceValue\":\"" NAME
                   "c/b\"}],\"before\":false},\"limit\":2");
  body_has(third, NAME "c/d\"");
}

static void query_keeps_its_limit(void **state) {
  fake_client *f = *state;
  seen s = {.most = 0};
  psprobe_query query = {.collection = "a/b/c", .limit = 3, .page_size = 2};
  expect(f, "POST", ROOT "/a/b:runQuery", "[" FOUND("a") "," FOUND("b") "]");
  fake_call *last = expect(f, "POST", ROOT "/a/b:runQuery", "[" FOUND("c") "]");
  assert_int_equal(psprobe_query_run(f->client, &query, note, &s, NULL), PSPROBE_OK);
  assert_string_equal(s.ids, "abc");
  body_has(last, "\"limit\":1");
  /* A full last page is the end when the limit is: nothing more is asked. */
  query.limit = 2;
  expect(f, "POST", ROOT "/a/b:runQuery", "[" FOUND("d") "," FOUND("e") "]");
  assert_int_equal(psprobe_query_run(f->client, &query, note, &s, NULL), PSPROBE_OK);
  /* And nothing at all, by default 300 at a time. */
  query = (psprobe_query){.collection = "c"};
  fake_call *none = expect(f, "POST", ROOT ":runQuery", "[\n{\n  \"done\": true\n}\n]\n");
  assert_int_equal(psprobe_query_run(f->client, &query, note, &s, NULL), PSPROBE_OK);
  body_has(none, "\"limit\":300");
  assert_string_equal(s.ids, "abcde");
}

static void query_ends_when_told(void **state) {
  fake_client *f = *state;
  seen s = {.most = 1};
  psprobe_query query = {.collection = "c", .page_size = 2};
  expect(f, "POST", ROOT ":runQuery", "[" FOUND("a") "," FOUND("b") "]");
  assert_int_equal(psprobe_query_run(f->client, &query, note, &s, NULL), PSPROBE_OK);
  assert_string_equal(s.ids, "a");
}

/* An answer that finds no room is asked for in smaller pages, from where the last one ended. */
static void large_documents_come_in_smaller_pages(void **state) {
  fake_client *f = *state;
  seen s = {.most = 0};
  psprobe_error error = {0};
  psprobe_query query = {.collection = "c", .page_size = 4, .offset = 3};
  fake_fail(fake_expect(f->fake, "POST", ROOT ":runQuery"), PSPROBE_RESOURCE_EXHAUSTED, "large");
  fake_call *half = expect(f, "POST", ROOT ":runQuery", "[" FOUND("a") "," FOUND("b") "]");
  fake_fail(fake_expect(f->fake, "POST", ROOT ":runQuery"), PSPROBE_RESOURCE_EXHAUSTED, "large");
  fake_call *one_by_one = expect(f, "POST", ROOT ":runQuery", "[" FOUND("c") "]");
  expect(f, "POST", ROOT ":runQuery", "[]");
  assert_int_equal(psprobe_query_run(f->client, &query, note, &s, NULL), PSPROBE_OK);
  body_has(half, "\"offset\":3,\"limit\":2");
  body_has(one_by_one, "c/b\"}],\"before\":false},\"limit\":1");
  query.page_size = 1;
  fake_fail(fake_expect(f->fake, "POST", ROOT ":runQuery"), PSPROBE_RESOURCE_EXHAUSTED, "large");
  assert_int_equal(psprobe_query_run(f->client, &query, note, &s, &error),
                   PSPROBE_RESOURCE_EXHAUSTED);
  fake_fail(fake_expect(f->fake, "GET", ROOT "/c?pageSize=300"), PSPROBE_RESOURCE_EXHAUSTED,
            "large");
  expect(f, "GET", ROOT "/c?pageSize=150",
         "{\"documents\":[" DOC("d") "],\"nextPageToken\":\"x\"}");
  expect(f, "GET", ROOT "/c?pageSize=150&pageToken=x", "{\"documents\":[" DOC("e") "]}");
  assert_int_equal(psprobe_document_list(f->client, "c", note, &s, NULL), PSPROBE_OK);
  assert_string_equal(s.ids, "abcde");
}

static void query_that_fails(void **state) {
  fake_client *f = *state;
  seen s = {.most = 0};
  psprobe_query query = {.collection = "c", .page_size = 2};
  psprobe_error error = {0};
  expect(f, "POST", ROOT ":runQuery", "[" FOUND("a") "," LATER "]");
  assert_int_equal(psprobe_query_run(f->client, &query, note, &s, &error), PSPROBE_UNAVAILABLE);
  assert_string_equal(error.message, "query of collection c: UNAVAILABLE (HTTP 503): later");
  assert_true(error.retryable);
  fake_reply(fake_expect(f->fake, "POST", ROOT ":runQuery"), 400, NULL,
             "[{\"error\":{\"code\":400,\"message\":\"make an index\","
             "\"status\":\"FAILED_PRECONDITION\"}}]");
  assert_int_equal(psprobe_query_run(f->client, &query, note, &s, &error),
                   PSPROBE_FAILED_PRECONDITION);
  assert_non_null(strstr(error.message, "make an index"));
  expect(f, "POST", ROOT ":runQuery", "[" FOUND("b") ",5]");
  assert_int_equal(psprobe_query_run(f->client, &query, note, &s, &error), PSPROBE_INTERNAL);
  assert_string_equal(s.ids, "ab");
  query.limit = -1;
  assert_int_equal(psprobe_query_run(f->client, &query, note, &s, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_string_equal(error.message, "query: a negative limit");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(lists_every_page, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(listing_ends_when_told, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(listing_that_fails, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(query_goes_on_after_the_last, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(query_keeps_its_limit, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(query_ends_when_told, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(large_documents_come_in_smaller_pages, set_up,
                                      fake_client_teardown),
      cmocka_unit_test_setup_teardown(query_that_fails, set_up, fake_client_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
