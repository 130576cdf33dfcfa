/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_PAGE_PAGE_H
#define PSP_REPORT_PAGE_PAGE_H
/**
 * @file
 * The page: one self-contained HTML file. What matters most (the sentence, the table, how it was
 * measured) is plain HTML, there without a script; the plots are drawn by the modules beside this
 * file. Pure: memory in, text out.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/compare.h>

#include "base/buf.h"
#include "report/grids.h"
#include "report/plots.h"

/** One line of "how it was measured". */
typedef struct psp_page_fact {
  const char *name, *value;
} psp_page_fact;

/** What a page is made from; all borrowed. */
typedef struct psp_page {
  const psprobe_probes *probes; /**< sent_ns is wall time here; in the order sent */
  const psp_plots_sums *sums;   /**< of all, where these are a few of them; NULL: they are all */
  const psprobe_comparison *comparison;
  const psp_grids *grids;                           /**< NULL: none */
  const char *(*id)(const void *arg, size_t probe); /**< the id of a probe */
  const void *id_arg;
  const int64_t *publish_ns;        /**< of each probe; -1: not known */
  const int64_t *const *handled_ns; /**< of each source, of each probe; -1: not known */
  const psp_page_fact *facts;
  size_t fact_count;
  bool live;                    /**< served by a running prober: follows it */
  const char *run;              /**< live: the run's id; NULL else */
  uint64_t next;                /**< live: where /api/probes goes on from */
  bool reset, more;             /**< live: start anew; there are more to ask for */
  const char *sentence, *notes; /**< the verdict in words */
} psp_page;

/** Appends the whole page. */
void psp_page_html(psp_buf *out, const psp_page *page);
/** Appends the page's data alone: what /api/summary answers (without probes) or the page embeds. */
void psp_page_data(psp_buf *out, const psp_page *page, bool with_probes);
/** Appends the probes of these indices in columns, as /api/probes answers. */
void psp_page_probes(psp_buf *out, const psp_page *page, const uint32_t *indices, size_t count);

#endif
