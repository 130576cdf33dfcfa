/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_DIGESTS_SEAL_H
#define PSP_RESULTS_DIGESTS_SEAL_H
/** @file Digests kept in the results file, so that a report need not read the rows they sum up. */
#include <stdbool.h>

#include "results/store/store.h"

/** A block is left alone until so many further ones have begun: late answers change it meanwhile.
 */
#define PSP_SEAL_LAG 2

/**
 * Makes the digests of the first block that has none and no probe open, and keeps them. Rows are
 * read beside the writer, which is kept for the time of a small transaction.
 * @param lag  blocks at the end that are left alone; 1 at least
 * @param done receives whether there was none
 * @return PSPROBE_OK, also where the block changed meanwhile; as psprobe_store_add
 */
psprobe_code psp_digests_seal(psprobe_store *store, int64_t lag, bool *done, psprobe_error *error);

#endif
