/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_DIGESTS_WALK_H
#define PSP_RESULTS_DIGESTS_WALK_H
/** @file All blocks of a results file, one after another, as often as wanted: what was made of rows
 * the first time is kept, in its bytes. */
#include "results/digests/blocks.h"
#include "stats/digest/totals.h"

/** Valid when zeroed, with what is borrowed set. */
typedef struct psp_walk {
  sqlite3 *db;
  const char *path;
  const psp_runs *runs;
  psp_block_filter filter;
  bool (*has_sources)(const void *arg, int64_t run); /**< whether a run's probes count */
  const void *arg;
  bool recount;        /**< of rows alone, though there are digests */
  int64_t first, last; /**< blocks */
  sqlite3_stmt *kept;  /**< digests of a block */
  sqlite3_stmt *next;  /**< the first probe from one on */
  psp_blocks *blocks;
  psp_digest digest;
  psp_buf made;          /**< of rows: block, length and bytes of each */
  bool again;            /**< `made` is whole */
  size_t at;             /**< in `made`: what is next */
  uint64_t left_out;     /**< probes that do not count */
  psp_digest_each *each; /**< of the walk under way */
  void *each_arg;
  int64_t block;
  bool ended;
  /** Told of each digest that counts, the first time. */
  void (*first_time)(void *arg, int64_t block, const psp_digest *digest);
  void *first_time_arg;
} psp_walk;

/** Opens what it needs. @return PSPROBE_OK; RESOURCE_EXHAUSTED; SQLite's */
psprobe_code psp_walk_begin(psp_walk *walk, psprobe_error *error);
void psp_walk_end(psp_walk *walk);
/** A psp_digests' walk; `from` is a psp_walk. */
psprobe_code psp_walk_over(void *from, psp_digest_each *each, void *arg, psprobe_error *error);

#endif
