/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_DIGEST_TOTALS_H
#define PSP_STATS_DIGEST_TOTALS_H
/** @file Digests added up: what a comparison is made from where there are too many probes to hold.
 * They are gone over twice: for what there is, and for how alike neighbours are. Pure. */
#include <psprobe/error.h>

#include "stats/digest/spread.h"

/** One of digests that are gone over. @return false to end: no memory */
typedef bool psp_digest_each(void *arg, const psp_digest *digest);

/** Digests in the order sent, and of which of their sources figures are wanted. All borrowed. */
typedef struct psp_digests {
  /** Hands all of them to `each`, the same ones each time. */
  psprobe_code (*walk)(void *from, psp_digest_each *each, void *arg, psprobe_error *error);
  void *from;
  uint64_t expected; /**< how many probes there are, about: so halves are told apart */
  size_t source_count;
  const size_t *which; /**< of the digests' sources, for each of `source_count` */
} psp_digests;

/** Which of the values of a source or pair. */
typedef enum psp_value_kind {
  PSP_KIND_ALL,
  PSP_KIND_WARM,
  PSP_KIND_COLD,
  PSP_KIND_FIRST, /**< of the first half of the probes */
  PSP_KIND_SECOND,
  PSP_KINDS
} psp_value_kind;

typedef struct psp_total {
  psp_spread cells[2][2]; /**< as they come: [half][cold] */
  psp_spread kinds[PSP_KINDS];
} psp_total;

typedef struct psp_totals {
  const psp_digests *digests;
  uint64_t probes, unsent;
  psprobe_hedging hedging; /**< of those digests that tell */
  size_t blocks;           /**< digests that there were */
  int64_t first_ns, last_ns;
  psp_digest_source sources[PSP_DIGEST_SOURCES]; /**< counts alone */
  psp_digest_pair pairs[PSP_DIGEST_PAIRS];       /**< likewise */
  size_t pair_count;
  psp_total *values; /**< of each source, then of each pair: in order */
  bool failed;       /**< memory ran out */
} psp_totals;

/** Adds all up. @return PSPROBE_OK; RESOURCE_EXHAUSTED; what `walk` returns. Free it in any case */
psprobe_code psp_totals_make(psp_totals *totals, const psp_digests *digests, psprobe_error *error);
void psp_totals_free(psp_totals *totals);

/** The values of one of its digests that count for `value` and `kind`: at most two parts, which
 * `parts` receives; *turned: each stands for its opposite. `before` are the probes of the digests
 * before it. @return how many */
size_t psp_totals_parts(const psp_totals *totals, const psp_digest *digest, uint64_t before,
                        size_t value, psp_value_kind kind, const psp_digest_part *parts[2],
                        bool *turned);

#endif
