/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_PLOTS_H
#define PSP_REPORT_PLOTS_H
/**
 * @file What the pictures draw, on the page and by gnuplot alike: probes in the order sent,
 * whatever order they came in, thinned by each plot's own rule; pauses; exact shares and counts; a
 * scale for the differences. Pure.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/compare.h>

#include "report/bend.h"
#include "stats/digest/spread.h"

/** Bins of a histogram. */
#define PSP_PLOTS_BINS 60

/** Probes of one plot. */
typedef struct psp_points {
  uint32_t *index; /**< of the probes, in the order sent */
  size_t count;
  size_t of; /**< how many there would be to draw */
} psp_points;

/** No probe was sent between these two, for so long that a line across would say what was not
 * measured. */
typedef struct psp_gap {
  int64_t from_ns, to_ns;
} psp_gap;

#define PSP_PLOTS_SOURCES 16 /**< as PSPROBE_MAX_SOURCES */

/** What all probes come to where `probes` are but a few of them (results/digests). All borrowed. */
typedef struct psp_plots_sums {
  uint64_t probes;           /**< how many there are in all */
  const psp_spread *answers; /**< of each source */
  const psp_spread *differences;
  const bool *even; /**< of each of the few: it was chosen by its place, not for its time */
} psp_plots_sums;

typedef struct psp_plots {
  const psprobe_probes *probes;
  const psp_plots_sums *sums; /**< NULL: probes are all there are */
  int64_t first_ns, last_ns;  /**< sent; 0 without probes */
  psp_points series, differences;
  psp_gap *gaps;
  size_t gap_count;
  int64_t *answers[PSP_PLOTS_SOURCES]; /**< of each source, sorted; NULL where sums have them */
  size_t answer_count[PSP_PLOTS_SOURCES];
  int64_t low_ns, high_ns; /**< of all answers; at least 1 */
  psp_bend bend;
} psp_plots;

/** Differences are those of sources 0 and 1. What is given is borrowed; `sums` may be NULL. False
 * without memory; free it in either case. */
bool psp_plots_make(psp_plots *plots, const psprobe_probes *probes, const psp_plots_sums *sums);
void psp_plots_free(psp_plots *plots);

/** The answer that a share `p` of source `k`'s answers do not exceed (nearest rank); 0 of none. */
int64_t psp_plots_quantile(const psp_plots *plots, size_t k, double p);
/** Edge `i` of `bins` that grow in proportion from low_ns to just beyond high_ns. */
int64_t psp_plots_edge(const psp_plots *plots, int i, int bins);
/** Answers of source `k` in [edge, next edge). */
size_t psp_plots_in_bin(const psp_plots *plots, size_t k, int i, int bins);
/** Whether a pause ends with probe `index`. */
bool psp_plots_after_gap(const psp_plots *plots, uint32_t index);

#endif
