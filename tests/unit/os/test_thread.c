/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "os/thread.h"

typedef struct seen {
  sigset_t blocked;
  pthread_barrier_t named;
} seen;

static void *look(void *arg) {
  seen *s = arg;
  pthread_sigmask(SIG_SETMASK, NULL, &s->blocked);
  pthread_barrier_wait(&s->named);
  return NULL;
}

static void test_takes_no_signals(void **state) {
  (void)state;
  static const int asked[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE, SIGUSR1, SIGALRM};
  seen s;
  pthread_t thread;
  sigset_t before, after;
  char name[16];
  pthread_barrier_init(&s.named, NULL, 2);
  pthread_sigmask(SIG_SETMASK, NULL, &before);
  assert_true(psp_thread_start(&thread, "fifteen-letters", look, &s));
  assert_int_equal(pthread_getname_np(thread, name, sizeof name), 0);
  assert_string_equal(name, "fifteen-letters");
  pthread_barrier_wait(&s.named);
  pthread_join(thread, NULL);
  for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
    assert_int_equal(sigismember(&s.blocked, asked[i]), 1);
  /* And ours are as they were. */
  pthread_sigmask(SIG_SETMASK, NULL, &after);
  for (int signal = 1; signal < 32; signal++)
    assert_int_equal(sigismember(&after, signal), sigismember(&before, signal));
  pthread_barrier_destroy(&s.named);
}

static void *look_at_slice(void *arg) {
  int64_t *slice = arg;
  *slice = psp_thread_slice(2000000);
  return NULL;
}

/* 0 throughout where the kernel has none (before Linux 6.12). */
static void test_short_turns(void **state) {
  (void)state;
  pthread_t thread;
  int64_t inherited = -1;
  const int64_t before = psp_thread_slice(PSP_SHORT_SLICE_NS);
  const int64_t turn = before > 0 ? PSP_SHORT_SLICE_NS : 0;
  assert_true(psp_thread_start(&thread, "slice", look_at_slice, &inherited));
  pthread_join(thread, NULL);
  assert_int_equal(inherited, turn);
  assert_int_equal(psp_thread_slice(0), 0); /* changes nothing */
  assert_int_equal(psp_thread_slice(before), turn);
  assert_int_equal(psp_thread_slice(before), before);
}

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_takes_no_signals),
                                     cmocka_unit_test(test_short_turns)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
