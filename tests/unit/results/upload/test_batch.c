/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "results/store/store.h"
#include "scratch.h"
#include "uploading.h"

static void test_reply_lost_after_commit(void **state) {
  uploading *s = *state;
  uploading_add(s, 0, 20, false);
  fake_firestore_break(s->firestore, 2, 503, true);
  psprobe_uploader *uploader = uploading_start(s);
  uploading_flush(uploader);
  uploading_expect(s, 20);
  uploading_stop(s);
}

static void test_change_after_upload_is_patched(void **state) {
  uploading *s = *state;
  char id[PSPROBE_ID_SIZE];
  psprobe_uploader *uploader = uploading_start(s);
  uploading_add(s, 0, 3, false);
  uploading_flush(uploader);
  uploading_add(s, 1, 1, true);
  assert_int_equal(uploading_backlog(s), 1);
  uploading_flush(uploader);
  uploading_expect(s, 3);
  scratch_id(id, 1);
  assert_int_equal(fake_firestore_patches(s->firestore, id), 1);
  assert_non_null(
      strstr(fake_firestore_get(s->firestore, id), "\"duplicates\":{\"integerValue\":\"9\"}"));
  scratch_id(id, 0);
  assert_int_equal(fake_firestore_patches(s->firestore, id), 0);
  uploading_stop(s);
}

/* First state written, reply lost, then the row changes: the document must get the new state. */
static void test_change_while_the_reply_is_lost(void **state) {
  uploading *s = *state;
  char id[PSPROBE_ID_SIZE];
  psprobe_error error = {0};
  uploading_add(s, 0, 1, false);
  fake_firestore_break(s->firestore, 1, 503, true);
  psprobe_uploader *uploader = uploading_start(s);
  while (fake_firestore_requests(s->firestore) == 0)
    psprobe_sleep_until(psprobe_clock_monotonic() + 1000000);
  uploading_stop(s); /* dies before it can try again */
  uploading_add(s, 0, 1, true);
  uploader = uploading_start(s);
  assert_int_equal(uploading_try(uploader, &error), PSPROBE_OK);
  uploading_expect(s, 1);
  scratch_id(id, 0);
  assert_int_equal(fake_firestore_patches(s->firestore, id), 1);
  assert_non_null(
      strstr(fake_firestore_get(s->firestore, id), "\"duplicates\":{\"integerValue\":\"9\"}"));
  uploading_stop(s);
}

/* A new state of row 0. */
static void change(uploading *s, uint32_t duplicates) {
  psprobe_finished changed = scratch_finished(0);
  changed.update = true;
  changed.result.answers[0].duplicates = duplicates;
  scratch_add(s->store, 1, &changed);
}

static void expect_duplicates(uploading *s, unsigned duplicates) {
  char id[PSPROBE_ID_SIZE], part[60];
  scratch_id(id, 0);
  snprintf(part, sizeof part, "\"duplicates\":{\"integerValue\":\"%u\"}", duplicates);
  assert_non_null(strstr(fake_firestore_get(s->firestore, id), part));
}

/* A row is there in its first state, and the second one's request has not arrived as its sender
 * dies; the third is in the file. */
static void lose_the_second_state(uploading *s) {
  uploading_add(s, 0, 1, false);
  psprobe_uploader *uploader = uploading_start(s);
  uploading_flush(uploader);
  unsigned requests = fake_firestore_requests(s->firestore);
  fake_firestore_lead_astray(s->firestore);
  change(s, 7);
  psprobe_uploader_wake(uploader);
  while (fake_firestore_requests(s->firestore) == requests)
    psprobe_sleep_until(psprobe_clock_monotonic() + 1000000);
  uploading_stop(s);
  change(s, 8);
}

static void test_a_late_write_changes_nothing(void **state) {
  uploading *s = *state;
  lose_the_second_state(s);
  uploading_flush(uploading_start(s));
  uploading_stop(s);
  expect_duplicates(s, 8);
  fake_firestore_return(s->firestore, false);
  expect_duplicates(s, 8);
  uploading_expect(s, 1);
}

