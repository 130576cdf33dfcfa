/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_COMPARE_H
#define PSPROBE_COMPARE_H
/**
 * @file
 * Which source answers faster, by how much, and how sure that is. Pure: arrays
 * in, figures and words out; no clock, no chance (the seed is an argument). All
 * times and durations are int64 nanoseconds; every interval is a 95 % one, and
 * holds what it says for serially correlated probes too. No figure is ever NaN.
 *
 * Where the formulas come from stands with the private headers that hold them
 * (stats/quantile_ci.h, sign_interval.h, hodges_lehmann.h, walsh.h, wilcoxon.h, bootstrap.h,
 * proportions.h, serial.h, difference.h, slowness.h, verdict.h, ranking.h); in short:
 * quantiles: nearest rank (Hyndman & Fan 1996, type 1), intervals of order statistics (binomial);
 * medians of differences: order statistics, symmetric, so that swapping the sources mirrors them;
 * shift: Hodges & Lehmann 1963; tests: sign test, Wilcoxon's signed ranks with Pratt's zeros,
 * McNemar's mid-p; shares: Wilson 1927; bootstrap: Efron's BCa 1987, circular blocks under serial
 * correlation; many pairs: Holm 1979.
 *
 * Ownership: a comparison copies what it keeps, and what it hands out is its own.
 * Threading: any thread may read a comparison, many at a time.
 * Blocks: never.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/answer.h>
#include <psprobe/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What one source made of all probes, in columns as long as there are probes. All borrowed. */
typedef struct psprobe_series {
  const char *name;
  const int64_t *elapsed_ns;  /**< not looked at where lost; negative ones count as they are */
  const uint8_t *status;      /**< psprobe_status of each; NULL: all answered */
  const bool *cold;           /**< NULL: none */
  const uint32_t *duplicates; /**< NULL: none */
} psprobe_series;

/** Probes and what came of them. Borrowed until psprobe_comparison_new returns. */
typedef struct psprobe_probes {
  size_t count;           /**< below 2^32 */
  const int64_t *sent_ns; /**< any clock; they are looked at in its order. NULL: in order already */
  size_t source_count;
  const psprobe_series *sources;
  /** Probes that were never published: lost by nobody, and no part of any figure but
   * psprobe_comparison_unsent. Each of their statuses is PSPROBE_LOST. NULL: none. */
  const bool *unsent;
  const int64_t *publish_ns; /**< how long publishing took; below 0: not known. NULL: of none */
} psprobe_probes;

/** A publish call that takes longer is what a second one, sent then, could have been faster than
 * (hedging, as some clients of Google's have it). Ours never send a second one. */
#define PSPROBE_HEDGE_NS INT64_C(1000000000)

/** Publish calls whose time is known, and those of them that took longer than PSPROBE_HEDGE_NS. */
typedef struct psprobe_hedging {
  uint64_t timed, slow;
} psprobe_hedging;

/** Valid when zeroed. */
typedef struct psprobe_comparison_options {
  uint64_t seed;      /**< of all resampling: equal seeds and data give equal figures */
  uint32_t resamples; /**< of the bootstrap; 0: 4,000 */
} psprobe_comparison_options;

/** A 95 % confidence interval of a duration. A bound that the data cannot give is missing. */
typedef struct psprobe_interval {
  bool has_low, has_high;
  int64_t low_ns, high_ns; /**< 0 where missing */
} psprobe_interval;

/** `count` of `of`, with Wilson's interval. All 0 (high 1) when `of` is 0. */
typedef struct psprobe_share {
  uint64_t count, of;
  double share, low, high;
} psprobe_share;

typedef struct psprobe_quantile {
  double quantile;  /**< 0.5, 0.9, 0.99, 0.999 */
  int64_t value_ns; /**< 0 when nothing answered */
  psprobe_interval ci;
} psprobe_quantile;

/** What one probe tells of the next. */
typedef struct psprobe_serial {
  bool known;         /**< lag1 is: there are 3 values, and not all the same */
  double lag1;        /**< autocorrelation of the ranks at lag 1, equal values sharing theirs */
  double effective_n; /**< so many independent probes would tell as much of the median */
  bool matters;       /**< beyond chance (5 %), and the median's interval is wider for it */
} psprobe_serial;

