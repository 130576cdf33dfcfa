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
  assert_int_equal(
      psprobe_document_list(f->client, &(psprobe_listing){.collection = "c"}, note, &s, NULL),
      PSPROBE_OK);
  assert_string_equal(s.ids, "abc");
  expect(f, "GET", ROOT "/c?pageSize=300", "{\n}\n");
  assert_int_equal(
      psprobe_document_list(f->client, &(psprobe_listing){.collection = "c"}, note, &s, NULL),
      PSPROBE_OK);
  assert_int_equal(s.count, 3);
}

static void listing_ends_when_told(void **state) {
  fake_client *f = *state;
  seen s = {.most = 2};
  expect(f, "GET", ROOT "/c?pageSize=300",
         "{\"documents\":[" DOC("a") "," DOC("b") "," DOC("c") "],\"nextPageToken\":\"x\"}");
  assert_int_equal(
      psprobe_document_list(f->client, &(psprobe_listing){.collection = "c"}, note, &s, NULL),
      PSPROBE_OK);
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
  assert_int_equal(
      psprobe_document_list(f->client, &(psprobe_listing){.collection = "c"}, note, &s, &error),
      PSPROBE_INTERNAL);
  assert_string_equal(error.message, "list collection c: the same page again");
  expect(f, "GET", ROOT "/c?pageSize=300", "{\"documents\":[" DOC("c") ",5]}");
  assert_int_equal(
      psprobe_document_list(f->client, &(psprobe_listing){.collection = "c"}, note, &s, &error),
      PSPROBE_INTERNAL);
  assert_string_equal(s.ids, "abc");
  static const char *const no_lists[] = {
      "[]", "5", "null", "\"\"", "{\"documents\":5}", "{\"documents\":{\"a\":" DOC("a") "}}"};
  for (size_t i = 0; i < sizeof no_lists / sizeof *no_lists; i++) {
    expect(f, "GET", ROOT "/c?pageSize=300", no_lists[i]);
    assert_int_equal(
        psprobe_document_list(f->client, &(psprobe_listing){.collection = "c"}, note, &s, &error),
        PSPROBE_INTERNAL);
  }
  assert_int_equal(s.count, 3);
  assert_int_equal(
      psprobe_document_list(f->client, &(psprobe_listing){.collection = "c/d"}, note, &s, &error),
      PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "list: collection path \"c/d\""));
}

static void body_has(fake_call *call, const char *part) {
  const char *body = fake_request(call, 0)->body;
  if (strstr(body, part) == NULL) fail_msg("%s without %s", body, part);
}

#define BROKEN "{\"error\":{\"code\":503,\"message\":\"later\",\"status\":\"UNAVAILABLE\"}}"

/* A stream that breaks is asked for again, from its last document on. */
static void query_goes_on_after_the_last(void **state) {
  fake_client *f = *state;
  seen s = {.most = 0};
  psprobe_order by_n = {.field = "n"};
  psprobe_query query = {
      .collection = "c", .orders = &by_n, .order_count = 1, .offset = 5, .limit = 6};
  fake_call *first = expect(f, "POST", ROOT ":runQuery",
                            "[" FOUND("a") ",{\"skippedResults\":5}," FOUND("b") "," BROKEN "]");
  fake_call *second =
      expect(f, "POST", ROOT ":runQuery", "[" FOUND("c") "," FOUND("d") "," BROKEN "]");
  fake_call *third = expect(f, "POST", ROOT ":runQuery", "[" FOUND("e") ",{\"done\":true}]");
  assert_int_equal(psprobe_query_run(f->client, &query, note, &s, NULL), PSPROBE_OK);
  assert_string_equal(s.ids, "abcde");
  body_has(first, "\"offset\":5,\"limit\":6");
  assert_null(strstr(fake_request(first, 0)->body, "startAt"));
  assert_null(strstr(fake_request(second, 0)->body, "offset"));
  body_has(second, "\"startAt\":{\"values\":[{\"integerValue\":\"1\"},{\"referenceValue\":\"" NAME
                   "c/b\"}],\"before\":false},\"limit\":4");
  body_has(third, NAME "c/d\"");
}