/* What it changes between a look and the write that was held to it is looked at again. */
static void test_a_late_write_comes_first(void **state) {
  uploading *s = *state;
  lose_the_second_state(s);
  fake_firestore_return(s->firestore, true);
  uploading_flush(uploading_start(s));
  uploading_stop(s);
  expect_duplicates(s, 8);
  uploading_expect(s, 1);
}

/* A run's document, too, keeps its newest state. */
static void test_a_late_write_of_a_run(void **state) {
  uploading *s = *state;
  psprobe_uploader *uploader = uploading_start(s);
  uploading_flush(uploader);
  fake_firestore_lead_astray(s->firestore);
  assert_int_equal(psp_store_set_settings(s->store, s->run.id, "{\"n\":1}", NULL), PSPROBE_OK);
  psprobe_code code; /* on a busy machine a second try may be through before the first is told */
  do {
    code = psprobe_uploader_flush(uploader, UPLOADING_SECOND / 50, NULL);
  } while (code == PSPROBE_DEADLINE_EXCEEDED);
  assert_true(code == PSPROBE_UNAVAILABLE || code == PSPROBE_OK);
  uploading_stop(s);
  assert_int_equal(psprobe_store_end_run(s->store, s->run.id, 5, PSPROBE_ENDING_FINISHED, NULL),
                   PSPROBE_OK);
  uploading_flush(uploading_start(s));
  uploading_stop(s);
  fake_firestore_return(s->firestore, false);
  assert_non_null(strstr(fake_firestore_run(s->firestore, s->run.id), "\"finished\""));
}

/* Who may create and not read brings what is new; what has changed waits. */
static void test_a_prober_that_may_not_read(void **state) {
  uploading *s = *state;
  psprobe_error error = {0};
  uploading_add(s, 0, 3, false);
  psprobe_uploader *uploader = uploading_start(s);
  uploading_flush(uploader);
  fake_firestore_deny_readings(s->firestore, true);
  uploading_add(s, 0, 1, true);
  uploading_add(s, 3, 1, false);
  /* On a busy machine a flush may end before it is told. */
  for (int i = 0; i < 400 && (uploading_backlog(s) > 1 || error.code != PSPROBE_PERMISSION_DENIED);
       i++)
    psprobe_uploader_flush(uploader, UPLOADING_SECOND / 20, &error);
  assert_int_equal(fake_firestore_count(s->firestore), 4);
  assert_int_equal(uploading_backlog(s), 1);
  assert_int_equal(error.code, PSPROBE_PERMISSION_DENIED);
  fake_firestore_deny_readings(s->firestore, false);
  uploading_flush(uploader);
  uploading_expect(s, 4);
  uploading_stop(s);
}

static void test_deleted_document_comes_back_when_it_changes(void **state) {
  uploading *s = *state;
  char id[PSPROBE_ID_SIZE];
  psprobe_uploader *uploader = uploading_start(s);
  uploading_add(s, 0, 2, false);
  uploading_flush(uploader);
  scratch_id(id, 1);
  fake_firestore_delete(s->firestore, id);
  uploading_add(s, 1, 1, true);
  uploading_flush(uploader);
  assert_int_equal(fake_firestore_count(s->firestore), 2);
  assert_non_null(strstr(fake_firestore_get(s->firestore, id), "arbitrary_message_id"));
  assert_int_equal(uploading_backlog(s), 0);
  uploading_stop(s);
}

/* One that Firestore will never take holds up no others, refused by itself or with all. */
static void refused(uploading *s, bool whole) {
  char id[PSPROBE_ID_SIZE];
  psprobe_error error = {0};
  psprobe_uploader_stats stats;
  scratch_id(id, 13);
  fake_firestore_refuse(s->firestore, id, whole);
  uploading_add(s, 0, 50, false);
  psprobe_uploader *uploader = uploading_start(s);
  assert_int_equal(uploading_try(uploader, &error), PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "results not in Firestore: 1 (kept in "));
  assert_int_equal(fake_firestore_count(s->firestore), 49);
  psprobe_uploader_get_stats(uploader, &stats);
  assert_int_equal(stats.uploaded, 49);
  assert_int_equal(stats.refused, 1);
  assert_int_equal(stats.backlog, 1);
  assert_int_equal(uploading_count(s->log, "event=upload_refused"), 1);
  assert_int_equal(uploading_count(s->log, "\n"), 1);
  assert_non_null(strstr(s->log, id));
  unsigned requests = fake_firestore_requests(s->firestore);
  uploading_add(s, 50, 1, false);
  psprobe_uploader_flush(uploader, UPLOADING_PATIENCE, NULL);
  assert_int_equal(fake_firestore_requests(s->firestore), requests + 1); /* without the bad one */
  uploading_stop(s);
  fake_firestore_refuse(s->firestore, NULL, false);
  uploader = uploading_start(s); /* a later run offers it again */
  uploading_flush(uploader);
  uploading_stop(s);
  uploading_expect(s, 51);
}