/** Two medians, and how far the second is above the first. */
typedef struct psprobe_change {
  uint64_t first_n, second_n;
  int64_t first_ns, second_ns; /**< medians (of an even number: mean of the middle two) */
  int64_t change_ns;           /**< second_ns - first_ns; 0 unless both are there */
  psprobe_interval ci;         /**< of change_ns */
  bool beyond_chance;          /**< the interval excludes 0 */
} psprobe_change;

#define PSPROBE_QUANTILE_COUNT 4

/** The answers of a source that were cold, or those that were warm. */
typedef struct psprobe_part {
  uint64_t n;
  int64_t min_ns, max_ns;                       /**< 0 when there is none, as the rest */
  int64_t quantiles_ns[PSPROBE_QUANTILE_COUNT]; /**< nearest ranks, as of the whole */
  psprobe_interval median_ci;
} psprobe_part;

/** One source. Quantiles are over all that answered, late ones included; what is lost is counted
 * beside them, not within. */
typedef struct psprobe_source_summary {
  const char *name; /**< the comparison's */
  uint64_t sent, answered, late, lost, duplicates, cold_count;
  uint64_t interrupted, uncertain; /**< in none of the others: see psprobe_status */
  int64_t min_ns, max_ns;          /**< 0 when nothing answered */
  psprobe_quantile quantiles[PSPROBE_QUANTILE_COUNT];
  psprobe_serial serial;
  psprobe_part warm_part, cold_part;
  psprobe_change cold;  /**< from warm (first) to cold (second) */
  psprobe_change drift; /**< from the first half of the answers to the second */
} psprobe_source_summary;

/** Paired differences, a minus b, over a part of the probes. */
typedef struct psprobe_paired {
  uint64_t n;
  int64_t median_ns; /**< mean of the middle two where n is even */
  psprobe_interval median_ci;
} psprobe_paired;

/** Of the probes above a source's p99, those in which the other was slow too (above its own p99,
 * late or lost): then the topic or the prober stalled, not the responder. By chance: 1 %. */
typedef struct psprobe_slowness {
  int64_t above_ns; /**< the p99 */
  psprobe_share common;
} psprobe_slowness;

typedef enum psprobe_outcome {
  PSPROBE_UNDECIDED = 0,
  PSPROBE_A_FASTER = 1,
  PSPROBE_B_FASTER = 2
} psprobe_outcome;

/** Two sources against each other. Every difference is a minus b. */
typedef struct psprobe_pair {
  size_t a, b;         /**< indices of the sources, a < b */
  psprobe_paired all;  /**< every probe that both answered: the headline */
  psprobe_paired warm; /**< those in which neither was cold */
  psprobe_paired cold; /**< those in which either was */
  int64_t hodges_lehmann_ns;
  psprobe_interval hodges_lehmann_ci;
  psprobe_interval bootstrap_ci;  /**< of all.median_ns, by another way: BCa, or blocks */
  uint64_t block_length;          /**< probes in a block; 1: independent resampling, BCa */
  psprobe_change unpaired;        /**< from b to a, as if the probes had not been the same ones */
  double wilcoxon_p;              /**< signed ranks, two-sided; 1 when there is nothing to test */
  psprobe_share a_first, b_first; /**< of the probes that both answered, at different times */
  uint64_t ties;                  /**< both answered, in the same nanosecond */
  uint64_t both_lost, only_a_lost, only_b_lost;
  double loss_p; /**< McNemar's mid-p: as likely lost by either? */
  psprobe_slowness a_slow, b_slow;
  psprobe_serial serial;
  psprobe_change drift; /**< of the difference, from the first half to the second */
  double sign_p;        /**< of the median being 0; agrees with all.median_ci */
  double holm_p;        /**< the same, corrected for the number of pairs: this decides */
  psprobe_outcome outcome;
  bool more_known;      /**< undecided, and more_probes says what would settle it */
  uint64_t more_probes; /**< with so many more, 4 of 5 simulated continuations are decided */
} psprobe_pair;

/**
 * From one sample to another that shares no probes with it: a run before a change and one after.
 * Each in the order sent.
 *
 * @param before_ns    borrowed; NULL where there are none, as after_ns
 * @param before_count how many
 * @param after_ns     borrowed
 * @param after_count  how many
 * @param change       receives it; untouched on failure
 * @return PSPROBE_OK; RESOURCE_EXHAUSTED without memory
 */
