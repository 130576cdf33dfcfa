/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "auth/verify/checker.h"
#include "os/wait.h"

/* What looks: it waits while `closed` is held, and finds every token that begins with b bad. */
typedef struct looker {
  pthread_mutex_t closed;
  pthread_t asker;
  atomic_uint looked, told;
} looker;

static void told(void *arg, void *subject, const psprobe_identity *identity,
                 const psprobe_error *error) {
  (void)subject, (void)identity, (void)error;
  atomic_fetch_add(&((looker *)arg)->told, 1);
}

static bool look(void *arg, const psp_visit *visit) {
  looker *l = arg;
  assert_false(pthread_equal(pthread_self(), l->asker));
  atomic_fetch_add(&l->looked, 1);
  pthread_mutex_lock(&l->closed);
  pthread_mutex_unlock(&l->closed);
  assert_int_equal(visit->len, 5);
  visit->done(visit->arg, visit->subject, NULL, NULL);
  return visit->token[0] != 'b';
}

typedef struct fixture {
  looker looker;
  psp_checker checker;
} fixture;

static void begin(fixture *f) {
  *f = (fixture){.looker = {.closed = PTHREAD_MUTEX_INITIALIZER, .asker = pthread_self()}};
  assert_true(psp_checker_start(&f->checker, look, &f->looker));
}

static bool add(fixture *f, const char *token) {
  char copy[8];
  strcpy(copy, token);
  psp_visit visit = {.token = copy, .len = 5, .done = told, .arg = &f->looker};
  bool taken = psp_checker_add(&f->checker, &visit);
  memset(copy, 'x', sizeof copy); /* it has one of its own */
  return taken;
}

static void end(fixture *f, unsigned all) {
  psp_checker_stop(&f->checker);
  assert_int_equal(f->looker.told, all);
  assert_false(add(f, "good!"));
  psp_checker_stop(&f->checker);
  psp_checker_clear(&f->checker);
}

/* One is being looked at and 256 wait: there is no room for more, and all of those are told. */
static void test_room(void **state) {
  (void)state;
  fixture f;
  begin(&f);
  pthread_mutex_lock(&f.looker.closed);
  assert_true(add(&f, "good!"));
  while (atomic_load(&f.looker.looked) == 0)
    sched_yield();
  for (int i = 0; i < PSP_VISITOR_LINE_MAX; i++)
    assert_true(add(&f, "good!"));
  assert_false(add(&f, "good!"));
  assert_false(add(&f, "good!"));
  pthread_mutex_unlock(&f.looker.closed);
  end(&f, 1 + PSP_VISITOR_LINE_MAX);
}

/* However many bad ones come, they are looked at with a rest after each; good ones need none. */
static void test_rest(void **state) {
  (void)state;
  fixture f;
  begin(&f);
  int64_t begun_ns = psprobe_clock_monotonic();
  enum { BAD = 40 };
  for (int i = 0; i < BAD; i++)
    assert_true(add(&f, "bad!!"));
  assert_true(add(&f, "good!"));
  while (atomic_load(&f.looker.told) < BAD + 1)
    sched_yield();
  assert_true(psprobe_clock_monotonic() - begun_ns >= BAD * PSP_CHECKER_REST_NS);
  end(&f, BAD + 1);
}

/* Whoever ends waits for nobody's rests. */
static void test_stop(void **state) {
  (void)state;
  fixture f;
  begin(&f);
  for (int i = 0; i < PSP_VISITOR_LINE_MAX; i++)
    assert_true(add(&f, "bad!!"));
  int64_t begun_ns = psprobe_clock_monotonic();
  end(&f, PSP_VISITOR_LINE_MAX);
  assert_true(psprobe_clock_monotonic() - begun_ns < PSP_VISITOR_LINE_MAX * PSP_CHECKER_REST_NS);
}

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_room),
      cmocka_unit_test(test_rest),
      cmocka_unit_test(test_stop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
