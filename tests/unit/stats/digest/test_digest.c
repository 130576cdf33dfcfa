/* SPDX-License-Identifier: MIT */
/** @file Digests of random probes, counted one by one, and through their bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "stats/bins.h"
#include "stats/digest/digest.h"
#include "stats/rng.h"

#define PROBES  700
#define SOURCES 3

typedef struct drawn {
  int64_t sent[PROBES], publish[PROBES], elapsed[SOURCES][PROBES];
  uint8_t status[SOURCES][PROBES];
  bool cold[SOURCES][PROBES], unsent[PROBES];
  uint32_t duplicates[SOURCES][PROBES];
  psprobe_series series[SOURCES];
  psprobe_probes probes;
} drawn;

static void draw(drawn *d, uint64_t seed, size_t count) {
  psp_rng rng;
  psp_rng_seed(&rng, seed);
  for (size_t i = 0; i < count; i++) {
    d->sent[i] = (int64_t)psp_rng_below(&rng, 1000000) - 500;
    d->unsent[i] = psp_rng_below(&rng, 20) == 0;
    d->publish[i] = (int64_t)psp_rng_below(&rng, 3) * (PSPROBE_HEDGE_NS + 1) / 2;
    if (d->unsent[i]) d->publish[i] = -1;
    for (size_t k = 0; k < SOURCES; k++) {
      d->elapsed[k][i] = (int64_t)psp_rng_below(&rng, UINT64_C(1) << psp_rng_below(&rng, 40)) - 3;
      d->status[k][i] = d->unsent[i] ? PSPROBE_LOST : (uint8_t)psp_rng_below(&rng, 5);
      d->cold[k][i] = psp_rng_below(&rng, 4) == 0;
      d->duplicates[k][i] = (uint32_t)psp_rng_below(&rng, 3);
    }
  }
  for (size_t k = 0; k < SOURCES; k++)
    d->series[k] = (psprobe_series){"s", d->elapsed[k], d->status[k], d->cold[k], d->duplicates[k]};
  d->probes = (psprobe_probes){count, d->sent, SOURCES, d->series, d->unsent, d->publish};
}

static bool came(const drawn *d, size_t k, size_t i) {
  return d->status[k][i] == PSPROBE_ANSWERED || d->status[k][i] == PSPROBE_LATE;
}

/* How many of a part's values lie in `bin`. */
static uint64_t in_bin(const psp_digest *digest, const psp_digest_part *part, int32_t bin) {
  for (size_t i = part->first; i < part->first + part->count; i++)
    if (digest->bins[i].bin == bin) return digest->bins[i].count;
  return 0;
}

static uint64_t all_of(const psp_digest *digest, const psp_digest_part *part) {
  uint64_t all = 0;
  for (size_t i = part->first; i < part->first + part->count; i++) {
    all += digest->bins[i].count;
    if (i > part->first) assert_true(digest->bins[i].bin > digest->bins[i - 1].bin);
  }
  return all;
}

/* A part holds exactly these values. */
static void check_part(const psp_digest *digest, const psp_digest_part *part, const int64_t *values,
                       size_t count) {
  assert_int_equal(all_of(digest, part), count);
  int64_t min = 0, max = 0;
  for (size_t i = 0; i < count; i++) {
    uint64_t same = 0;
    for (size_t j = 0; j < count; j++)
      same += psp_bin_of(values[j]) == psp_bin_of(values[i]);
    assert_int_equal(in_bin(digest, part, psp_bin_of(values[i])), same);
    min = i == 0 || values[i] < min ? values[i] : min;
    max = i == 0 || values[i] > max ? values[i] : max;
  }
  assert_int_equal(part->min_ns, min);
  assert_int_equal(part->max_ns, max);
}

static void check_source(const drawn *d, const psp_digest *digest, size_t k) {
  uint64_t statuses[PSP_DIGEST_STATUSES] = {0}, duplicates = 0;
  int64_t values[2][PROBES];
  size_t count[2] = {0};
  for (size_t i = 0; i < d->probes.count; i++) {
    if (d->unsent[i]) continue;
    statuses[d->status[k][i]]++;
    if (d->status[k][i] <= PSPROBE_LATE) duplicates += d->duplicates[k][i];
    if (came(d, k, i)) values[d->cold[k][i]][count[d->cold[k][i]]++] = d->elapsed[k][i];
  }
  assert_memory_equal(digest->sources[k].statuses, statuses, sizeof statuses);
  assert_int_equal(digest->sources[k].duplicates, duplicates);
  for (int part = 0; part < 2; part++)
    check_part(digest, &digest->sources[k].answers[part], values[part], count[part]);
}

