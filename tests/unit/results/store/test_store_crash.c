/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_client.h"
#include "fake_firestore.h"
#include "scratch.h"

/*
 * @file
 * Processes that are killed (SIGKILL) while they keep and upload results; what
 * is in the file and in Firestore afterwards.
 */

#define PATIENCE INT64_C(20000000000)

/* xorshift64 (Marsaglia 2003): the same kills each time. */
static uint64_t next_random(uint64_t *seed) {
  *seed ^= *seed << 13;
  *seed ^= *seed >> 7;
  *seed ^= *seed << 17;
  return *seed;
}

static void kill_and_wait(pid_t child) {
  int status = 0;
  kill(child, SIGKILL);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status));
}

/* ---- keeping ---- */

/* Batches of 1 to 8 rows, for ever. Says after each how many rows are kept by now. */
static void keep_rows(const char *path, uint64_t round, uint64_t from, int tell) {
  psprobe_store *store = NULL;
  psprobe_run run = scratch_run(1000000 + round);
  if (psprobe_store_new(path, NULL, &store, NULL) != PSPROBE_OK) _exit(1);
  if (psprobe_store_begin_run(store, &run, NULL) != PSPROBE_OK) _exit(2);
  for (uint64_t n = 1;; n = n % 8 + 1) {
    psprobe_finished batch[8];
    for (uint64_t i = 0; i < n; i++)
      batch[i] = scratch_finished(from + i);
    if (psprobe_store_add(store, run.id, batch, n, NULL) != PSPROBE_OK) _exit(3);
    from += n;
    if (write(tell, &from, sizeof from) != sizeof from) _exit(4);
  }
}

typedef struct census {
  uint64_t rows, highest;
  bool broken;
} census;

/* Every row is there once with both answers (ids are unique in the file), without gaps. */
static bool count_row(void *arg, const psprobe_row *row) {
  census *all = arg;
  psprobe_finished want = scratch_finished(all->rows);
  if (strcmp(row->result.id, want.result.id) != 0 || row->result.source_count != 2 ||
      memcmp(&row->result.answers[0].elapsed_ns, &want.result.answers[0].elapsed_ns, 8) != 0 ||
      row->result.answers[1].elapsed_ns != want.result.answers[1].elapsed_ns ||
      row->result.answers[1].status != PSPROBE_ANSWERED)
    all->broken = true;
  all->rows++;
  return true;
}

static uint64_t count_rows(const char *path) {
  census all = {0};
  psprobe_store *store = scratch_store(path, true);
  assert_int_equal(psprobe_store_each(store, NULL, count_row, &all, NULL), PSPROBE_OK);
  psprobe_store_free(store);
  assert_false(all.broken);
  return all.rows;
}

static void test_killed_while_keeping(void **state) {
  const char *path = scratch_file(state, "r.db");
  uint64_t kept = 0, seed = 88172645463325252;
  for (uint64_t round = 0; round < 30; round++) {
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    pid_t child = fork();
    if (child == 0) keep_rows(path, round, kept, pipe_ends[1]);
    close(pipe_ends[1]);
    /* Killed after a random number of batches and a random part of the next one. */
    uint64_t told = kept;
    for (uint64_t batches = next_random(&seed) % 12; batches > 0; batches--)
      if (read(pipe_ends[0], &told, sizeof told) != sizeof told) fail_msg("the child ended");
    usleep((useconds_t)(next_random(&seed) % 3000));
    kill_and_wait(child);
    for (uint64_t later; read(pipe_ends[0], &later, sizeof later) == sizeof later;)
      told = later;
    close(pipe_ends[0]);
    if (round % 2 == 1) psprobe_store_free(scratch_store(path, false)); /* recovered by a writer */
    uint64_t rows = told == 0 && access(path, F_OK) != 0 ? 0 : count_rows(path);
    /* All that were said to be kept, and of the batch under way all or nothing. */
    if (rows < told || rows > told + 8) fail_msg("told %d, kept %d", (int)told, (int)rows);
    kept = rows;
  }
  assert_true(kept > 100);
  psprobe_store *store = scratch_store(path, false);
  psprobe_store_free(store);
  assert_int_equal(count_rows(path), kept);
  assert_int_not_equal(access(scratch_file(state, "r.db-wal"), F_OK), 0);
}

/* ---- uploading ---- */

typedef struct plan {
  fake_moment moment;
  unsigned after; /* moments of that kind that are survived */
} plan;

