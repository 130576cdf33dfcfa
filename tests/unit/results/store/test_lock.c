/* SPDX-License-Identifier: MIT */
/** @file One writer, whatever the file is called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "results/store/lock.h"
#include "scratch.h"

/* Another process that writes the file at `path`, until it is killed. */
static pid_t writer_of(const char *path) {
  int ready[2];
  char answer = 0;
  assert_int_equal(pipe(ready), 0);
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when a test fails */
    psprobe_store *store = NULL;
    bool good = psprobe_store_new(path, NULL, &store, NULL) == PSPROBE_OK;
    if (write(ready[1], good ? "y" : "n", 1) != 1) _exit(1);
    for (;;)
      pause();
  }
  assert_int_equal(read(ready[0], &answer, 1), 1);
  assert_int_equal(answer, 'y');
  close(ready[0]);
  close(ready[1]);
  return child;
}

static void expect_refused(const char *path, pid_t writer) {
  psprobe_store *store = NULL;
  psprobe_error error = {0};
  char part[64];
  snprintf(part, sizeof part, "another prober (process %d)", (int)writer);
  psprobe_code code = psprobe_store_new(path, NULL, &store, &error);
  if (code != PSPROBE_FAILED_PRECONDITION || strstr(error.message, part) == NULL)
    fail_msg("%s: %s, wanted \"%s\"", path, error.message, part);
}

static void test_every_name_is_refused(void **state) {
  const char *path = scratch_file(state, "r.db"), *soft = scratch_file(state, "soft.db");
  const char *hard = scratch_file(state, "hard.db");
  assert_int_equal(symlink("r.db", soft), 0); /* it leads nowhere yet */
  pid_t writer = writer_of(soft);
  assert_int_equal(link(path, hard), 0);
  expect_refused(path, writer);
  expect_refused(soft, writer);
  expect_refused(hard, writer);
  kill(writer, SIGKILL);
  waitpid(writer, NULL, 0);
  psprobe_store_free(scratch_store(path, false)); /* it died with its process */
}

static void test_own_process_is_refused_too(void **state) {
  const char *path = scratch_file(state, "r.db"), *hard = scratch_file(state, "hard.db");
  psprobe_store *store = scratch_store(path, false);
  assert_int_equal(link(path, hard), 0);
  assert_true(psp_file_lock_is_held(path));
  assert_true(psp_file_lock_is_held(hard));
  expect_refused(path, getpid());
  expect_refused(hard, getpid());
  psprobe_store_free(store);
  assert_false(psp_file_lock_is_held(path));
}

/* What lies beside the file is nobody's: neither heeded, nor taken away, nor written to. */
static void test_what_lies_beside_is_let_be(void **state) {
  const char *path = scratch_file(state, "r.db"), *beside = scratch_file(state, "r.db-lock");
  char text[8] = "";
  int file = open(beside, O_RDWR | O_CREAT, 0644);
  assert_int_equal(write(file, "mine\n", 5), 5);
  psprobe_store_free(scratch_store(path, false));
  assert_int_equal(pread(file, text, sizeof text, 0), 5);
  assert_string_equal(text, "mine\n");
  assert_int_equal(access(beside, F_OK), 0);
  close(file);
}

static void test_nothing_is_made_to_look(void **state) {
  const char *path = scratch_file(state, "r.db");
  psp_file_lock *lock = NULL;
  assert_int_equal(psp_file_lock_take(path, false, 0, &lock, NULL), PSPROBE_NOT_FOUND);
  assert_null(lock);
  assert_int_not_equal(access(path, F_OK), 0);
}

static void test_leads(void **state) {
  const char *path = scratch_file(state, "r.db"), *other = scratch_file(state, "other.db");
  psp_file_lock *lock = NULL;
  assert_int_equal(psp_file_lock_take(path, true, 0, &lock, NULL), PSPROBE_OK);
  assert_true(psp_file_lock_leads(lock, path));
  assert_int_equal(rename(path, other), 0);
  assert_false(psp_file_lock_leads(lock, path));
  assert_true(psp_file_lock_leads(lock, other));
  psp_file_lock_release(lock);
  psp_file_lock_release(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_every_name_is_refused),
      TEST(test_own_process_is_refused_too),
      TEST(test_what_lies_beside_is_let_be),
      TEST(test_nothing_is_made_to_look),
      TEST(test_leads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
