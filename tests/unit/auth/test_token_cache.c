/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/token_cache.h"

#define S INT64_C(1000000000)

static void test_schedule(void **state) {
  (void)state;
  static const struct {
    int64_t life_s, expires_s, refresh_s; /* from when it was asked for */
  } cases[] = {
      {3599, 3599, 3374}, {3600, 3600, 3375}, {226, 226, 1},         {225, 225, -1},
      {224, 224, 112},    {60, 60, 30},       {14, 14, 7},           {4, 4, 2},
      {2, 2, 2},          {1, 1, 1},          {86400, 86400, 86175},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_token_times times = psp_token_schedule(1000 * S, cases[i].life_s);
    assert_int_equal(times.expires_ns, (1000 + cases[i].expires_s) * S);
    if (cases[i].refresh_s >= 0)
      assert_int_equal(times.refresh_ns, (1000 + cases[i].refresh_s) * S);
    assert_true(times.refresh_ns > 1000 * S && times.refresh_ns <= times.expires_ns);
  }
}

/* The metadata server repeats a token that is near its end: few questions until then, not one for
 * every call. */
static void test_repeated_token(void **state) {
  (void)state;
  static const int64_t left[] = {224, 66, 60, 59, 22, 14, 1};
  for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
    int64_t now = 0, end = left[i] * S;
    int asked = 0;
    while (now < end) {
      int64_t life_s = (end - now) / S;
      if (life_s == 0) break;
      asked++;
      now = psp_token_schedule(now, life_s).refresh_ns;
    }
    assert_true(asked >= 1 && asked <= 9);
  }
}

static void test_retry(void **state) {
  (void)state;
  static const int64_t most_s[] = {1, 2, 4, 8, 16, 30, 30, 30};
  for (unsigned failures = 1; failures <= 8; failures++) {
    int64_t most = most_s[failures - 1] * S;
    assert_int_equal(psp_token_retry_at(7, failures, 0), 7 + most);
    for (uint64_t random = 1; random != 0; random <<= 1) {
      int64_t at = psp_token_retry_at(7, failures, random - 1);
      assert_true(at >= 7 + most / 2 && at <= 7 + most);
    }
  }
  assert_true(psp_token_retry_at(0, UINT32_MAX, 0) == 30 * S);
}

static size_t read_at(const psp_token_cache *cache, int64_t now, char *out, size_t size,
                      bool *refresh) {
  uint64_t generation;
  return psp_token_cache_read(cache, now, out, size, &generation, refresh);
}

static void test_life(void **state) {
  (void)state;
  psp_token_cache cache = {0};
  char out[32];
  bool refresh;
  assert_int_equal(read_at(&cache, 0, out, sizeof out, &refresh), 0);
  assert_true(refresh);
  psp_token_times times = {.expires_ns = 100, .refresh_ns = 70};
  assert_true(psp_token_cache_write(&cache, "Bearer one", 10, times));
  assert_int_equal(read_at(&cache, 69, out, sizeof out, &refresh), 10);
  assert_string_equal(out, "Bearer one");
  assert_false(refresh);
  assert_int_equal(read_at(&cache, 70, out, sizeof out, &refresh), 10);
  assert_true(refresh);
  assert_int_equal(read_at(&cache, 99, out, sizeof out, &refresh), 10);
  assert_int_equal(read_at(&cache, 100, out, sizeof out, &refresh), 0);
  /* Too little room: its length, and nothing written. */
  memset(out, 'x', sizeof out);
  assert_int_equal(read_at(&cache, 0, out, 10, &refresh), 10);
  assert_int_equal(out[0], 'x');
  assert_int_equal(read_at(&cache, 0, out, 0, &refresh), 10);
  assert_int_equal(read_at(&cache, 0, out, 11, &refresh), 10);
  psp_token_cache_clear(&cache);
}

