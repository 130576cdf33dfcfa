/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_client.h"
#include "fake_firestore.h"
#include "scratch.h"

#define SECOND INT64_C(1000000000)
/* For what succeeds long before; a test that waits so long has failed. */
#define PATIENCE (20 * SECOND)

typedef struct setting {
  void *folder;
  void *client;
  fake_firestore *firestore;
  psprobe_store *store;
  psprobe_uploader *uploader; /* the one that runs */
  psprobe_run run;
  psprobe_logger logger;
  char log[8000];
} setting;

static void keep_line(void *arg, psprobe_log_level level, const char *line) {
  setting *s = arg;
  (void)level;
  strncat(s->log, line, sizeof s->log - strlen(s->log) - 2);
  strcat(s->log, "\n");
}

static int setup_bare(void **state) {
  setting *s = calloc(1, sizeof *s);
  if (s == NULL || scratch_setup(&s->folder) != 0 || fake_client_setup(&s->client) != 0) return -1;
  s->logger = (psprobe_logger){.sink = keep_line, .arg = s, .level = PSPROBE_LOG_DEBUG};
  s->store = scratch_store(scratch_file(&s->folder, "r.db"), false);
  s->run = scratch_run(1);
  *state = s;
  return psprobe_store_begin_run(s->store, &s->run, NULL);
}

static int setup(void **state) {
  if (setup_bare(state) != 0) return -1;
  setting *s = *state;
  s->firestore =
      fake_firestore_new(((fake_client *)s->client)->fake, scratch_file(&s->folder, "documents"));
  return 0;
}

static int teardown(void **state) {
  setting *s = *state;
  psprobe_uploader_free(s->uploader);
  psprobe_store_free(s->store);
  fake_client_teardown(&s->client);
  if (s->firestore != NULL) fake_firestore_free(s->firestore);
  int result = scratch_teardown(&s->folder);
  free(s);
  return result;
}