static void test_refused_by_itself(void **state) {
  refused(*state, false);
}
static void test_refused_with_the_whole_batch(void **state) {
  refused(*state, true);
}

static void test_refused_and_then_changed(void **state) {
  uploading *s = *state;
  char id[PSPROBE_ID_SIZE];
  scratch_id(id, 0);
  fake_firestore_refuse(s->firestore, id, false);
  uploading_add(s, 0, 1, false);
  psprobe_uploader *uploader = uploading_start(s);
  assert_int_equal(psprobe_uploader_flush(uploader, UPLOADING_PATIENCE, NULL),
                   PSPROBE_INVALID_ARGUMENT);
  fake_firestore_refuse(s->firestore, NULL, false);
  uploading_add(s, 0, 1, true);
  uploading_flush(uploader);
  uploading_expect(s, 1);
  uploading_stop(s);
}

/* A proxy that answers everything with a page of its own is no word about any row. */
static void test_a_strangers_refusal_is_waited_out(void **state) {
  static const int statuses[] = {400, 413, 416};
  uploading *s = *state;
  psprobe_uploader_stats stats;
  psprobe_uploader *uploader = uploading_start(s);
  for (uint64_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
    fake_firestore_break(s->firestore, 12, statuses[i], false); /* down to one row, and on */
    uploading_add(s, i * 60, 60, false);
    uploading_flush(uploader);
    uploading_expect(s, (i + 1) * 60);
  }
  psprobe_uploader_get_stats(uploader, &stats);
  assert_int_equal(stats.refused, 0);
  uploading_stop(s);
  assert_int_equal(uploading_count(s->log, "event=upload_refused"), 0);
}

static void test_nonsense_is_tried_again(void **state) {
  static const char *const answers[] = {"",       "[]",
                                        "{}",     "{\"status\":[{},{}],\"writeResults\":[{},{}]}",
                                        "<html>", "{\"status\":[{},{},{}]}"};
  uploading *s = *state;
  fake_transport *fake = ((fake_client *)s->client)->fake;
  psprobe_uploader_stats stats;
  for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
    fake_reply(fake_expect(fake, "POST", "*:batchWrite"), 200, NULL, answers[i]);
  s->firestore = fake_firestore_new(fake, scratch_file(&s->folder, "documents"));
  uploading_add(s, 0, 2, false);
  psprobe_uploader *uploader = uploading_start(s);
  for (int i = 0; i < 200; i++) /* each cuts a wait short */
    if (psprobe_uploader_flush(uploader, UPLOADING_SECOND / 10, NULL) == PSPROBE_OK) break;
  psprobe_uploader_get_stats(uploader, &stats);
  assert_true(stats.failures >= 5);
  uploading_expect(s, 2);
  uploading_stop(s);
}

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      UPLOADING_TEST(test_reply_lost_after_commit),
      UPLOADING_TEST(test_change_after_upload_is_patched),
      UPLOADING_TEST(test_change_while_the_reply_is_lost),
      UPLOADING_TEST(test_a_late_write_changes_nothing),
      UPLOADING_TEST(test_a_late_write_comes_first),
      UPLOADING_TEST(test_a_late_write_of_a_run),
      UPLOADING_TEST(test_a_prober_that_may_not_read),
      UPLOADING_TEST(test_deleted_document_comes_back_when_it_changes),
      UPLOADING_TEST(test_refused_by_itself),
      UPLOADING_TEST(test_refused_with_the_whole_batch),
      UPLOADING_TEST(test_refused_and_then_changed),
      UPLOADING_TEST(test_a_strangers_refusal_is_waited_out),
      UPLOADING_TEST_BARE(test_nonsense_is_tried_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
