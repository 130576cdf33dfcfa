/* SPDX-License-Identifier: MIT */
#include "prober/registry/index.h"

#include <stddef.h>

_Static_assert(offsetof(psp_bucket, passed_on) == PSP_BUCKET_ENTRIES && sizeof(psp_bucket) == 64,
               "a bucket is one cache line that begins with the tags");

void psp_index_add(psp_index index, uint64_t hash, uint32_t slot) {
  uint32_t at = psp_index_home(index, hash);
  unsigned empty;
  while ((empty = psp_bucket_find(&index.buckets[at], 0)) == 0) {
    index.buckets[at].passed_on++;
    at = psp_index_after(index, at);
  }
  unsigned place = (unsigned)__builtin_ctz(empty);
  index.buckets[at].tags[place] = psp_index_tag(hash);
  index.buckets[at].slots[place] = slot;
}

/* Empties the entry in a bucket. @return false: it is not in this one */
static bool remove_from(psp_bucket *bucket, uint8_t tag, uint32_t slot) {
  for (unsigned left = psp_bucket_find(bucket, tag); left != 0; left &= left - 1) {
    unsigned place = (unsigned)__builtin_ctz(left);
    if (bucket->slots[place] != slot) continue;
    bucket->tags[place] = 0;
    bucket->slots[place] = 0;
    return true;
  }
  return false;
}

void psp_index_remove(psp_index index, uint64_t hash, uint32_t slot) {
  uint32_t at = psp_index_home(index, hash);
  uint8_t tag = psp_index_tag(hash);
  while (!remove_from(&index.buckets[at], tag, slot)) {
    index.buckets[at].passed_on--;
    at = psp_index_after(index, at);
  }
}
