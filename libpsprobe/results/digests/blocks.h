/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_DIGESTS_BLOCKS_H
#define PSP_RESULTS_DIGESTS_BLOCKS_H
/** @file The probes of a results file by blocks of their numbers, read as digests: nothing of a row
 * is held beyond its block. */
#include "results/store/store.h"
#include "stats/digest/digest.h"

/** Makes digests of rows. */
typedef struct psp_blocks psp_blocks;

/** One run's part of a block. Probes are named by how far their seq is from the block's first.
 * @return false to end */
typedef bool psp_block_each(void *arg, int64_t run, const psp_digest *digest);

/** Which rows; zeroed: all. */
typedef struct psp_block_filter {
  int64_t run, since_ns, until_ns; /**< seq of the run; 0: no bound */
} psp_block_filter;

/** @param db a reader, borrowed. @param path for errors. @param blocks receives it
 * @return PSPROBE_OK; RESOURCE_EXHAUSTED; SQLite's */
psprobe_code psp_blocks_new(sqlite3 *db, const char *path, const psp_runs *runs,
                            psp_blocks **blocks, psprobe_error *error);
void psp_blocks_free(psp_blocks *blocks);

/** Reads the steady probes of a block that are closed, in the order kept: a digest each time that
 * the run is another. @return PSPROBE_OK, also when `each` ended it; DATA_LOSS; SQLite's */
psprobe_code psp_blocks_read(psp_blocks *blocks, int64_t block, const psp_block_filter *filter,
                             psp_block_each *each, void *arg, psprobe_error *error);

#endif
