/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "results/upload/plan.h"
#include "scratch.h"
#include "uploading.h"

static void test_all_arrive(void **state) {
  uploading *s = *state;
  psprobe_uploader_stats stats;
  char id[PSPROBE_ID_SIZE];
  uploading_add(s, 0, 1000, false);
  psprobe_uploader *uploader = uploading_start(s);
  uploading_flush(uploader);
  uploading_expect(s, 1000);
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
  uploading_add(s, 1000, 1, false); /* it slept */
  uploading_flush(uploader);
  uploading_expect(s, 1001);
  uploading_stop(s);
  assert_string_equal(s->log, "");
}

static void test_nothing_to_do(void **state) {
  uploading *s = *state;
  psprobe_uploader *uploader = uploading_start(s);
  uploading_flush(uploader);
  uploading_flush(uploader);
  assert_int_equal(fake_firestore_requests(s->firestore), 0);
  uploading_stop(s);
  uploading_add(s, 0, 3, false);
  uploader = uploading_start(s); /* what another left */
  uploading_flush(uploader);
  uploading_stop(s);
  uploader = uploading_start(s);
  uploading_flush(uploader);
  uploading_stop(s);
  assert_int_equal(fake_firestore_requests(s->firestore), 1);
  uploading_expect(s, 3);
}

