/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/clock.h"
#include "os/futex.h"
#include "os/thread.h"

static void test_does_not_sleep_when_it_has_changed(void **state) {
  (void)state;
  _Atomic uint32_t word = 1;
  psp_futex_wait(&word, 0, INT64_MAX); /* for ever, if it slept */
}

static void test_time_is_over(void **state) {
  (void)state;
  _Atomic uint32_t word = 0;
  int64_t until_ns = psprobe_clock_monotonic() + 5 * PSP_MS_NS;
  while (psprobe_clock_monotonic() < until_ns)
    psp_futex_wait(&word, 0, until_ns);
  psp_futex_wait(&word, 0, 1); /* has passed long ago */
}

static void *change(void *arg) {
  _Atomic uint32_t *word = arg;
  atomic_store(word, 1);
  psp_futex_wake_all(word);
  return NULL;
}

static void test_woken(void **state) {
  (void)state;
  _Atomic uint32_t word = 0;
  pthread_t thread;
  assert_true(psp_thread_start(&thread, "change", change, &word));
  while (atomic_load(&word) == 0)
    psp_futex_wait(&word, 0, INT64_MAX);
  pthread_join(thread, NULL);
}

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_does_not_sleep_when_it_has_changed),
      cmocka_unit_test(test_time_is_over),
      cmocka_unit_test(test_woken),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
