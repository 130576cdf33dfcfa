/* SPDX-License-Identifier: MIT */
/** @file Documents in a file: kept over a restart, and never another's file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "local/documents/store.h"
#include "scratch.h"

#define DOC "projects/p/databases/d/documents/c/x"

static psp_documents *open_file(const char *path) {
  psp_documents *documents;
  psprobe_error error;
  if (psp_documents_new(path, &documents, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  return documents;
}

static void put(psp_documents *documents, const char *name) {
  psp_stored_document document = {.name = (char *)(uintptr_t)name, .fields = psprobe_value_map()};
  assert_int_equal(psp_documents_put(documents, &document, NULL), PSPROBE_OK);
  psprobe_value_free(document.fields);
}

static psprobe_code get(psp_documents *documents, const char *name) {
  psp_stored_document document;
  psprobe_code code = psp_documents_get(documents, name, &document, NULL);
  psp_stored_document_free(&document);
  return code;
}

static void test_kept(void **state) {
  const char *path = scratch_file(state, "documents.db");
  psp_documents *documents = open_file(path);
  psp_documents_begin(documents);
  put(documents, DOC);
  assert_int_equal(psp_documents_end(documents, true, NULL), PSPROBE_OK);
  psp_documents_begin(documents);
  put(documents, DOC "2");
  assert_int_equal(psp_documents_end(documents, false, NULL), PSPROBE_OK);
  psp_documents_free(documents);
  documents = open_file(path);
  psp_documents_begin(documents);
  assert_int_equal(get(documents, DOC), PSPROBE_OK);
  assert_int_equal(get(documents, DOC "2"), PSPROBE_NOT_FOUND);
  psp_documents_end(documents, true, NULL);
  psp_documents_free(documents);
}

static void test_wiped(void **state) {
  (void)state;
  psp_documents *documents = open_file(NULL);
  psp_documents_begin(documents);
  put(documents, DOC);
  put(documents, DOC "/sub/y");
  put(documents, "projects/p/databases/d2/documents/c/x");
  assert_int_equal(psp_documents_wipe(documents, "projects/p/databases/d/documents", NULL),
                   PSPROBE_OK);
  assert_int_equal(get(documents, DOC), PSPROBE_NOT_FOUND);
  assert_int_equal(get(documents, DOC "/sub/y"), PSPROBE_NOT_FOUND);
  assert_int_equal(get(documents, "projects/p/databases/d2/documents/c/x"), PSPROBE_OK);
  psp_documents_end(documents, true, NULL);
  psp_documents_free(documents);
}

static void test_versions_grow(void **state) {
  (void)state;
  psp_documents *documents = open_file(NULL);
  psp_documents_begin(documents);
  int64_t last = psp_documents_now(documents);
  for (int i = 0; i < 1000; i++) {
    int64_t next = psp_documents_now(documents);
    assert_true(next > last);
    last = next;
  }
  psp_documents_end(documents, true, NULL);
  psp_documents_free(documents);
}

static void refused(const char *path, psprobe_code code, const char *why) {
  psp_documents *documents;
  psprobe_error error = {0};
  assert_int_equal(psp_documents_new(path, &documents, &error), code);
  if (strstr(error.message, why) == NULL) fail_msg("%s", error.message);
  assert_non_null(strstr(error.message, path));
}

static void test_other_files(void **state) {
  const char *text = scratch_file(state, "text");
  FILE *file = fopen(text, "w");
  for (int i = 0; i < 100; i++)
    fputs("this is a text of somebody's, which must stay as it is\n", file);
  fclose(file);
  refused(text, PSPROBE_FAILED_PRECONDITION, "not a database");
  const char *other = scratch_file(state, "results.db");
  psprobe_store *store = scratch_store(other, false);
  psprobe_store_free(store);
  refused(other, PSPROBE_FAILED_PRECONDITION, "a database of something else");
  refused("/nowhere/at/all.db", PSPROBE_NOT_FOUND,
          "unable to open database file (No such file or directory)");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_kept, scratch_setup, scratch_teardown),
      cmocka_unit_test(test_wiped),
      cmocka_unit_test(test_versions_grow),
      cmocka_unit_test_setup_teardown(test_other_files, scratch_setup, scratch_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
