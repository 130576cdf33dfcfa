/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/client/retry.h"

#define MS  INT64_C(1000000)
#define S   INT64_C(1000000000)
#define TOP (~UINT64_C(0))

static const psp_retry_policy unavailable = {.codes = PSP_RETRY_ON(PSPROBE_UNAVAILABLE)};

static int64_t delay(const psp_retry_policy *policy, psprobe_code code, unsigned attempt,
                     uint64_t random) {
  psprobe_error error = {.code = code};
  return psp_retry_delay(policy, &error, attempt, 0, INT64_MAX, random);
}

/* The longest wait there can be: random % (ceiling + 1) is the ceiling when random is it. */
static int64_t longest(const psp_retry_policy *policy, unsigned attempt) {
  int64_t low = 0, high = INT64_C(1) << 50;
  while (low < high) { /* random below the ceiling is the wait itself */
    int64_t middle = low + (high - low + 1) / 2;
    if (delay(policy, PSPROBE_UNAVAILABLE, attempt, (uint64_t)middle) == middle)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

static void test_codes(void **state) {
  (void)state;
  for (int code = 0; code <= 17; code++) {
    int64_t wait = delay(&unavailable, (psprobe_code)code, 1, 5);
    assert_int_equal(wait, code == PSPROBE_UNAVAILABLE ? 5 : -1);
  }
  psp_retry_policy none = {0};
  assert_int_equal(delay(&none, PSPROBE_UNAVAILABLE, 1, 5), -1);
  psp_retry_policy two = {.codes =
                              PSP_RETRY_ON(PSPROBE_ABORTED) | PSP_RETRY_ON(PSPROBE_UNAVAILABLE)};
  assert_int_equal(delay(&two, PSPROBE_ABORTED, 1, 7), 7);
  assert_int_equal(delay(&two, PSPROBE_INTERNAL, 1, 7), -1);
  psp_retry_policy all = {.codes = ~0u};
  assert_int_equal(delay(&all, PSPROBE_OK, 1, 7), -1);
}

static void test_growth(void **state) {
  (void)state;
  assert_int_equal(longest(&unavailable, 1), 100 * MS);
  assert_int_equal(longest(&unavailable, 2), 130 * MS);
  assert_int_equal(longest(&unavailable, 3), 169 * MS);
  assert_int_equal(longest(&unavailable, 1000), 60 * S);
  assert_int_equal(longest(&unavailable, UINT32_MAX), 60 * S);

  psp_retry_policy publish = {.codes = unavailable.codes, .factor = 4, .max_ns = 2 * S};
  assert_int_equal(longest(&publish, 2), 400 * MS);
  assert_int_equal(longest(&publish, 3), 1600 * MS);
  assert_int_equal(longest(&publish, 4), 2 * S);

  /* A factor that does not grow neither loops nor shrinks. */
  psp_retry_policy flat = {.codes = unavailable.codes, .factor = 1, .initial_ns = 3 * S};
  assert_int_equal(longest(&flat, UINT32_MAX), 3 * S);
  psp_retry_policy below = {.codes = unavailable.codes, .factor = 0.5};
  assert_int_equal(longest(&below, 9), 100 * MS);
  psp_retry_policy inverted = {.codes = unavailable.codes, .initial_ns = 9 * S, .max_ns = 1 * S};
  assert_int_equal(longest(&inverted, 1), 1 * S);
}

static void test_jitter(void **state) {
  (void)state;
  assert_int_equal(delay(&unavailable, PSPROBE_UNAVAILABLE, 1, 0), 0);
  uint64_t random = 88172645463325252u;
  int64_t sum = 0;
  for (int i = 0; i < 10000; i++) {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    int64_t wait = delay(&unavailable, PSPROBE_UNAVAILABLE, 1, random);
    assert_in_range(wait, 0, 100 * MS);
    sum += wait;
  }
  assert_in_range(sum / 10000, 48 * MS, 52 * MS); /* uniform: the mean is half */
  assert_in_range(delay(&unavailable, PSPROBE_UNAVAILABLE, 1, TOP), 0, 100 * MS);
}

static void test_attempts(void **state) {
  (void)state;
  psp_retry_policy three = {.codes = unavailable.codes, .max_attempts = 3};
  assert_int_equal(delay(&three, PSPROBE_UNAVAILABLE, 1, 5), 5);
  assert_int_equal(delay(&three, PSPROBE_UNAVAILABLE, 2, 5), 5);
  assert_int_equal(delay(&three, PSPROBE_UNAVAILABLE, 3, 5), -1);
  psp_retry_policy one = {.codes = unavailable.codes, .max_attempts = 1};
  assert_int_equal(delay(&one, PSPROBE_UNAVAILABLE, 1, 5), -1);
}

static void test_deadline(void **state) {
  (void)state;
  psprobe_error error = {.code = PSPROBE_UNAVAILABLE};
  assert_int_equal(psp_retry_delay(&unavailable, &error, 1, 1000, 2000, 999), 999);
  assert_int_equal(psp_retry_delay(&unavailable, &error, 1, 1000, 2000, 1000), -1);
  assert_int_equal(psp_retry_delay(&unavailable, &error, 1, 2000, 2000, 0), -1);
  assert_int_equal(psp_retry_delay(&unavailable, &error, 1, 3000, 2000, 0), -1);
  assert_int_equal(psp_retry_delay(&unavailable, &error, 1, INT64_MIN, INT64_MAX, 7), 7);
}

static void test_retry_after(void **state) {
  (void)state;
  psprobe_error error = {.code = PSPROBE_UNAVAILABLE, .retry_after_ns = 5 * S};
  assert_int_equal(psp_retry_delay(&unavailable, &error, 1, 0, INT64_MAX, 0), 5 * S);
  assert_int_equal(psp_retry_delay(&unavailable, &error, 1, 0, INT64_MAX, 9), 5 * S + 9);
  assert_int_equal(psp_retry_delay(&unavailable, &error, 1, 0, 5 * S, 0), -1);
  error.retry_after_ns = INT64_MAX;
  assert_int_equal(psp_retry_delay(&unavailable, &error, 1, 0, INT64_MAX, 9), 60 * S + 9);
  error.retry_after_ns = -3;
  assert_int_equal(psp_retry_delay(&unavailable, &error, 1, 0, INT64_MAX, 9), 9);
}

/* A time that was over hides what is wrong: that is told with it, also the second time. */
static void test_past(void **state) {
  (void)state;
  psp_retry_past past = {0};
  psprobe_error error = {.code = PSPROBE_DEADLINE_EXCEEDED, .message = "after 1 s"};
  psp_retry_note(&past, &error);
  assert_string_equal(error.message, "after 1 s");
  error = (psprobe_error){.code = PSPROBE_UNAVAILABLE, .retryable = true, .message = "HTTP 500"};
  psp_retry_note(&past, &error);
  assert_string_equal(error.message, "HTTP 500");
  for (int i = 0; i < 2; i++) {
    error = (psprobe_error){
        .code = PSPROBE_DEADLINE_EXCEEDED, .retryable = true, .message = "after 38 ms"};
    psp_retry_note(&past, &error);
    assert_string_equal(error.message, "after 38 ms; before that: HTTP 500");
    assert_int_equal(error.code, PSPROBE_DEADLINE_EXCEEDED);
    assert_true(error.retryable);
  }
  error = (psprobe_error){
      .code = PSPROBE_DEADLINE_EXCEEDED, .from_service = true, .message = "Google's own word"};
  psp_retry_note(&past, &error);
  assert_string_equal(error.message, "Google's own word");
  assert_string_equal(past.message, "Google's own word");
  psp_retry_past_free(&past);
  psp_retry_past_free(&past);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_codes),    cmocka_unit_test(test_growth),
      cmocka_unit_test(test_jitter),   cmocka_unit_test(test_attempts),
      cmocka_unit_test(test_deadline), cmocka_unit_test(test_retry_after),
      cmocka_unit_test(test_past),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