PSPROBE_API psprobe_code psprobe_change_of(const int64_t *before_ns, size_t before_count,
                                           const int64_t *after_ns, size_t after_count,
                                           psprobe_change *change, psprobe_error *error);

/** What was found. Any thread may read it. */
typedef struct psprobe_comparison psprobe_comparison;

/**
 * Compares. 1 M probes of two sources take a third of a second and 100 bytes each.
 *
 * @param options    may be NULL
 * @param comparison receives it, to be freed; untouched on failure
 * @return PSPROBE_OK (no probes and no sources are fine); INVALID_ARGUMENT (too many probes, a
 *         source without a name or times); RESOURCE_EXHAUSTED without memory
 * Ownership: copies what it keeps.
 */
PSPROBE_API psprobe_code psprobe_comparison_new(const psprobe_probes *probes,
                                                const psprobe_comparison_options *options,
                                                psprobe_comparison **comparison,
                                                psprobe_error *error);
/** NULL is fine. */
PSPROBE_API void psprobe_comparison_free(psprobe_comparison *comparison);

/**
 * Counts the sources.
 *
 * @return as many as were given
 */
PSPROBE_API size_t psprobe_comparison_source_count(const psprobe_comparison *comparison);
/**
 * Tells a source's figures.
 *
 * @param index in the order in which they were given
 * @return valid as long as the comparison; NULL beyond the count
 */
PSPROBE_API const psprobe_source_summary *psprobe_comparison_source(
    const psprobe_comparison *comparison, size_t index);
/**
 * Counts the probes that were not published.
 *
 * @return their number
 */
PSPROBE_API size_t psprobe_comparison_unsent(const psprobe_comparison *comparison);
/**
 * Tells what sending a slow message a second time could have bought.
 *
 * @return counts of probes; none `timed` where it was not measured
 */
PSPROBE_API psprobe_hedging psprobe_comparison_hedging(const psprobe_comparison *comparison);
/**
 * Counts the pairs: (0,1), (0,2), … (1,2), …
 *
 * @return n * (n - 1) / 2 for n sources
 */
PSPROBE_API size_t psprobe_comparison_pair_count(const psprobe_comparison *comparison);
/**
 * Tells a pair's figures.
 *
 * @param index as psprobe_comparison_pair_count lists them
 * @return valid as long as the comparison; NULL beyond the count
 */
PSPROBE_API const psprobe_pair *psprobe_comparison_pair(const psprobe_comparison *comparison,
                                                        size_t index);

/** A place in the ranking. */
typedef struct psprobe_rank {
  size_t source;
  size_t rank; /**< from 1; shared by neighbours of whom none was found faster than another */
} psprobe_rank;

/**
 * Tells whether the pairs bear a ranking.
 *
 * @return false where each of some sources was found faster than the next, and the last of them
 *         faster than the first
 */
PSPROBE_API bool psprobe_comparison_ranked(const psprobe_comparison *comparison);

/**
 * Ranks the sources, fastest first: nobody before one that was found faster; else by pairs won less
 * pairs lost, then by median.
 *
 * @param index < source count
 * @return the source there; without meaning unless psprobe_comparison_ranked
 */
PSPROBE_API psprobe_rank psprobe_comparison_rank(const psprobe_comparison *comparison,
                                                 size_t index);

/**
 * The answer in plain words, one line without a line feed, as in
 * "regular_service answers faster than cloud_function: by 6.2 ms at the median
 * (95 % interval 5.8 to 6.7 ms, 1,440 probes), first in 83 % of them. When cold
 * (31 probes), cloud_function took 143 ms longer."
 *
 * @return a text to free(), or NULL without memory
 */
PSPROBE_API char *psprobe_comparison_sentence(const psprobe_comparison *comparison);

/**
 * What else a careful reader should know, one sentence a line, each ended by a
 * line feed; "" when there is nothing: losses, common slowness, serial
 * correlation, drift, what pairing was worth.
 *
 * @return a text to free(), or NULL without memory
 */
PSPROBE_API char *psprobe_comparison_notes(const psprobe_comparison *comparison);

#ifdef __cplusplus
}
#endif
#endif
