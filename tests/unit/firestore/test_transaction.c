/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/firestore.h>

#include "fake_client.h"
#include "values.h"

#define ROOT    FAKE_FIRESTORE "/v1/projects/" FAKE_PROJECT "/databases/%28default%29/documents"
#define NAME    "projects/" FAKE_PROJECT "/databases/(default)/documents/"
#define ABORTED "{\"error\":{\"code\":409,\"message\":\"lock\",\"status\":\"ABORTED\"}}"
#define DONE    "{\"writeResults\":[{\"updateTime\":\"2024-01-02T03:04:05Z\"}]}"

static int set_up(void **state) {
  int status = fake_client_setup(state);
  fake_in_order(((fake_client *)*state)->fake);
  return status;
}

static fake_call *expect(fake_client *f, const char *verb, int status, const char *answer) {
  char url[256] = ROOT;
  fake_call *call = fake_expect(f->fake, "POST", strcat(url, verb));
  fake_reply(call, status, NULL, answer);
  return call;
}

static void was_sent(fake_call *call, const char *body) {
  assert_string_equal(fake_request(call, 0)->body, body);
}

/* Notes how often it ran; reads, and deletes what it read. */
typedef struct work {
  psprobe_client *client;
  int runs;
  psprobe_code fails; /* with this, having read */
} work;

static psprobe_code do_work(void *arg, psprobe_transaction *t, psprobe_error *error) {
  work *w = arg;
  psprobe_read read = {.transaction = t};
  psprobe_write write = {.path = "c/a"};
  w->runs++;
  psprobe_code code = psprobe_document_get(w->client, "c/a", &read, NULL, error);
  if (code == PSPROBE_OK && w->fails != PSPROBE_OK) return w->fails;
  return code == PSPROBE_OK ? psprobe_transaction_write(t, &write, 1, error) : code;
}

#define FOUND "[{\"found\":{\"name\":\"" NAME "c/a\"}}]"

static void reads_and_commits_in_one(void **state) {
  fake_client *f = *state;
  work w = {.client = f->client};
  psprobe_written *written = NULL;
  psprobe_error error = {0};
  fake_call *begin = expect(f, ":beginTransaction", 200, "{\"transaction\":\"T1==\"}");
  fake_call *read = expect(f, ":batchGet", 200, FOUND);
  fake_call *commit = expect(f, ":commit", 200, DONE);
  test_ok(psprobe_transaction_run(f->client, NULL, do_work, &w, &written, &error), &error);
  assert_int_equal(w.runs, 1);
  assert_int_equal(psprobe_written_update_time(written, 0).seconds, 1704164645);
  psprobe_written_free(written);
  was_sent(begin, "{\"options\":{\"readWrite\":{}}}");
  was_sent(read, "{\"documents\":[\"" NAME "c/a\"],\"transaction\":\"T1==\"}");
  was_sent(commit, "{\"writes\":[{\"delete\":\"" NAME "c/a\"}],\"transaction\":\"T1==\"}");
}

/* Aborted at its commit, then at a read: begun anew with the name of the one before. */
static void what_was_aborted_runs_anew(void **state) {
  fake_client *f = *state;
  work w = {.client = f->client};
  psprobe_error error = {0};
  expect(f, ":beginTransaction", 200, "{\"transaction\":\"T1==\"}");
  expect(f, ":batchGet", 200, FOUND);
  expect(f, ":commit", 409, ABORTED);
  fake_call *second = expect(f, ":beginTransaction", 200, "{\"transaction\":\"T2==\"}");
  expect(f, ":batchGet", 409, ABORTED);
  fake_call *back = expect(f, ":rollback", 200, "{}");
  fake_call *third = expect(f, ":beginTransaction", 200, "{\"transaction\":\"T3==\"}");
  expect(f, ":batchGet", 200, FOUND);
  expect(f, ":commit", 200, DONE);
  test_ok(psprobe_transaction_run(f->client, NULL, do_work, &w, NULL, &error), &error);
  assert_int_equal(w.runs, 3);
  was_sent(second, "{\"options\":{\"readWrite\":{\"retryTransaction\":\"T1==\"}}}");
  was_sent(back, "{\"transaction\":\"T2==\"}");
  was_sent(third, "{\"options\":{\"readWrite\":{\"retryTransaction\":\"T2==\"}}}");
}

