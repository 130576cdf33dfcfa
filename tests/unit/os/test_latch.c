/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/latch.h"
#include "os/thread.h"
#include "os/wait.h"

static void test_posted_before_anybody_waits(void **state) {
  (void)state;
  psp_latch latch;
  psp_latch_init(&latch);
  psp_latch_post(&latch);
  psp_latch_wait(&latch);
  assert_true(psp_latch_wait_until(&latch, 0)); /* it stays so */
  psp_latch_destroy(&latch);
}

static void test_time_is_over(void **state) {
  (void)state;
  psp_latch latch;
  psp_latch_init(&latch);
  int64_t until_ns = psprobe_clock_monotonic() + 5 * PSP_MS_NS;
  assert_false(psp_latch_wait_until(&latch, until_ns));
  assert_true(psprobe_clock_monotonic() >= until_ns);
  assert_false(psp_latch_wait_until(&latch, -1));
  psp_latch_destroy(&latch);
}

typedef struct handing {
  psp_latch latch;
  int value; /* seen without a lock of its own */
} handing;

static void *post(void *arg) {
  handing *h = arg;
  h->value = 7;
  psp_latch_post(&h->latch);
  return NULL;
}

/* The one that waits takes the latch away at once: the other must not touch it any more. */
static void test_gone_when_waited_for(void **state) {
  (void)state;
  for (int i = 0; i < 500; i++) {
    pthread_t thread;
    handing *h = test_calloc(1, sizeof *h);
    psp_latch_init(&h->latch);
    assert_true(psp_thread_start(&thread, "post", post, h));
    psp_latch_wait(&h->latch);
    assert_int_equal(h->value, 7);
    psp_latch_destroy(&h->latch);
    test_free(h);
    pthread_join(thread, NULL);
  }
}

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_posted_before_anybody_waits),
      cmocka_unit_test(test_time_is_over),
      cmocka_unit_test(test_gone_when_waited_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
