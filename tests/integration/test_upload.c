/* SPDX-License-Identifier: MIT */
/** @file
 * The upload of results, against Google's Firestore emulator or the stand-in
 * (support/servers/target.h): what the unit tests take for granted of the service, tried on one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/results.h>

#include "scratch.h"
#include "target.h"
#include "values.h"

#define PATIENCE INT64_C(30000000000)

static psprobe_client *client;

static void add(psprobe_store *store, uint64_t from, size_t count, bool update) {
  psprobe_run run = scratch_run(1);
  psprobe_finished *batch = calloc(count, sizeof *batch);
  for (size_t i = 0; i < count; i++) {
    batch[i] = scratch_finished(from + i);
    batch[i].update = update;
    for (int k = 0; k < 2; k++) /* whole microseconds, which is what the service keeps */
      batch[i].result.answers[k].elapsed_ns = 50000000 + (int64_t)(from + i) * 1000;
    if (update) batch[i].result.answers[1].duplicates = 3;
  }
  assert_int_equal(psprobe_store_add(store, run.id, batch, count, NULL), PSPROBE_OK);
  free(batch);
}

static psprobe_store *store_with_run(void **state, const char *name) {
  psprobe_store *store = scratch_store(scratch_file(state, name), false);
  psprobe_run run = scratch_run(1);
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  return store;
}

static void upload(psprobe_store *store, const char *collection) {
  psprobe_uploader_options options = {.collection = collection};
  psprobe_uploader *uploader = NULL;
  psprobe_error error = {0};
  assert_int_equal(psprobe_uploader_new(store, client, &options, &uploader, &error), PSPROBE_OK);
  if (psprobe_uploader_flush(uploader, PATIENCE, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  psprobe_uploader_stats stats;
  psprobe_uploader_get_stats(uploader, &stats);
  assert_int_equal(stats.backlog, 0);
  assert_int_equal(stats.refused, 0);
  psprobe_uploader_free(uploader);
}

typedef struct expected {
  psprobe_row rows[300];
  psprobe_run run;
  size_t count;
} expected;

static bool keep_row(void *arg, const psprobe_row *row) {
  expected *all = arg;
  assert_true(row->uploaded);
  all->rows[all->count] = *row;
  all->rows[all->count++].run = &all->run;
  return true;
}

/* Every document is there and is what its row says, to the microsecond. */
static void compare(psprobe_store *store, const char *collection, size_t count) {
  expected *all = calloc(1, sizeof *all);
  all->run = scratch_run(1);
  assert_int_equal(psprobe_store_each(store, NULL, keep_row, all, NULL), PSPROBE_OK);
  assert_int_equal(all->count, count);
  for (size_t i = 0; i < all->count; i++) {
    char path[200];
    psprobe_document *document = NULL;
    psprobe_error error = {0};
    snprintf(path, sizeof path, "%s/%s", collection, all->rows[i].result.id);
    if (psprobe_document_get(client, path, NULL, &document, &error) != PSPROBE_OK)
      fail_msg("%s", error.message);
    int64_t saved = all->rows[i].saved_wall_ns;
    psprobe_timestamp cut = {saved / 1000000000, (int32_t)(saved % 1000000000 / 1000 * 1000)};
    psprobe_value *want = psprobe_result_document(&all->rows[i]);
    psprobe_value_set(want, "saved_at", psprobe_value_timestamp(cut));
    char *is = test_value_json(psprobe_document_fields(document));
    if (!psprobe_value_equal(psprobe_document_fields(document), want))
      fail_msg("%s is %s", path, is);
    free(is);
    psprobe_value_free(want);
    psprobe_document_free(document);
  }
  free(all);
}

static void documents_are_what_the_rows_say(void **state) {
  psprobe_store *store = store_with_run(state, "r.db");
  add(store, 0, 250, false); /* two batches */
  upload(store, "upload_all");
  compare(store, "upload_all", 250);
  add(store, 100, 20, true); /* late answers: patched */
  add(store, 250, 5, false);
  upload(store, "upload_all");
  compare(store, "upload_all", 255);
  psprobe_store_free(store);
}

/* Another file with the same probes stands for one whose marks were lost: ALREADY_EXISTS is told
 * for each by itself, and is success; and a row that has changed meanwhile is patched. */
static void a_second_create_is_success(void **state) {
  psprobe_store *first = store_with_run(state, "first.db");
  psprobe_store *second = store_with_run(state, "second.db");
  add(first, 0, 10, false);
  upload(first, "upload_twice");
  add(second, 0, 12, false);
  add(second, 3, 2, true);
  upload(second, "upload_twice");
  expected *all = calloc(1, sizeof *all);
  all->run = scratch_run(1);
  assert_int_equal(psprobe_store_each(second, NULL, keep_row, all, NULL), PSPROBE_OK);
  assert_int_equal(all->count, 12);
  for (size_t i = 0; i < all->count; i++) {
    char path[200];
    int64_t duplicates = -1;
    psprobe_document *document = NULL;
    snprintf(path, sizeof path, "upload_twice/%s", all->rows[i].result.id);
    assert_int_equal(psprobe_document_get(client, path, NULL, &document, NULL), PSPROBE_OK);
    const psprobe_value *sources = psprobe_value_find(psprobe_document_fields(document), "sources");
    psprobe_value_get_integer(
        psprobe_value_find(psprobe_value_find(sources, "regular_service"), "duplicates"),
        &duplicates);
    assert_int_equal(duplicates, all->rows[i].result.answers[1].duplicates);
    psprobe_document_free(document);
  }
  assert_int_equal(all->count, 12);
  free(all);
  psprobe_store_free(first);
  psprobe_store_free(second);
}

/* Patched in vain, the document is made anew, whole. */
static void a_deleted_one_comes_back(void **state) {
  psprobe_store *store = store_with_run(state, "r.db");
  char path[200], id[PSPROBE_ID_SIZE];
  add(store, 0, 3, false);
  upload(store, "upload_deleted");
  scratch_id(id, 1);
  snprintf(path, sizeof path, "upload_deleted/%s", id);
  assert_int_equal(psprobe_document_delete(client, path, NULL, NULL), PSPROBE_OK);
  add(store, 1, 1, true);
  upload(store, "upload_deleted");
  compare(store, "upload_deleted", 3);
  psprobe_store_free(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(documents_are_what_the_rows_say),
      TEST(a_second_create_is_success),
      TEST(a_deleted_one_comes_back),
  };
  client = test_target_client(TEST_FIRESTORE);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  psprobe_client_free(client);
  return failed;
}