static void test_drop(void **state) {
  (void)state;
  psp_token_cache cache = {0};
  char out[32];
  bool refresh;
  uint64_t first, second;
  psp_token_times times = {.expires_ns = 100, .refresh_ns = 70};
  assert_true(psp_token_cache_write(&cache, "one", 3, times));
  psp_token_cache_read(&cache, 0, out, sizeof out, &first, &refresh);
  assert_true(psp_token_cache_write(&cache, "two", 3, times));
  /* A 401 for the old token says nothing about the new one. */
  assert_false(psp_token_cache_drop(&cache, first));
  assert_int_equal(psp_token_cache_read(&cache, 0, out, sizeof out, &second, &refresh), 3);
  assert_string_equal(out, "two");
  assert_int_not_equal(first, second);
  assert_true(psp_token_cache_drop(&cache, second));
  assert_int_equal(read_at(&cache, 0, out, sizeof out, &refresh), 0);
  assert_false(psp_token_cache_drop(&cache, second));
  assert_true(psp_token_cache_write(&cache, "three", 5, times));
  assert_int_equal(read_at(&cache, 0, out, sizeof out, &refresh), 5);
  psp_token_cache_clear(&cache);
}

static void test_sizes(void **state) {
  (void)state;
  psp_token_cache cache = {0};
  psp_token_times times = {.expires_ns = 100, .refresh_ns = 70};
  static char text[40000], out[40001];
  bool refresh;
  for (size_t len = 1; len < sizeof text; len = len < 64 ? len + 1 : len * 3 / 2) {
    memset(text, 'a' + (int)(len % 26), len);
    assert_true(psp_token_cache_write(&cache, text, len, times));
    assert_int_equal(read_at(&cache, 0, out, sizeof out, &refresh), len);
    assert_memory_equal(out, text, len);
    assert_int_equal(out[len], 0);
  }
  assert_true(psp_token_cache_write(&cache, "short", 5, times));
  assert_int_equal(read_at(&cache, 0, out, sizeof out, &refresh), 5);
  assert_string_equal(out, "short");
  psp_token_cache_clear(&cache);
}

/* ---- readers while it is written ---- */

enum { READERS = 3, WRITES = 3000 };

static psp_token_cache shared;
static atomic_bool stop;
static atomic_ulong reads;

/* Every text is one letter many times: of two that got mixed, one would stand out. */
static void *read_on(void *arg) {
  static _Thread_local char out[20000];
  bool *bad = arg;
  while (!atomic_load(&stop)) {
    uint64_t generation;
    bool refresh;
    size_t len = psp_token_cache_read(&shared, 0, out, sizeof out, &generation, &refresh);
    for (size_t i = 1; i < len; i++)
      if (out[i] != out[0]) *bad = true;
    /* Length and letter belong together. */
    if (len > 0 && len % 26 != (size_t)(out[0] - 'a')) *bad = true;
    atomic_fetch_add(&reads, 1);
  }
  return NULL;
}

static void test_race(void **state) {
  (void)state;
  pthread_t threads[READERS];
  bool bad[READERS] = {false};
  for (int i = 0; i < READERS; i++)
    pthread_create(&threads[i], NULL, read_on, &bad[i]);
  static char text[20000];
  psp_token_times times = {.expires_ns = 100, .refresh_ns = 70};
  for (int i = 0; i < WRITES; i++) {
    /* Longer ones now and then, so that its memory moves under the readers. */
    size_t len = (size_t)(100 + i * 7 % 900 + (i % 500 == 499 ? i * 5 : 0));
    memset(text, 'a' + (int)(len % 26), len);
    assert_true(psp_token_cache_write(&shared, text, len, times));
  }
  while (atomic_load(&reads) < 1000) {
  }
  atomic_store(&stop, true);
  for (int i = 0; i < READERS; i++) {
    pthread_join(threads[i], NULL);
    assert_false(bad[i]);
  }
  psp_token_cache_clear(&shared);
}

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_schedule), cmocka_unit_test(test_repeated_token),
      cmocka_unit_test(test_retry),    cmocka_unit_test(test_life),
      cmocka_unit_test(test_drop),     cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_race),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