/* Where the mask hides the place, the break is told as it was. */
static void query_of_hidden_fields_breaks(void **state) {
  fake_client *f = *state;
  seen s = {.most = 0};
  psprobe_error error = {0};
  psprobe_order by_x = {.field = "x"};
  psprobe_query query = {.collection = "c", .orders = &by_x, .order_count = 1};
  expect(f, "POST", ROOT ":runQuery", "[" FOUND("a") "," BROKEN "]");
  assert_int_equal(psprobe_query_run(f->client, &query, note, &s, &error), PSPROBE_UNAVAILABLE);
  assert_string_equal(error.message, "query of collection c: UNAVAILABLE (HTTP 503): later");
}

static void query_keeps_its_limit(void **state) {
  fake_client *f = *state;
  seen s = {.most = 0};
  psprobe_query query = {.collection = "a/b/c", .limit = 2};
  fake_call *two =
      expect(f, "POST", ROOT "/a/b:runQuery", "[" FOUND("a") "," FOUND("b") "," FOUND("x") "]");
  assert_int_equal(psprobe_query_run(f->client, &query, note, &s, NULL), PSPROBE_OK);
  body_has(two, "\"limit\":2");
  query = (psprobe_query){.collection = "c"};
  fake_call *none = expect(f, "POST", ROOT ":runQuery", "[\n{\n  \"done\": true\n}\n]\n");
  assert_int_equal(psprobe_query_run(f->client, &query, note, &s, NULL), PSPROBE_OK);
  assert_null(strstr(fake_request(none, 0)->body, "limit"));
  assert_string_equal(s.ids, "ab");
}

static void query_ends_when_told(void **state) {
  fake_client *f = *state;
  seen s = {.most = 1};
  psprobe_query query = {.collection = "c"};
  expect(f, "POST", ROOT ":runQuery", "[" FOUND("a") "," FOUND("b") "]");
  assert_int_equal(psprobe_query_run(f->client, &query, note, &s, NULL), PSPROBE_OK);
  assert_string_equal(s.ids, "a");
}

/* A listing that finds no room is asked for in smaller pages. */
static void large_documents_come_in_smaller_pages(void **state) {
  fake_client *f = *state;
  seen s = {.most = 0};
  fake_fail(fake_expect(f->fake, "GET", ROOT "/c?pageSize=300"), PSPROBE_RESOURCE_EXHAUSTED,
            "large");
  expect(f, "GET", ROOT "/c?pageSize=150",
         "{\"documents\":[" DOC("d") "],\"nextPageToken\":\"x\"}");
  expect(f, "GET", ROOT "/c?pageSize=150&pageToken=x", "{\"documents\":[" DOC("e") "]}");
  assert_int_equal(
      psprobe_document_list(f->client, &(psprobe_listing){.collection = "c"}, note, &s, NULL),
      PSPROBE_OK);
  assert_string_equal(s.ids, "de");
}

/* In an order it is a query; by name it has pages. */
static void lists_in_an_order(void **state) {
  fake_client *f = *state;
  seen s = {.most = 0};
  static const char *const mask[] = {"a", "`b-c`"};
  psprobe_order by_n = {.field = "n", .descending = true};
  psprobe_listing listing = {.collection = "c", .mask = mask, .mask_count = 2, .page_size = 7};
  expect(f, "GET", ROOT "/c?pageSize=7&mask.fieldPaths=a&mask.fieldPaths=%60b-c%60", "{}");
  assert_int_equal(psprobe_document_list(f->client, &listing, note, &s, NULL), PSPROBE_OK);
  listing.orders = &by_n;
  listing.order_count = 1;
  fake_call *query = expect(f, "POST", ROOT ":runQuery", "[" FOUND("b") "]");
  assert_int_equal(psprobe_document_list(f->client, &listing, note, &s, NULL), PSPROBE_OK);
  body_has(query, "{\"field\":{\"fieldPath\":\"n\"},\"direction\":\"DESCENDING\"}");
  body_has(query, "{\"fieldPath\":\"`b-c`\"}");
  expect(f, "GET", ROOT "/c?pageSize=300&showMissing=true", "{\"documents\":[" DOC("a") "]}");
  listing = (psprobe_listing){.collection = "c", .show_missing = true};
  assert_int_equal(psprobe_document_list(f->client, &listing, note, &s, NULL), PSPROBE_OK);
  assert_string_equal(s.ids, "ba");
  listing.orders = &by_n;
  listing.order_count = 1;
  assert_int_equal(psprobe_document_list(f->client, &listing, note, &s, NULL),
                   PSPROBE_INVALID_ARGUMENT);
}