static psprobe_uploader *start(setting *s) {
  psprobe_error error = {0};
  psprobe_uploader_options options = {.logger = &s->logger};
  if (psprobe_uploader_new(s->store, ((fake_client *)s->client)->client, &options, &s->uploader,
                           &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return s->uploader;
}

static void stop(setting *s) {
  psprobe_uploader_free(s->uploader);
  s->uploader = NULL;
}

static void add(setting *s, uint64_t from, uint64_t count, bool update) {
  psprobe_finished *batch = calloc(count, sizeof *batch);
  psprobe_error error = {0};
  for (uint64_t i = 0; i < count; i++) {
    batch[i] = scratch_finished(from + i);
    batch[i].update = update;
    if (update) batch[i].result.answers[0].duplicates = 9;
  }
  if (psprobe_store_add(s->store, s->run.id, batch, count, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  free(batch);
}

static void flush(psprobe_uploader *uploader) {
  psprobe_error error = {0};
  psprobe_uploader_wake(uploader);
  if (psprobe_uploader_flush(uploader, PATIENCE, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
}

static unsigned count_of(const char *text, const char *part) {
  unsigned count = 0;
  for (; (text = strstr(text, part)) != NULL; text++)
    count++;
  return count;
}

static uint64_t backlog(setting *s) {
  uint64_t rows = 99;
  assert_int_equal(psprobe_store_backlog(s->store, &rows, NULL), PSPROBE_OK);
  return rows;
}

/* Each of `count` rows has its document, created once. */
static void expect_all(setting *s, uint64_t count) {
  assert_int_equal(fake_firestore_count(s->firestore), count);
  for (uint64_t i = 0; i < count; i++) {
    char id[PSPROBE_ID_SIZE];
    scratch_id(id, i);
    assert_int_equal(fake_firestore_creates(s->firestore, id), 1);
  }
  assert_int_equal(backlog(s), 0);
}

static void test_all_arrive(void **state) {
  setting *s = *state;
  psprobe_uploader_stats stats;
  char id[PSPROBE_ID_SIZE];
  add(s, 0, 1000, false);
  psprobe_uploader *uploader = start(s);
  flush(uploader);
  expect_all(s, 1000);
  assert_int_equal(fake_firestore_requests(s->firestore), 5); /* 200 at a time */
  psprobe_uploader_get_stats(uploader, &stats);
  assert_int_equal(stats.uploaded, 1000);
  assert_int_equal(stats.backlog, 0);
  assert_int_equal(stats.failures, 0);
  assert_int_equal(stats.refused, 0);
  assert_int_equal(stats.last_error.code, PSPROBE_OK);
  scratch_id(id, 7);
  assert_non_null(strstr(fake_firestore_get(s->firestore, id),
                         "\"cloud_func_response_time\":{\"integerValue\":\"60000007\"}"));
  add(s, 1000, 1, false); /* it slept */
  flush(uploader);
  expect_all(s, 1001);
  stop(s);
  assert_string_equal(s->log, "");
}

static void test_nothing_to_do(void **state) {
  setting *s = *state;
  psprobe_uploader *uploader = start(s);
  flush(uploader);
  flush(uploader);
  assert_int_equal(fake_firestore_requests(s->firestore), 0);
  stop(s);
  add(s, 0, 3, false);
  uploader = start(s); /* what another left */
  flush(uploader);
  stop(s);
  uploader = start(s);
  flush(uploader);
  stop(s);
  assert_int_equal(fake_firestore_requests(s->firestore), 1);
  expect_all(s, 3);
}

static void test_reply_lost_after_commit(void **state) {
  setting *s = *state;
  add(s, 0, 20, false);
  fake_firestore_break(s->firestore, 2, 503, true);
  psprobe_uploader *uploader = start(s);
  flush(uploader);
  expect_all(s, 20);
  stop(s);
}

/* Down for a while: told when it begins and when it is over, and tried until then. */
static void test_outage(void **state) {
  setting *s = *state;
  psprobe_uploader_stats stats;
  add(s, 0, 5, false);
  fake_firestore_break(s->firestore, 3, 503, false);
  psprobe_uploader *uploader = start(s);
  flush(uploader);
  psprobe_uploader_get_stats(uploader, &stats);
  assert_int_equal(stats.failures, 3);
  assert_int_equal(stats.last_error.code, PSPROBE_OK);
  stop(s);
  expect_all(s, 5);
  assert_int_equal(count_of(s->log, "event=upload_fails"), 1);
  assert_int_equal(count_of(s->log, "event=upload_works_again"), 1);
  assert_int_equal(count_of(s->log, "\n"), 2);
  assert_non_null(strstr(s->log, "code=UNAVAILABLE http=503"));
  assert_non_null(strstr(s->log, "r.db"));
  assert_non_null(strstr(s->log, "hint=\"see that Firestore is there; it is tried again"));
}

static void test_change_after_upload_is_patched(void **state) {
  setting *s = *state;
  char id[PSPROBE_ID_SIZE];
  psprobe_uploader *uploader = start(s);
  add(s, 0, 3, false);
  flush(uploader);
  add(s, 1, 1, true);
  assert_int_equal(backlog(s), 1);
  flush(uploader);
  expect_all(s, 3);
  scratch_id(id, 1);
  assert_int_equal(fake_firestore_patches(s->firestore, id), 1);
  assert_non_null(
      strstr(fake_firestore_get(s->firestore, id), "\"duplicates\":{\"integerValue\":\"9\"}"));
  scratch_id(id, 0);
  assert_int_equal(fake_firestore_patches(s->firestore, id), 0);
  stop(s);
}

/* First state written, reply lost, then the row changes: the document must get the new state. */
static void test_change_while_the_reply_is_lost(void **state) {
  setting *s = *state;
  char id[PSPROBE_ID_SIZE];
  psprobe_error error = {0};
  add(s, 0, 1, false);
  fake_firestore_break(s->firestore, 1, 503, true);
  psprobe_uploader *uploader = start(s);
  while (fake_firestore_requests(s->firestore) == 0)
    psprobe_sleep_until(psprobe_clock_monotonic() + 1000000);
  stop(s); /* dies before it can try again */
  add(s, 0, 1, true);
  uploader = start(s);
  assert_int_equal(psprobe_uploader_flush(uploader, PATIENCE, &error), PSPROBE_OK);
  expect_all(s, 1);
  scratch_id(id, 0);
  assert_int_equal(fake_firestore_patches(s->firestore, id), 1);
  assert_non_null(
      strstr(fake_firestore_get(s->firestore, id), "\"duplicates\":{\"integerValue\":\"9\"}"));
  stop(s);
}

static void test_deleted_document_comes_back_when_it_changes(void **state) {
  setting *s = *state;
  char id[PSPROBE_ID_SIZE];
  psprobe_uploader *uploader = start(s);
  add(s, 0, 2, false);
  flush(uploader);
  scratch_id(id, 1);
  fake_firestore_delete(s->firestore, id);
  add(s, 1, 1, true);
  flush(uploader);
  assert_int_equal(fake_firestore_count(s->firestore), 2);
  assert_non_null(strstr(fake_firestore_get(s->firestore, id), "arbitrary_message_id"));
  assert_int_equal(backlog(s), 0);
  stop(s);
}

/* One that Firestore will never take holds up no others, refused by itself or with all. */
static void refused(setting *s, bool whole) {
  char id[PSPROBE_ID_SIZE];
  psprobe_error error = {0};
  psprobe_uploader_stats stats;
  scratch_id(id, 13);
  fake_firestore_refuse(s->firestore, id, whole);
  add(s, 0, 50, false);
  psprobe_uploader *uploader = start(s);
  assert_int_equal(psprobe_uploader_flush(uploader, PATIENCE, &error), PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "results not in Firestore: 1 (kept in "));
  assert_int_equal(fake_firestore_count(s->firestore), 49);
  psprobe_uploader_get_stats(uploader, &stats);
  assert_int_equal(stats.uploaded, 49);
  assert_int_equal(stats.refused, 1);
  assert_int_equal(stats.backlog, 1);
  assert_int_equal(count_of(s->log, "event=upload_refused"), 1);
  assert_int_equal(count_of(s->log, "\n"), 1);
  assert_non_null(strstr(s->log, id));
  unsigned requests = fake_firestore_requests(s->firestore);
  add(s, 50, 1, false);
  psprobe_uploader_flush(uploader, PATIENCE, NULL);
  assert_int_equal(fake_firestore_requests(s->firestore), requests + 1); /* without the bad one */
  stop(s);
  fake_firestore_refuse(s->firestore, NULL, false);
  uploader = start(s); /* a later run offers it again */
  flush(uploader);
  stop(s);
  expect_all(s, 51);
}

static void test_refused_by_itself(void **state) {
  refused(*state, false);
}
static void test_refused_with_the_whole_batch(void **state) {
  refused(*state, true);
}

static void test_refused_and_then_changed(void **state) {
  setting *s = *state;
  char id[PSPROBE_ID_SIZE];
  scratch_id(id, 0);
  fake_firestore_refuse(s->firestore, id, false);
  add(s, 0, 1, false);
  psprobe_uploader *uploader = start(s);
  assert_int_equal(psprobe_uploader_flush(uploader, PATIENCE, NULL), PSPROBE_INVALID_ARGUMENT);
  fake_firestore_refuse(s->firestore, NULL, false);
  add(s, 0, 1, true);
  flush(uploader);
  expect_all(s, 1);
  stop(s);
}

/* A proxy that answers everything with a page of its own is no word about any row. */
static void test_a_strangers_refusal_is_waited_out(void **state) {
  static const int statuses[] = {400, 413, 416};
  setting *s = *state;
  psprobe_uploader_stats stats;
  psprobe_uploader *uploader = start(s);
  for (uint64_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
    fake_firestore_break(s->firestore, 12, statuses[i], false); /* down to one row, and on */
    add(s, i * 60, 60, false);
    flush(uploader);
    expect_all(s, (i + 1) * 60);
  }
  psprobe_uploader_get_stats(uploader, &stats);
  assert_int_equal(stats.refused, 0);
  stop(s);
  assert_int_equal(count_of(s->log, "event=upload_refused"), 0);
}

/* Rows that fail one by one, a whole batch of them, stand first: the others go up all the same. */
static void test_failing_rows_let_others_by(void **state) {
  setting *s = *state;
  char id[PSPROBE_ID_SIZE];
  psprobe_uploader *uploader = start(s);
  add(s, 0, 400, false);
  flush(uploader);
  fake_firestore_deny_patches(s->firestore, true);
  add(s, 0, 400, true);
  add(s, 400, 300, false);
  /* The service has a row before the file knows. */
  for (int i = 0; i < 400 && (fake_firestore_count(s->firestore) < 700 || backlog(s) > 400); i++)
    psprobe_uploader_flush(uploader, SECOND / 20, NULL);
  assert_int_equal(fake_firestore_count(s->firestore), 700);
  assert_int_equal(backlog(s), 400);
  add(s, 700, 1, false); /* while it waits to try them again */
  psprobe_uploader_wake(uploader);
  for (int i = 0; i < 400 && backlog(s) > 400; i++)
    psprobe_uploader_flush(uploader, SECOND / 20, NULL);
  assert_int_equal(backlog(s), 400);
  fake_firestore_deny_patches(s->firestore, false);
  flush(uploader);
  expect_all(s, 701);
  scratch_id(id, 399);
  assert_int_equal(fake_firestore_patches(s->firestore, id), 1);
  stop(s);
}

/* A wait that nobody means is neither taken for none nor for one without an end. */
static void test_endless_retry_after(void **state) {
  setting *s = *state;
  fake_call *call = fake_expect(((fake_client *)s->client)->fake, "POST", "*:batchWrite");
  fake_reply(fake_times(call, 0), 503, "Retry-After: 9223372036\r\n", "");
  add(s, 0, 2, false);
  psprobe_uploader *uploader = start(s);
  fake_wait(call, 1);
  psprobe_uploader_stats stats;
  psprobe_sleep_until(psprobe_clock_monotonic() + SECOND / 10);
  psprobe_uploader_get_stats(uploader, &stats);
  assert_int_equal(stats.failures, 1);
  stop(s);
}

/* What can pass by itself by the end of a run, and what cannot. */
static void test_what_a_flush_says_of_patience(void **state) {
  static const int can[] = {408, 409, 429, 500, 502, 503, 504, 400, 403};
  setting *s = *state;
  add(s, 0, 2, false);
  psprobe_uploader *uploader = start(s);
  flush(uploader);
  for (uint64_t i = 0; i < sizeof can / sizeof *can; i++) {
    psprobe_error error = {0};
    fake_firestore_break(s->firestore, 1000, can[i], false);
    unsigned before = fake_firestore_requests(s->firestore);
    add(s, 2 + i, 1, false);
    psprobe_uploader_wake(uploader);
    while (fake_firestore_requests(s->firestore) < before + 2)
      psprobe_uploader_flush(uploader, SECOND / 50, NULL);
    assert_int_not_equal(psprobe_uploader_flush(uploader, SECOND / 50, &error), PSPROBE_OK);
    if (!error.retryable) fail_msg("%d: %s", can[i], error.message);
    fake_firestore_break(s->firestore, 0, 0, false);
    flush(uploader);
  }
  fake_firestore_deny_patches(s->firestore, true); /* Firestore's own word */
  add(s, 0, 1, true);
  psprobe_error error = {0};
  for (int i = 0; i < 400 && error.code != PSPROBE_PERMISSION_DENIED; i++)
    psprobe_uploader_flush(uploader, SECOND / 50, &error);
  assert_int_equal(error.code, PSPROBE_PERMISSION_DENIED);
  assert_false(error.retryable);
  stop(s);
}

static void test_denied(void **state) {
  setting *s = *state;
  psprobe_error error = {0};
  psprobe_uploader_stats stats;
  add(s, 0, 3, false);
  fake_firestore_break(s->firestore, 1000, 403, false);
  psprobe_uploader *uploader = start(s);
  while (fake_firestore_requests(s->firestore) == 0)
    psprobe_sleep_until(psprobe_clock_monotonic() + 1000000);
  assert_int_equal(psprobe_uploader_flush(uploader, SECOND / 20, &error),
                   PSPROBE_PERMISSION_DENIED);
  assert_non_null(strstr(error.message, "results not in Firestore: 3"));
  assert_non_null(strstr(error.message, "r.db"));
  psprobe_uploader_get_stats(uploader, &stats);
  assert_int_equal(stats.last_error.code, PSPROBE_PERMISSION_DENIED);
  assert_int_equal(stats.backlog, 3);
  assert_int_equal(stats.refused, 0);
  fake_firestore_break(s->firestore, 0, 0, false); /* somebody gave the permission */
  flush(uploader);
  expect_all(s, 3);
  stop(s);
}

static void test_no_answer(void **state) {
  setting *s = *state;
  psprobe_error error = {0};
  fake_call *call = fake_expect(((fake_client *)s->client)->fake, "POST", "*:batchWrite");
  add(s, 0, 2, false);
  psprobe_uploader *uploader = start(s);
  fake_wait(call, 1);
  assert_int_equal(psprobe_uploader_flush(uploader, SECOND / 20, &error),
                   PSPROBE_DEADLINE_EXCEEDED);
  assert_non_null(strstr(error.message, "results not in Firestore yet: 2"));
  stop(s); /* does not wait for the answer */
  assert_int_equal(fake_cancelled(call), 1);
  assert_int_equal(backlog(s), 2);
  assert_string_equal(s->log, "");
}

static void test_nonsense_is_tried_again(void **state) {
  static const char *const answers[] = {"",       "[]",
                                        "{}",     "{\"status\":[{}],\"writeResults\":[{}]}",
                                        "<html>", "{\"status\":[{},{},{}]}"};
  setting *s = *state;
  fake_transport *fake = ((fake_client *)s->client)->fake;
  psprobe_uploader_stats stats;
  for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
    fake_reply(fake_expect(fake, "POST", "*:batchWrite"), 200, NULL, answers[i]);
  s->firestore = fake_firestore_new(fake, scratch_file(&s->folder, "documents"));
  add(s, 0, 2, false);
  psprobe_uploader *uploader = start(s);
  for (int i = 0; i < 200; i++) /* each cuts a wait short */
    if (psprobe_uploader_flush(uploader, SECOND / 10, NULL) == PSPROBE_OK) break;
  psprobe_uploader_get_stats(uploader, &stats);
  assert_true(stats.failures >= 5);
  expect_all(s, 2);
  stop(s);
}

static void test_refusals_of_new(void **state) {
  setting *s = *state;
  psprobe_uploader *uploader = NULL;
  psprobe_client *client = ((fake_client *)s->client)->client;
  static const char *const bad[] = {"", "a/b", "a//c", "__x__", "."};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    psprobe_uploader_options options = {.collection = bad[i]};
    assert_int_equal(psprobe_uploader_new(s->store, client, &options, &uploader, NULL),
                     PSPROBE_INVALID_ARGUMENT);
  }
  psprobe_store *reader = scratch_store(scratch_file(&s->folder, "r.db"), true);
  assert_int_equal(psprobe_uploader_new(reader, client, NULL, &uploader, NULL),
                   PSPROBE_FAILED_PRECONDITION);
  psprobe_store_free(reader);
  psprobe_uploader_free(NULL);
  assert_null(uploader);
}

/* Results come while others are uploaded, in batches of all sizes. */
static void test_added_meanwhile(void **state) {
  setting *s = *state;
  psprobe_uploader *uploader = start(s);
  for (uint64_t i = 0, n = 1; i < 2000; i += n, n = n % 37 + 1) {
    add(s, i, n, false);
    psprobe_uploader_wake(uploader);
    if (i % 5 == 0) add(s, i, 1, true);
    if (i + n >= 2000) {
      flush(uploader);
      expect_all(s, i + n);
    }
  }
  stop(s);
}

#define TEST(name)      cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_BARE(name) cmocka_unit_test_setup_teardown(name, setup_bare, teardown)

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_all_arrive),
      TEST(test_nothing_to_do),
      TEST(test_reply_lost_after_commit),
      TEST(test_outage),
      TEST(test_change_after_upload_is_patched),
      TEST(test_change_while_the_reply_is_lost),
      TEST(test_deleted_document_comes_back_when_it_changes),
      TEST(test_refused_by_itself),
      TEST(test_refused_with_the_whole_batch),
      TEST(test_refused_and_then_changed),
      TEST(test_a_strangers_refusal_is_waited_out),
      TEST(test_failing_rows_let_others_by),
      TEST_BARE(test_endless_retry_after),
      TEST(test_what_a_flush_says_of_patience),
      TEST(test_denied),
      TEST_BARE(test_no_answer),
      TEST_BARE(test_nonsense_is_tried_again),
      TEST(test_refusals_of_new),
      TEST(test_added_meanwhile),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
