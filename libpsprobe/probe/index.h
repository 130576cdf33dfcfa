/* SPDX-License-Identifier: MIT */
#ifndef PSP_PROBE_INDEX_H
#define PSP_PROBE_INDEX_H
/**
 * @file
 * A fixed hash table from hashes to slot numbers, in buckets of one cache line.
 *
 * An entry is 4 bytes: eight bits of the hash and the number. A bucket that
 * was full when an entry of it, or of one before, was added counts that entry
 * as passed on, so that a search knows where to end and a deletion leaves no
 * tombstone (the overflow counts of Bronson & Shi's F14, Facebook, 2019).
 * Compact on purpose: with a million probes it is the difference between the
 * processor's cache and main memory.
 *
 * A hash is not the key: the caller compares what the slot holds.
 */
#include <stdbool.h>
#include <stdint.h>

#define PSP_BUCKET_ENTRIES 15
/** Slot numbers are below this. */
#define PSP_INDEX_MAX_SLOT ((UINT32_C(1) << 24) - 1)

typedef struct psp_bucket {
  uint32_t entries[PSP_BUCKET_ENTRIES]; /**< hash bits 56 to 63, slot number plus 1; 0: empty */
  uint32_t passed_on;
} psp_bucket;

typedef struct psp_index {
  psp_bucket *buckets; /**< `size` of them, zeroed, aligned to a cache line, the owner's */
  uint32_t size;
  uint32_t used; /**< entries */
} psp_index;

/** Where a hash belongs: its low half's share of the table (Lemire, "Fast random integer
 * generation in an interval", 2019), so that the size need not be a power of two. */
static inline uint32_t psp_index_home(const psp_index *index, uint64_t hash) {
  return (uint32_t)((hash & UINT32_MAX) * index->size >> 32);
}

static inline uint32_t psp_index_after(const psp_index *index, uint32_t bucket) {
  return ++bucket == index->size ? 0 : bucket;
}

static inline uint32_t psp_index_entry(uint64_t hash, uint32_t slot) {
  return (uint32_t)(hash >> 56) << 24 | (slot + 1);
}

/** Bit i: entry i of the bucket may be that hash's. */
static inline unsigned psp_bucket_candidates(const psp_bucket *bucket, uint64_t hash) {
  uint32_t tag = (uint32_t)(hash >> 56) << 24;
  unsigned found = 0;
  for (unsigned i = 0; i < PSP_BUCKET_ENTRIES; i++) /* no branches to guess */
    found |= (unsigned)((bucket->entries[i] ^ tag) - 1 < PSP_INDEX_MAX_SLOT) << i;
  return found;
}

static inline uint32_t psp_bucket_slot(const psp_bucket *bucket, unsigned entry) {
  return (bucket->entries[entry] & PSP_INDEX_MAX_SLOT) - 1;
}

static inline bool psp_index_full(const psp_index *index) {
  return index->used >= index->size * PSP_BUCKET_ENTRIES;
}

/** The index must not be full. */
void psp_index_add(psp_index *index, uint64_t hash, uint32_t slot);
/** The pair must be there. */
void psp_index_remove(psp_index *index, uint64_t hash, uint32_t slot);

#endif