static void check_pair(const drawn *d, const psp_digest *digest, size_t a, size_t b) {
  const psp_digest_pair *pair = &digest->pairs[psp_digest_pair_at(SOURCES, a, b)];
  uint64_t both = 0, only_a = 0, only_b = 0;
  int64_t values[2][PROBES];
  size_t count[2] = {0};
  for (size_t i = 0; i < d->probes.count; i++) {
    if (d->unsent[i]) continue;
    const bool told = d->status[a][i] <= PSPROBE_LATE && d->status[b][i] <= PSPROBE_LATE;
    const bool lost_a = d->status[a][i] == PSPROBE_LOST, lost_b = d->status[b][i] == PSPROBE_LOST;
    both += told && lost_a && lost_b;
    only_a += told && lost_a && !lost_b;
    only_b += told && lost_b && !lost_a;
    const bool cold = d->cold[a][i] || d->cold[b][i];
    if (came(d, a, i) && came(d, b, i))
      values[cold][count[cold]++] = d->elapsed[a][i] - d->elapsed[b][i];
  }
  assert_int_equal(pair->both_lost, both);
  assert_int_equal(pair->only_a_lost, only_a);
  assert_int_equal(pair->only_b_lost, only_b);
  for (int part = 0; part < 2; part++)
    check_part(digest, &pair->differences[part], values[part], count[part]);
}

static void check(const drawn *d, const psp_digest *digest) {
  uint64_t unsent = 0, timed = 0, slow = 0;
  for (size_t i = 0; i < d->probes.count; i++) {
    unsent += d->unsent[i];
    timed += d->publish[i] >= 0;
    slow += d->publish[i] == PSPROBE_HEDGE_NS + 1;
  }
  assert_int_equal(digest->probes, d->probes.count);
  assert_int_equal(digest->unsent, unsent);
  assert_int_equal(digest->hedging.timed, timed);
  assert_int_equal(digest->hedging.slow, slow);
  for (size_t k = 0; k < SOURCES; k++)
    check_source(d, digest, k);
  check_pair(d, digest, 0, 1);
  check_pair(d, digest, 0, 2);
  check_pair(d, digest, 1, 2);
  for (size_t i = 0; i < digest->drawn_count; i++)
    assert_true(digest->drawn[i] < d->probes.count);
}

static void test_random_probes(void **state) {
  (void)state;
  drawn *d = test_calloc(1, sizeof *d);
  psp_digest digest = {0}, again = {0};
  psp_buf bytes = {0}, same = {0};
  for (uint64_t seed = 0; seed < 8; seed++) {
    draw(d, seed, seed < 3 ? seed : PROBES - seed);
    assert_true(psp_digest_make(&digest, &d->probes));
    check(d, &digest);
    psp_buf_reset(&bytes);
    psp_buf_reset(&same);
    psp_digest_put(&bytes, &digest);
    assert_true(psp_digest_read(&again, bytes.data, bytes.len));
    check(d, &again);
    psp_digest_put(&same, &again);
    assert_int_equal(same.len, bytes.len);
    assert_memory_equal(same.data, bytes.data, bytes.len);
  }
  psp_digest_free(&digest);
  psp_digest_free(&again);
  psp_buf_free(&bytes);
  psp_buf_free(&same);
  test_free(d);
}

/* A digest of form 1 told nothing of publish calls: none of them was timed then. */
static void test_form_1(void **state) {
  (void)state;
  drawn *d = test_calloc(1, sizeof *d);
  psp_digest digest = {0}, read = {0};
  psp_buf bytes = {0}, old = {0};
  draw(d, 4, 60);
  assert_true(psp_digest_make(&digest, &d->probes));
  assert_true(digest.hedging.slow > 0);
  psp_digest_put(&bytes, &digest);
  psp_buf_char(&old, 1);
  psp_buf_add(&old, bytes.data + 1, 3); /* sources, probes, unsent */
  psp_buf_add(&old, bytes.data + 6, bytes.len - 6);
  assert_true(psp_digest_read(&read, old.data, old.len));
  assert_int_equal(read.hedging.timed, 0);
  assert_int_equal(read.hedging.slow, 0);
  read.hedging = digest.hedging;
  check(d, &read);
  bytes.data[4] = 0; /* fewer were timed than were slow */
  assert_false(psp_digest_read(&read, bytes.data, bytes.len));
  bytes.data[4] = 61; /* of 60 probes */
  assert_false(psp_digest_read(&read, bytes.data, bytes.len));
  psp_digest_free(&digest);
  psp_digest_free(&read);
  psp_buf_free(&bytes);
  psp_buf_free(&old);
  test_free(d);
}

