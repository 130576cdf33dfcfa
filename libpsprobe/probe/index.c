/* SPDX-License-Identifier: MIT */
#include "probe/index.h"

/** The place of an entry in a bucket, or PSP_BUCKET_ENTRIES. */
static unsigned place_of(const psp_bucket *bucket, uint32_t entry) {
  unsigned i = 0;
  while (i < PSP_BUCKET_ENTRIES && bucket->entries[i] != entry)
    i++;
  return i;
}

void psp_index_add(psp_index *index, uint64_t hash, uint32_t slot) {
  uint32_t at = psp_index_home(index, hash);
  unsigned place;
  while ((place = place_of(&index->buckets[at], 0)) == PSP_BUCKET_ENTRIES) {
    index->buckets[at].passed_on++;
    at = psp_index_after(index, at);
  }
  index->buckets[at].entries[place] = psp_index_entry(hash, slot);
  index->used++;
}

void psp_index_remove(psp_index *index, uint64_t hash, uint32_t slot) {
  uint32_t entry = psp_index_entry(hash, slot);
  uint32_t at = psp_index_home(index, hash);
  unsigned place;
  while ((place = place_of(&index->buckets[at], entry)) == PSP_BUCKET_ENTRIES) {
    index->buckets[at].passed_on--;
    at = psp_index_after(index, at);
  }
  index->buckets[at].entries[place] = 0;
  index->used--;
}