static void die(void *arg, fake_moment moment) {
  plan *p = arg;
  if (moment == p->moment && p->after-- == 0) kill(getpid(), SIGKILL);
}

/* Keeps rows and uploads them until it is killed at the moment of the plan. */
static void keep_and_upload(void **state, uint64_t round, uint64_t from, plan *p) {
  void *client = NULL;
  psprobe_store *store = NULL;
  psprobe_uploader *uploader = NULL;
  psprobe_run run = scratch_run(1000000 + round);
  fake_client_setup(&client);
  fake_firestore *firestore =
      fake_firestore_new(((fake_client *)client)->fake, scratch_file(state, "documents"));
  if (p != NULL) fake_firestore_at(firestore, die, p);
  if (psprobe_store_new(scratch_file(state, "r.db"), NULL, &store, NULL) != PSPROBE_OK) _exit(1);
  if (psprobe_store_begin_run(store, &run, NULL) != PSPROBE_OK) _exit(2);
  if (psprobe_uploader_new(store, ((fake_client *)client)->client, NULL, &uploader, NULL) !=
      PSPROBE_OK)
    _exit(3);
  for (uint64_t i = 0; i < 12; i++) {
    psprobe_finished batch[4];
    for (uint64_t k = 0; k < 4; k++) {
      batch[k] = scratch_finished(from + 4 * i + k);
      batch[k].update = false;
    }
    if (psprobe_store_add(store, run.id, batch, 4, NULL) != PSPROBE_OK) _exit(4);
    batch[1].update = true; /* a late answer to one of them */
    batch[1].result.answers[0].duplicates = 9;
    if (psprobe_store_add(store, run.id, batch + 1, 1, NULL) != PSPROBE_OK) _exit(5);
    psprobe_uploader_wake(uploader); /* while more are added; now and then in step with it */
    if (i % 2 == 1 && psprobe_uploader_flush(uploader, PATIENCE, NULL) != PSPROBE_OK) _exit(6);
  }
  psprobe_error error = {0};
  if (psprobe_uploader_flush(uploader, PATIENCE, &error) != PSPROBE_OK) _exit(7);
  psprobe_uploader_free(uploader);
  psprobe_store_free(store);
  fake_client_teardown(&client);
  fake_firestore_free(firestore);
  _exit(0);
}

static bool note_id(void *arg, const psprobe_row *row) {
  fake_firestore *firestore = arg;
  const char *fields = fake_firestore_get(firestore, row->result.id);
  if (fields == NULL) fail_msg("%s never arrived", row->result.id);
  assert_int_equal(fake_firestore_creates(firestore, row->result.id), 1);
  bool changed = strstr(fields, "\"duplicates\":{\"integerValue\":\"9\"}") != NULL;
  assert_int_equal(changed, row->result.answers[0].duplicates == 9); /* its newest state */
  assert_true(row->uploaded);
  return true;
}

/* Before anything is written, halfway, between commit and mark, and once in peace at the end. */
static void test_killed_while_uploading(void **state) {
  uint64_t seed = 1234567, killed = 0, rounds = 24;
  for (uint64_t round = 0; round <= rounds; round++) {
    plan p = {.moment = (fake_moment)(round % FAKE_MOMENTS),
              .after = (unsigned)(next_random(&seed) % 3)};
    int status = 0;
    pid_t child = fork();
    if (child == 0) keep_and_upload(state, round, round * 48, round < rounds ? &p : NULL);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
      killed++;
    else if (status != 0)
      fail_msg("a child ended with %d", WEXITSTATUS(status));
  }
  assert_int_equal(killed, rounds);
  void *client = NULL;
  fake_client_setup(&client);
  fake_firestore *firestore =
      fake_firestore_new(((fake_client *)client)->fake, scratch_file(state, "documents"));
  psprobe_store *store = scratch_store(scratch_file(state, "r.db"), true);
  uint64_t backlog = 99;
  assert_int_equal(psprobe_store_backlog(store, &backlog, NULL), PSPROBE_OK);
  assert_int_equal(backlog, 0);
  assert_int_equal(psprobe_store_each(store, NULL, note_id, firestore, NULL), PSPROBE_OK);
  psprobe_store_free(store);
  fake_client_teardown(&client);
  fake_firestore_free(firestore);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_killed_while_keeping),
      TEST(test_killed_while_uploading),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
