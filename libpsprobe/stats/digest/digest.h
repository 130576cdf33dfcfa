/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_DIGEST_DIGEST_H
#define PSP_STATS_DIGEST_DIGEST_H
/**
 * @file
 * What some thousand probes come to: counts, and histograms (bins.h) of each source's answers and
 * of each pair's differences, warm and cold apart. Some 6 bytes a probe, from which a comparison is
 * made without the probes (digest_compare.h). Pure.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/compare.h>

#include "base/buf.h"

#define PSP_DIGEST_SOURCES  16 /**< as PSPROBE_MAX_SOURCES */
#define PSP_DIGEST_PAIRS    (PSP_DIGEST_SOURCES * (PSP_DIGEST_SOURCES - 1) / 2)
#define PSP_DIGEST_STATUSES 5 /**< of psprobe_status */

/** How many values a bin holds. */
typedef struct psp_bin_count {
  int32_t bin;
  uint32_t count;
} psp_bin_count;

/** Values in bins, which stand among the digest's, in order; and their extremes (0 of none). */
typedef struct psp_digest_part {
  size_t first, count;
  int64_t min_ns, max_ns;
} psp_digest_part;

/** [0] warm, [1] cold */
typedef psp_digest_part psp_digest_values[2];

typedef struct psp_digest_source {
  uint64_t statuses[PSP_DIGEST_STATUSES]; /**< of what was sent */
  uint64_t duplicates;
  psp_digest_values answers;
} psp_digest_source;

typedef struct psp_digest_pair {
  uint64_t both_lost, only_a_lost, only_b_lost;
  psp_digest_values differences; /**< a - b of what both answered */
} psp_digest_pair;

/** Most probes that a digest names for pictures, and how many of them lie evenly. */
#define PSP_DIGEST_DRAWN 24
#define PSP_DIGEST_EVEN  4

/** Valid when zeroed. */
typedef struct psp_digest {
  uint64_t probes, unsent;
  psprobe_hedging hedging;
  int64_t first_ns, last_ns; /**< sent; 0 of none */
  size_t source_count;
  psp_digest_source sources[PSP_DIGEST_SOURCES];
  psp_digest_pair pairs[PSP_DIGEST_PAIRS]; /**< (0,1), (0,2), … (1,2), … */
  psp_bin_count *bins;
  size_t bin_count, bin_room;
  /** Probes that a picture shows for all, by their index: evenly spread ones first, then each
   * source's fastest and slowest, and lost ones. */
  uint32_t drawn[PSP_DIGEST_DRAWN];
  size_t drawn_count, even_count;
} psp_digest;

void psp_digest_free(psp_digest *digest);
/** Empties it, for so many sources; the memory is kept. */
void psp_digest_begin(psp_digest *digest, size_t sources);
/** Makes room for `more` bins. False without memory. */
bool psp_digest_reserve(psp_digest *digest, size_t more);

/** Which of the pairs of `sources` is that of a < b. */
size_t psp_digest_pair_at(size_t sources, size_t a, size_t b);

/** Makes the digest of probes, at most PSP_DIGEST_SOURCES sources. False without memory. */
bool psp_digest_make(psp_digest *digest, const psprobe_probes *probes);

/** Appends it as bytes: the same for equal digests. */
void psp_digest_put(psp_buf *out, const psp_digest *digest);

/** Reads such bytes, which may be a stranger's. False: they are none, are of no probes that there
 * can be, or no memory. */
bool psp_digest_read(psp_digest *digest, const void *data, size_t len);

#endif