/* The slowest answer and the fastest are among those that pictures show. */
static void test_extremes_are_drawn(void **state) {
  (void)state;
  drawn *d = test_calloc(1, sizeof *d);
  psp_digest digest = {0};
  draw(d, 5, PROBES);
  for (size_t i = 0; i < PROBES; i++)
    d->unsent[i] = false, d->status[1][i] = PSPROBE_ANSWERED;
  d->elapsed[1][333] = INT64_C(1) << 50;
  d->elapsed[1][444] = -9;
  assert_true(psp_digest_make(&digest, &d->probes));
  bool fastest = false, slowest = false;
  for (size_t i = digest.even_count; i < digest.drawn_count; i++) {
    fastest |= digest.drawn[i] == 444;
    slowest |= digest.drawn[i] == 333;
  }
  assert_true(fastest && slowest);
  assert_int_equal(digest.even_count, PSP_DIGEST_EVEN);
  psp_digest_free(&digest);
  test_free(d);
}

/* Bytes of a stranger's file: cut off, or with any byte changed, they are refused or are a digest
 * that can be gone over. */
static void test_broken_bytes(void **state) {
  (void)state;
  drawn *d = test_calloc(1, sizeof *d);
  psp_digest digest = {0}, read = {0};
  psp_buf bytes = {0};
  psp_rng rng;
  draw(d, 9, 60);
  assert_true(psp_digest_make(&digest, &d->probes));
  psp_digest_put(&bytes, &digest);
  for (size_t len = 0; len < bytes.len; len++) {
    char *exact = test_malloc(len + 1); /* so that a byte too far is seen */
    memcpy(exact, bytes.data, len);
    assert_false(psp_digest_read(&read, exact, len));
    test_free(exact);
  }
  psp_rng_seed(&rng, 1);
  for (int i = 0; i < 20000; i++) {
    const size_t at = psp_rng_below(&rng, bytes.len);
    const char before = bytes.data[at];
    bytes.data[at] = (char)psp_rng_below(&rng, 256);
    if (psp_digest_read(&read, bytes.data, bytes.len))
      for (size_t k = 0; k < read.source_count; k++)
        assert_true(all_of(&read, &read.sources[k].answers[0]) <= read.probes);
    bytes.data[at] = before;
  }
  psp_digest_free(&digest);
  psp_digest_free(&read);
  psp_buf_free(&bytes);
  test_free(d);
}

typedef void breaking(psp_digest *digest);

static psp_bin_count *first_bin(psp_digest *digest) {
  return &digest->bins[digest->sources[0].answers[0].first];
}

static void add_answer(psp_digest *d) {
  d->sources[0].statuses[PSPROBE_ANSWERED]++;
}
static void add_lost(psp_digest *d) {
  d->sources[0].statuses[PSPROBE_LOST] = d->probes;
}
static void lose_all(psp_digest *d) {
  d->pairs[0].only_a_lost = UINT64_MAX;
}
static void repeat_all(psp_digest *d) {
  d->sources[0].duplicates = UINT64_MAX;
}
static void unsend(psp_digest *d) {
  d->unsent = d->probes + 1;
}
static void end_first(psp_digest *d) {
  d->first_ns = d->last_ns + 1;
}
static void lower(psp_digest *d) {
  d->sources[0].answers[0].min_ns = INT64_MIN;
}
static void raise_most(psp_digest *d) {
  d->pairs[0].differences[0].max_ns = INT64_MAX;
}
static void raise_bin(psp_digest *d) {
  first_bin(d)->bin++;
}
static void add_value(psp_digest *d) {
  first_bin(d)->count++;
}

/* Figures that are of no probes that there can be, in bytes that are in order. */
static void test_what_cannot_be(void **state) {
  static breaking *const ways[] = {add_answer, add_lost, lose_all,   repeat_all, unsend,
                                   end_first,  lower,    raise_most, raise_bin,  add_value};
  (void)state;
  drawn *d = test_calloc(1, sizeof *d);
  psp_digest digest = {0}, read = {0};
  psp_buf bytes = {0};
  draw(d, 9, 60);
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    assert_true(psp_digest_make(&digest, &d->probes));
    ways[i](&digest);
    psp_buf_reset(&bytes);
    psp_digest_put(&bytes, &digest);
    if (psp_digest_read(&read, bytes.data, bytes.len)) fail_msg("way %zu is taken", i);
  }
  psp_digest_free(&digest);
  psp_digest_free(&read);
  psp_buf_free(&bytes);
  test_free(d);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random_probes),      cmocka_unit_test(test_form_1),
      cmocka_unit_test(test_extremes_are_drawn), cmocka_unit_test(test_broken_bytes),
      cmocka_unit_test(test_what_cannot_be),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