/* Who flushes once waits for the retry. */
static void test_one_flush_sees_an_outage_through(void **state) {
  uploading *s = *state;
  psprobe_error error = {0};
  uploading_add(s, 0, 2, false);
  fake_firestore_break(s->firestore, 1, 503, false);
  psprobe_uploader *uploader = uploading_start(s);
  if (psprobe_uploader_flush(uploader, UPLOADING_PATIENCE, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  uploading_expect(s, 2);
  uploading_stop(s);
}

/* Down for a while: told when it begins and when it is over, and tried until then. */
static void test_outage(void **state) {
  uploading *s = *state;
  psprobe_uploader_stats stats;
  uploading_add(s, 0, 5, false);
  fake_firestore_break(s->firestore, 3, 503, false);
  psprobe_uploader *uploader = uploading_start(s);
  uploading_flush(uploader);
  psprobe_uploader_get_stats(uploader, &stats);
  assert_int_equal(stats.failures, 3);
  assert_int_equal(stats.last_error.code, PSPROBE_OK);
  uploading_stop(s);
  uploading_expect(s, 5);
  assert_int_equal(uploading_count(s->log, "event=upload_fails"), 1);
  assert_int_equal(uploading_count(s->log, "event=upload_works_again"), 1);
  assert_int_equal(uploading_count(s->log, "\n"), 2);
  assert_non_null(strstr(s->log, "code=UNAVAILABLE http=503"));
  assert_non_null(strstr(s->log, "r.db"));
  assert_non_null(strstr(s->log, "hint=\"see that Firestore is there; it is tried again"));
}

/* Rows that fail one by one, a whole batch of them, stand first: the others go up all the same. */
static void test_failing_rows_let_others_by(void **state) {
  uploading *s = *state;
  char id[PSPROBE_ID_SIZE];
  psprobe_uploader *uploader = uploading_start(s);
  uploading_add(s, 0, 400, false);
  uploading_flush(uploader);
  fake_firestore_deny_patches(s->firestore, true);
  uploading_add(s, 0, 400, true);
  uploading_add(s, 400, 300, false);
  /* The service has a row before the file knows. */
  for (int i = 0;
       i < 400 && (fake_firestore_count(s->firestore) < 700 || uploading_backlog(s) > 400); i++)
    psprobe_uploader_flush(uploader, UPLOADING_SECOND / 20, NULL);
  assert_int_equal(fake_firestore_count(s->firestore), 700);
  assert_int_equal(uploading_backlog(s), 400);
  uploading_add(s, 700, 1, false); /* while it waits to try them again */
  psprobe_uploader_wake(uploader);
  for (int i = 0; i < 400 && uploading_backlog(s) > 400; i++)
    psprobe_uploader_flush(uploader, UPLOADING_SECOND / 20, NULL);
  assert_int_equal(uploading_backlog(s), 400);
  fake_firestore_deny_patches(s->firestore, false);
  uploading_flush(uploader);
  uploading_expect(s, 701);
  scratch_id(id, 399);
  assert_int_equal(fake_firestore_patches(s->firestore, id), 1);
  uploading_stop(s);
}

/* A wait that nobody means is neither taken for none nor for one without an end. */
static void test_endless_retry_after(void **state) {
  uploading *s = *state;
  fake_call *call = fake_expect(((fake_client *)s->client)->fake, "POST", "*:batchWrite");
  fake_reply(fake_times(call, 0), 503, "Retry-After: 9223372036\r\n", "");
  uploading_add(s, 0, 2, false);
  psprobe_uploader *uploader = uploading_start(s);
  fake_wait(call, 1);
  psprobe_uploader_stats stats = {0};
  for (int i = 0; i < 400 && stats.failures == 0; i++) {
    psprobe_uploader_flush(uploader, UPLOADING_SECOND / 50, NULL);
    psprobe_uploader_get_stats(uploader, &stats);
  }
  psprobe_sleep_until(psprobe_clock_monotonic() + UPLOADING_SECOND / 10); /* nothing may come */
  psprobe_uploader_get_stats(uploader, &stats);
  assert_int_equal(stats.failures, 1);
  uploading_stop(s);
}

/* What can pass by itself by the end of a run, and what cannot. */
static void test_what_a_flush_says_of_patience(void **state) {
  static const int can[] = {408, 409, 429, 500, 502, 503, 504, 400, 403};
  uploading *s = *state;
  uploading_add(s, 0, 2, false);
  psprobe_uploader *uploader = uploading_start(s);
  uploading_flush(uploader);
  for (uint64_t i = 0; i < sizeof can / sizeof *can; i++) {
    psprobe_error error = {0};
    fake_firestore_break(s->firestore, 1000, can[i], false);
    unsigned before = fake_firestore_requests(s->firestore);
    uploading_add(s, 2 + i, 1, false);
    psprobe_uploader_wake(uploader);
    while (fake_firestore_requests(s->firestore) < before + 2)
      psprobe_uploader_flush(uploader, UPLOADING_SECOND / 50, NULL);
    assert_int_not_equal(psprobe_uploader_flush(uploader, UPLOADING_SECOND / 50, &error),
                         PSPROBE_OK);
    if (!error.retryable) fail_msg("%d: %s", can[i], error.message);
    fake_firestore_break(s->firestore, 0, 0, false);
    uploading_flush(uploader);
  }
  fake_firestore_deny_patches(s->firestore, true); /* Firestore's own word */
  uploading_add(s, 0, 1, true);
  psprobe_error error = {0};
  for (int i = 0; i < 400 && error.code != PSPROBE_PERMISSION_DENIED; i++)
    psprobe_uploader_flush(uploader, UPLOADING_SECOND / 50, &error);
  assert_int_equal(error.code, PSPROBE_PERMISSION_DENIED);
  assert_false(error.retryable);
  uploading_stop(s);
}

static void test_denied(void **state) {
  uploading *s = *state;
  psprobe_error error = {0};
  psprobe_uploader_stats stats;
  uploading_add(s, 0, 3, false);
  fake_firestore_break(s->firestore, 1000, 403, false);
  psprobe_uploader *uploader = uploading_start(s);
  for (int i = 0; i < 400 && error.code != PSPROBE_PERMISSION_DENIED; i++)
    psprobe_uploader_flush(uploader, UPLOADING_SECOND / 20, &error);
  assert_int_equal(error.code, PSPROBE_PERMISSION_DENIED);
  assert_non_null(strstr(error.message, "results not in Firestore: 3"));
  assert_non_null(strstr(error.message, "r.db"));
  psprobe_uploader_get_stats(uploader, &stats);
  assert_int_equal(stats.last_error.code, PSPROBE_PERMISSION_DENIED);
  assert_int_equal(stats.backlog, 3);
  assert_int_equal(stats.refused, 0);
  fake_firestore_break(s->firestore, 0, 0, false); /* somebody gave the permission */
  uploading_flush(uploader);
  uploading_expect(s, 3);
  uploading_stop(s);
}

static void test_no_answer(void **state) {
  uploading *s = *state;
  psprobe_error error = {0};
  fake_call *call = fake_expect(((fake_client *)s->client)->fake, "POST", "*:batchWrite");
  uploading_add(s, 0, 2, false);
  psprobe_uploader *uploader = uploading_start(s);
  fake_wait(call, 1);
  assert_int_equal(psprobe_uploader_flush(uploader, UPLOADING_SECOND / 20, &error),
                   PSPROBE_DEADLINE_EXCEEDED);
  assert_non_null(strstr(error.message, "results not in Firestore yet: 2"));
  uploading_stop(s); /* does not wait for the answer */
  assert_int_equal(fake_cancelled(call), 1);
  assert_int_equal(uploading_backlog(s), 2);
  assert_string_equal(s->log, "");
}

/* A service that takes its time has four requests at once, and no row in two of them. */
static void test_four_in_flight(void **state) {
  uploading *s = *state;
  fake_call *call = fake_expect(((fake_client *)s->client)->fake, "POST", "*:batchWrite");
  fake_times(call, 0);
  uploading_add(s, 0, 1000, false);
  uploading_start(s);
  fake_wait(call, PSP_PLAN_FLIGHTS);
  for (uint64_t i = 0; i < 1000; i++) {
    char id[PSPROBE_ID_SIZE], name[80];
    unsigned count = 0;
    scratch_id(id, i);
    snprintf(name, sizeof name, "/pubsub_results/%s", id);
    for (unsigned k = 0; k < PSP_PLAN_FLIGHTS; k++)
      count += uploading_count(fake_request(call, k)->body, name);
    assert_int_equal(count, i < PSP_PLAN_FLIGHTS * PSP_PLAN_MOST ? 1 : 0); /* oldest first */
  }
  uploading_stop(s);
  assert_int_equal(fake_count(call), PSP_PLAN_FLIGHTS);
  assert_int_equal(fake_cancelled(call), PSP_PLAN_FLIGHTS);
  assert_int_equal(uploading_backlog(s), 1000);
}

static void test_refusals_of_new(void **state) {
  uploading *s = *state;
  psprobe_uploader *uploader = NULL;
  psprobe_client *client = ((fake_client *)s->client)->client;
  static const char *const bad[] = {"", "a/b", "a//c", "__x__", ".", "a\nb", "a/b/ c"};
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
  uploading *s = *state;
  psprobe_uploader *uploader = uploading_start(s);
  for (uint64_t i = 0, n = 1; i < 2000; i += n, n = n % 37 + 1) {
    uploading_add(s, i, n, false);
    psprobe_uploader_wake(uploader);
    if (i % 5 == 0) uploading_add(s, i, 1, true);
    if (i + n >= 2000) {
      uploading_flush(uploader);
      uploading_expect(s, i + n);
    }
  }
  uploading_stop(s);
}

/* Told once, with what to do. */
static void test_what_to_do(void **state) {
  static const struct {
    int status;
    const char *body, *hint;
  } cases[] = {
      {400,
       "{\"error\":{\"code\":400,\"message\":\"The Cloud Firestore API is not available for "
       "Firestore in Datastore Mode database projects/demo-p/databases/(default).\",\"status\":"
       "\"FAILED_PRECONDITION\"}}",
       "make one in Native mode"},
      {404,
       "{\"error\":{\"code\":404,\"message\":\"The database (default) does not exist\","
       "\"status\":\"NOT_FOUND\"}}",
       "make the database"},
      {200, "<html>Sign in to the guest network</html>", "code=INTERNAL"},
      {403, "<html>Blocked by policy</html>", "http=403"},
  };
  uploading *s = *state;
  fake_transport *fake = ((fake_client *)s->client)->fake;
  for (uint64_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fake_call *call = fake_expect(fake, "POST", "*:batchWrite");
    fake_reply(fake_times(call, 3), cases[i].status, NULL, cases[i].body);
  }
  s->firestore = fake_firestore_new(fake, scratch_file(&s->folder, "documents"));
  uploading_add(s, 0, 2, false);
  psprobe_uploader *uploader = uploading_start(s);
  for (int i = 0; i < 400 && uploading_backlog(s) > 0; i++)
    psprobe_uploader_flush(uploader, UPLOADING_SECOND / 20, NULL);
  uploading_stop(s);
  uploading_expect(s, 2);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(uploading_count(s->log, cases[i].hint), 1);
  assert_int_equal(uploading_count(s->log, "what stands in its place (a proxy"), 2);
  assert_int_equal(uploading_count(s->log, "event=upload_fails"), 4);
}

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      UPLOADING_TEST(test_all_arrive),
      UPLOADING_TEST(test_nothing_to_do),
      UPLOADING_TEST(test_one_flush_sees_an_outage_through),
      UPLOADING_TEST(test_outage),
      UPLOADING_TEST(test_failing_rows_let_others_by),
      UPLOADING_TEST_BARE(test_endless_retry_after),
      UPLOADING_TEST(test_what_a_flush_says_of_patience),
      UPLOADING_TEST(test_denied),
      UPLOADING_TEST_BARE(test_no_answer),
      UPLOADING_TEST_BARE(test_four_in_flight),
      UPLOADING_TEST(test_refusals_of_new),
      UPLOADING_TEST(test_added_meanwhile),
      UPLOADING_TEST_BARE(test_what_to_do),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
