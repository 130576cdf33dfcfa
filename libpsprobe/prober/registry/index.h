/* SPDX-License-Identifier: MIT */
#ifndef PSP_PROBER_REGISTRY_INDEX_H
#define PSP_PROBER_REGISTRY_INDEX_H
/**
 * @file
 * A fixed hash table from hashes to slot numbers, in buckets of one cache line.
 *
 * A bucket has eight bits of each hash side by side, so that one comparison
 * finds those that may fit (as Google's SwissTable does, 2017). One that was
 * full when an entry of it, or of one before, was added counts that entry as
 * passed on, so that a search knows where to end and a deletion leaves no
 * tombstone (the overflow counts of Facebook's F14, 2019). Compact on purpose:
 * with many probes it is the difference between the processor's cache and main
 * memory.
 *
 * A hash is not the key: the caller compares what the slot holds.
 */
#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define PSP_BUCKET_ENTRIES 12

typedef struct psp_bucket {
  uint8_t tags[PSP_BUCKET_ENTRIES]; /**< 0: empty */
  uint32_t passed_on;
  uint32_t slots[PSP_BUCKET_ENTRIES];
} psp_bucket;

/** A table: a plain value. Its owner counts the entries: no more than size * PSP_BUCKET_ENTRIES. */
typedef struct psp_index {
  psp_bucket *buckets; /**< `size` of them, zeroed, aligned to a cache line, the owner's */
  uint32_t size;
} psp_index;

/** Where a hash belongs: its low half's share of the table (Lemire, "Fast random integer
 * generation in an interval", 2019), so that the size need not be a power of two. */
static inline uint32_t psp_index_home(psp_index index, uint64_t hash) {
  return (uint32_t)((hash & UINT32_MAX) * index.size >> 32);
}

static inline uint32_t psp_index_after(psp_index index, uint32_t bucket) {
  return ++bucket == index.size ? 0 : bucket;
}

static inline uint8_t psp_index_tag(uint64_t hash) {
  uint8_t tag = (uint8_t)(hash >> 56);
  return tag != 0 ? tag : 1;
}

/** Bit i: byte i of the word, from the lowest, is zero. Exact. */
static inline unsigned psp_zero_bytes(uint64_t word) {
  const uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);
  uint64_t zero = ~(((word & low7) + low7) | word | low7); /* its high bit alone */
  return (unsigned)((zero >> 7) * UINT64_C(0x0102040810204080) >> 56);
}

/** Bit i: tag i of the bucket is `tag`. */
static inline unsigned psp_bucket_find(const psp_bucket *bucket, uint8_t tag) {
  uint64_t words[2]; /* the tags, and passed_on behind them */
  memcpy(words, bucket, sizeof words);
  uint64_t each = UINT64_C(0x0101010101010101) * tag;
  unsigned found = psp_zero_bytes(le64toh(words[0]) ^ each);
  return found | (psp_zero_bytes(le64toh(words[1]) ^ each) & 15) << 8;
}

/** The table must not be full. */
void psp_index_add(psp_index index, uint64_t hash, uint32_t slot);
/** The pair must be there. */
void psp_index_remove(psp_index index, uint64_t hash, uint32_t slot);

#endif