static void the_attempts_have_an_end(void **state) {
  fake_client *f = *state;
  work w = {.client = f->client};
  psprobe_transaction_options twice = {.attempts = 2};
  psprobe_error error = {0};
  for (int i = 0; i < 2; i++) {
    expect(f, ":beginTransaction", 200, "{\"transaction\":\"T1==\"}");
    expect(f, ":batchGet", 200, FOUND);
    expect(f, ":commit", 409, ABORTED);
  }
  test_code(psprobe_transaction_run(f->client, &twice, do_work, &w, NULL, &error), PSPROBE_ABORTED,
            &error);
  assert_int_equal(w.runs, 2);
}

/* Another code of the body's is the outcome, after a rollback; and no other is tried again. */
static void what_fails_is_rolled_back(void **state) {
  fake_client *f = *state;
  work w = {.client = f->client, .fails = PSPROBE_NOT_FOUND};
  psprobe_error error = {0};
  expect(f, ":beginTransaction", 200, "{\"transaction\":\"T1==\"}");
  expect(f, ":batchGet", 200, FOUND);
  expect(f, ":rollback", 200, "{}");
  assert_int_equal(psprobe_transaction_run(f->client, NULL, do_work, &w, NULL, &error),
                   PSPROBE_NOT_FOUND);
  assert_int_equal(w.runs, 1);
  expect(f, ":beginTransaction", 200, "{}");
  test_code(psprobe_transaction_run(f->client, NULL, do_work, &w, NULL, &error), PSPROBE_INTERNAL,
            &error);
  assert_int_equal(w.runs, 1);
}

static void one_that_reads_takes_no_writes(void **state) {
  fake_client *f = *state;
  psprobe_transaction_options options = {.read_only = true, .read_time = {1704164645, 0}};
  psprobe_transaction *t = NULL;
  psprobe_write write = {.path = "c/a"}, bad = {.path = "c"};
  psprobe_error error = {0};
  fake_call *begin = expect(f, ":beginTransaction", 200, "{\"transaction\":\"T1==\"}");
  test_ok(psprobe_transaction_begin(f->client, &options, &t, &error), &error);
  was_sent(begin, "{\"options\":{\"readOnly\":{\"readTime\":\"2024-01-02T03:04:05Z\"}}}");
  test_code(psprobe_transaction_write(t, &write, 1, &error), PSPROBE_FAILED_PRECONDITION, &error);
  expect(f, ":commit", 200, "{}");
  test_ok(psprobe_transaction_commit(t, NULL, &error), &error);
  test_code(psprobe_transaction_commit(t, NULL, &error), PSPROBE_FAILED_PRECONDITION, &error);
  test_code(psprobe_transaction_rollback(t, &error), PSPROBE_FAILED_PRECONDITION, &error);
  psprobe_transaction_free(t);
  options.read_only = false;
  test_code(psprobe_transaction_begin(f->client, &options, &t, &error), PSPROBE_INVALID_ARGUMENT,
            &error);
  expect(f, ":beginTransaction", 200, "{\"transaction\":\"T1==\"}");
  test_ok(psprobe_transaction_begin(f->client, NULL, &t, &error), &error);
  test_code(psprobe_transaction_write(t, &bad, 1, &error), PSPROBE_INVALID_ARGUMENT, &error);
  assert_non_null(strstr(error.message, "write 1 of a transaction, c: document path"));
  psprobe_transaction_free(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(reads_and_commits_in_one, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(what_was_aborted_runs_anew, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(the_attempts_have_an_end, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(what_fails_is_rolled_back, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(one_that_reads_takes_no_writes, set_up, fake_client_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
