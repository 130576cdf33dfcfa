/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/wait.h"

#define MS INT64_C(1000000)

typedef struct shared {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool done;
} shared;

static void begin(shared *s) {
  pthread_mutex_init(&s->lock, NULL);
  psp_cond_init(&s->changed);
  pthread_mutex_lock(&s->lock);
}

static void end(shared *s) {
  pthread_mutex_unlock(&s->lock);
  pthread_cond_destroy(&s->changed);
  pthread_mutex_destroy(&s->lock);
}

static void test_time_is_over(void **state) {
  (void)state;
  shared s = {.done = false};
  begin(&s);
  int64_t until_ns = psprobe_clock_monotonic() + 20 * MS;
  while (psp_cond_wait_until(&s.changed, &s.lock, until_ns)) {
  }
  assert_true(psprobe_clock_monotonic() >= until_ns);
  /* What has passed long ago is no mistake. */
  assert_false(psp_cond_wait_until(&s.changed, &s.lock, 0));
  assert_false(psp_cond_wait_until(&s.changed, &s.lock, -1));
  assert_false(psp_cond_wait_until(&s.changed, &s.lock, INT64_MIN));
  end(&s);
}

static void *finish(void *arg) {
  shared *s = arg;
  pthread_mutex_lock(&s->lock);
  s->done = true;
  pthread_cond_signal(&s->changed);
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

/* With an end that is far away, and without one. */
static void test_signal(void **state) {
  (void)state;
  const int64_t ends[] = {psprobe_clock_monotonic() + 3600000 * MS, INT64_MAX};
  for (int i = 0; i < 2; i++) {
    shared s = {.done = false};
    pthread_t thread;
    begin(&s);
    assert_int_equal(pthread_create(&thread, NULL, finish, &s), 0);
    while (!s.done)
      assert_true(psp_cond_wait_until(&s.changed, &s.lock, ends[i]));
    pthread_mutex_unlock(&s.lock);
    pthread_join(thread, NULL);
    pthread_mutex_lock(&s.lock);
    end(&s);
  }
}

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_time_is_over),
      cmocka_unit_test(test_signal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
