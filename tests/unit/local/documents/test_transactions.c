/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "local/documents/transactions.h"
#include "os/clock.h"
#include "values.h"

#define ROOT "projects/p/databases/d/documents"

typedef struct lab {
  psp_documents *documents;
  psp_transactions *transactions;
} lab;

static int set_up(void **state) {
  static lab l;
  l.transactions = psp_transactions_new();
  *state = &l;
  return l.transactions == NULL || psp_documents_new(NULL, &l.documents, NULL) != PSPROBE_OK;
}

static int tear_down(void **state) {
  lab *l = *state;
  psp_documents_free(l->documents);
  psp_transactions_free(l->transactions);
  return 0;
}

static void put(lab *l, const char *id, const char *fields) {
  psp_buf name = {0};
  psprobe_value *map = test_value(fields);
  psprobe_error error = {0};
  psp_buf_printf(&name, ROOT "/c/%s", id);
  psp_documents_begin(l->documents);
  int64_t now = psp_documents_now(l->documents);
  psp_stored_document document = {name.data, map, now, now};
  test_ok(psp_documents_put(l->documents, &document, &error), &error);
  test_ok(psp_documents_end(l->documents, true, &error), &error);
  psprobe_value_free(map);
  psp_buf_free(&name);
}

static void drop(lab *l, const char *name) {
  psprobe_error error = {0};
  psp_documents_begin(l->documents);
  test_ok(psp_documents_remove(l->documents, name, &error), &error);
  test_ok(psp_documents_end(l->documents, true, &error), &error);
}

static psp_transaction *open_one(lab *l) {
  psp_buf id = {0};
  psp_transaction *t = psp_transactions_open(l->transactions, false, 0, &id);
  assert_non_null(t);
  psp_buf_free(&id);
  return t;
}

/* Reads a document as a transaction does. */
static void read_one(lab *l, psp_transaction *t, const char *name) {
  psp_stored_document document = {0};
  psp_documents_begin(l->documents);
  psp_documents_get(l->documents, name, &document, NULL);
  assert_true(psp_transaction_note(t, name, document.update_us));
  psp_documents_end(l->documents, true, NULL);
  psp_stored_document_free(&document);
}

/* Those of `c` whose n is less than 10. */
static void read_query(lab *l, psp_transaction *t) {
  static const char text[] =
      "{\"from\":[{\"collectionId\":\"c\"}],\"where\":{\"fieldFilter\":{\"field\":{\"fieldPath\":"
      "\"n\"},\"op\":\"LESS_THAN\",\"value\":{\"integerValue\":\"10\"}}}}";
  psp_json *json = NULL;
  psp_local_query query;
  psp_query_found found = {0};
  psprobe_error error = {0};
  test_ok(psp_json_parse(text, sizeof text - 1, "query", &json, &error), &error);
  test_ok(psp_local_query_read(json, &query, &error), &error);
  psp_documents_begin(l->documents);
  test_ok(psp_local_query_run(l->documents, ROOT, &query, &found, &error), &error);
  assert_true(psp_transaction_note_query(t, ROOT, &query, &found));
  psp_documents_end(l->documents, true, NULL);
  assert_null(query.where); /* taken */
  psp_query_found_free(&found);
  psp_json_free(json);
}

static psprobe_code check(lab *l, const psp_transaction *t) {
  psprobe_error error = {0};
  psp_documents_begin(l->documents);
  psprobe_code code = psp_transaction_check(t, l->documents, &error);
  psp_documents_end(l->documents, true, NULL);
  if (code != PSPROBE_OK) assert_string_equal(error.message, "Transaction lock timeout.");
  return code;
}

#define N(n) "{\"mapValue\":{\"fields\":{\"n\":{\"integerValue\":\"" n "\"}}}}"

/* A change of what was read, its end, and what came where nothing was; nothing else. */
static void a_document_that_changed_aborts(void **state) {
  lab *l = *state;
  put(l, "a", N("1"));
  put(l, "b", N("1"));
  psp_transaction *t = open_one(l), *u = open_one(l), *v = open_one(l);
  read_one(l, t, ROOT "/c/a");
  read_one(l, u, ROOT "/c/b");
  read_one(l, v, ROOT "/c/new");
  put(l, "other", N("1"));
  assert_int_equal(check(l, t), PSPROBE_OK);
  put(l, "a", N("2"));
  assert_int_equal(check(l, t), PSPROBE_ABORTED);
  assert_int_equal(check(l, u), PSPROBE_OK);
  drop(l, ROOT "/c/b");
  assert_int_equal(check(l, u), PSPROBE_ABORTED);
  assert_int_equal(check(l, v), PSPROBE_OK);
  put(l, "new", N("1"));
  assert_int_equal(check(l, v), PSPROBE_ABORTED);
}

/* What a query would find besides counts as a change; what it would not find does not. */
static void a_phantom_aborts(void **state) {
  lab *l = *state;
  put(l, "a", N("1"));
  put(l, "far", N("20"));
  psp_transaction *t = open_one(l), *u = open_one(l);
  read_query(l, t);
  put(l, "far", N("30"));
  put(l, "farther", N("40"));
  assert_int_equal(check(l, t), PSPROBE_OK);
  put(l, "b", N("2"));
  assert_int_equal(check(l, t), PSPROBE_ABORTED);
  read_query(l, u);
  put(l, "a", N("11"));
  assert_int_equal(check(l, u), PSPROBE_ABORTED);
}

static psprobe_code find(lab *l, const psp_buf *id, int64_t now_ns) {
  psp_transaction *found = NULL;
  return psp_transactions_find(l->transactions, id, now_ns, &found, NULL);
}

/* 60 s alone, or 270 s in all. */
static void time_ends_it(void **state) {
  lab *l = *state;
  psp_buf idle = {0}, busy = {0};
  psp_transactions_open(l->transactions, false, 0, &idle);
  psp_transactions_open(l->transactions, true, 0, &busy);
  for (int64_t s = 50; s <= 250; s += 50)
    assert_int_equal(find(l, &busy, s * PSP_SECOND_NS), PSPROBE_OK);
  assert_int_equal(find(l, &busy, 271 * PSP_SECOND_NS), PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(find(l, &idle, 61 * PSP_SECOND_NS), PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psp_transactions_known(l->transactions, &idle, NULL), PSPROBE_OK);
  psp_buf_free(&idle);
  psp_buf_free(&busy);
}

/* One that was never given is told from one that is over. */
static void ids_are_known(void **state) {
  lab *l = *state;
  static const char *const others[] = {"", "x", "\x11\xff\xff\xff\xff\xff\xff\xff\x7f",
                                       "\x12zzzzzzzz"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    psp_buf id = {0};
    psprobe_error error = {0};
    psp_buf_text(&id, others[i]);
    assert_int_equal(psp_transactions_known(l->transactions, &id, &error),
                     PSPROBE_INVALID_ARGUMENT);
    assert_string_equal(error.message, "Invalid transaction.");
    psp_buf_free(&id);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_document_that_changed_aborts, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_phantom_aborts, set_up, tear_down),
      cmocka_unit_test_setup_teardown(time_ends_it, set_up, tear_down),
      cmocka_unit_test_setup_teardown(ids_are_known, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