static bool spell_id(void *arg, const char *id) {
  strcat(strcat(arg, id), " ");
  return strcmp(id, "last") != 0;
}

static void lists_collections(void **state) {
  fake_client *f = *state;
  char ids[64] = "";
  fake_call *first = expect(f, "POST", ROOT ":listCollectionIds",
                            "{\"collectionIds\":[\"a\",\"b\"],\"nextPageToken\":\"t\"}");
  fake_call *second =
      expect(f, "POST", ROOT ":listCollectionIds", "{\"collectionIds\":[\"last\",\"c\"]}");
  assert_int_equal(psprobe_collection_list(f->client, NULL, spell_id, ids, NULL), PSPROBE_OK);
  assert_string_equal(ids, "a b last ");
  body_has(first, "{\"pageSize\":300}");
  body_has(second, "{\"pageSize\":300,\"pageToken\":\"t\"}");
  expect(f, "POST", ROOT "/c/d:listCollectionIds", "{}");
  assert_int_equal(psprobe_collection_list(f->client, "c/d", spell_id, ids, NULL), PSPROBE_OK);
  expect(f, "POST", ROOT "/c/d:listCollectionIds", "{\"collectionIds\":[5]}");
  assert_int_equal(psprobe_collection_list(f->client, "c/d", spell_id, ids, NULL),
                   PSPROBE_INTERNAL);
  assert_int_equal(psprobe_collection_list(f->client, "c", spell_id, ids, NULL),
                   PSPROBE_INVALID_ARGUMENT);
}

static void query_that_fails(void **state) {
  fake_client *f = *state;
  seen s = {.most = 0};
  psprobe_query query = {.collection = "c"};
  psprobe_error error = {0};
  expect(f, "POST", ROOT ":runQuery", "[" LATER "]"); /* nothing came: nothing is gone on with */
  assert_int_equal(psprobe_query_run(f->client, &query, note, &s, &error), PSPROBE_UNAVAILABLE);
  assert_string_equal(error.message, "query of collection c: UNAVAILABLE (HTTP 503): later");
  assert_true(error.retryable);
  fake_reply(fake_expect(f->fake, "POST", ROOT ":runQuery"), 400, NULL,
             "[{\"error\":{\"code\":400,\"message\":\"make an index\","
             "\"status\":\"FAILED_PRECONDITION\"}}]");
  assert_int_equal(psprobe_query_run(f->client, &query, note, &s, &error),
                   PSPROBE_FAILED_PRECONDITION);
  assert_non_null(strstr(error.message, "make an index"));
  static const char *const broken[] = {"[" FOUND("b") ",5]", "[" FOUND("b"), "<html>", ""};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    expect(f, "POST", ROOT ":runQuery", broken[i]);
    assert_int_equal(psprobe_query_run(f->client, &query, note, &s, &error), PSPROBE_INTERNAL);
  }
  assert_string_equal(s.ids, "bb");
  query.limit = -1;
  assert_int_equal(psprobe_query_run(f->client, &query, note, &s, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_string_equal(error.message, "query of collection c: a limit is 0 to 2147483647");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(lists_every_page, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(listing_ends_when_told, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(listing_that_fails, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(query_goes_on_after_the_last, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(query_of_hidden_fields_breaks, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(lists_in_an_order, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(lists_collections, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(query_keeps_its_limit, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(query_ends_when_told, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(large_documents_come_in_smaller_pages, set_up,
                                      fake_client_teardown),
      cmocka_unit_test_setup_teardown(query_that_fails, set_up, fake_client_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
