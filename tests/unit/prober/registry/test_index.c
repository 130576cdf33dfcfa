/* SPDX-License-Identifier: MIT */
/** @file The index: what is added is found, what is removed leaves nothing behind. */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "prober/registry/index.h"

#define BUCKETS 4
#define ENTRIES (BUCKETS * PSP_BUCKET_ENTRIES)

static bool holds(psp_index index, uint64_t hash, uint32_t slot) {
  uint32_t at = psp_index_home(index, hash);
  for (uint32_t seen = 0; seen < index.size; seen++, at = psp_index_after(index, at)) {
    unsigned found = psp_bucket_find(&index.buckets[at], psp_index_tag(hash));
    for (unsigned i = 0; i < PSP_BUCKET_ENTRIES; i++)
      if ((found >> i & 1) && index.buckets[at].slots[i] == slot) return true;
    if (index.buckets[at].passed_on == 0) return false;
  }
  return false;
}

/* Adds to the last entry and removes in an order of its own, checking all at each step. */
static void fill_and_empty(const uint64_t hashes[ENTRIES], unsigned stride) {
  alignas(64) psp_bucket buckets[BUCKETS] = {{.passed_on = 0}};
  psp_index index = {.buckets = buckets, .size = BUCKETS};
  bool there[ENTRIES] = {false};
  for (uint32_t i = 0; i < ENTRIES; i++) {
    assert_false(holds(index, hashes[i], i));
    psp_index_add(index, hashes[i], i);
    there[i] = true;
    for (uint32_t k = 0; k < ENTRIES; k++)
      assert_int_equal(holds(index, hashes[k], k), there[k]);
  }
  for (uint32_t i = 0; i < ENTRIES; i++) {
    uint32_t victim = i * stride % ENTRIES;
    psp_index_remove(index, hashes[victim], victim);
    there[victim] = false;
    for (uint32_t k = 0; k < ENTRIES; k++)
      assert_int_equal(holds(index, hashes[k], k), there[k]);
  }
  static const psp_bucket empty[BUCKETS];
  assert_memory_equal(buckets, empty, sizeof buckets);
}

static void test_all_ways_to_fall(void **state) {
  (void)state;
  uint64_t same[ENTRIES], last[ENTRIES], spread[ENTRIES], tagless[ENTRIES];
  for (uint32_t i = 0; i < ENTRIES; i++) {
    same[i] = UINT64_C(0xab00000000000000);
    last[i] = UINT64_C(0x12000000ffffffff); /* the last bucket runs over into the first */
    spread[i] = (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15);
    tagless[i] = (uint64_t)i * UINT64_C(0x04444444); /* the tag 0 is one like others */
  }
  static const unsigned strides[] = {1, 7, 47}; /* coprime to the number of entries */
  for (size_t s = 0; s < 3; s++) {
    fill_and_empty(same, strides[s]);
    fill_and_empty(last, strides[s]);
    fill_and_empty(spread, strides[s]);
    fill_and_empty(tagless, strides[s]);
  }
}

static void test_finding_tags(void **state) {
  (void)state;
  for (unsigned tag = 0; tag < 256; tag++) {
    for (unsigned place = 0; place < PSP_BUCKET_ENTRIES; place++) {
      psp_bucket bucket = {.passed_on = tag * 0x01010101u}; /* which is no tag */
      for (unsigned i = 0; i < PSP_BUCKET_ENTRIES; i++)
        bucket.tags[i] = (uint8_t)(i == place ? tag : i % 2 ? tag + 1 : tag ^ 0x80);
      assert_int_equal(psp_bucket_find(&bucket, (uint8_t)tag), 1u << place);
    }
  }
  for (uint64_t hash = 0; hash < 256; hash++)
    assert_int_not_equal(psp_index_tag(hash << 56), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_ways_to_fall),
      cmocka_unit_test(test_finding_tags),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
