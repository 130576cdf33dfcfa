/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_LEGS_H
#define PSP_REPORT_LEGS_H
/**
 * @file
 * Where the time went: from what answers told, and the offset of the two clocks that is reckoned
 * from their exchanges (stats/clock_offset.h), an instance at a time. Pure.
 *
 * A leg between two machines is known within bounds alone. Each answer's lies between two values,
 * and so the median of all lies between the medians of the low ones and of the high ones.
 */
#include "results/columns/columns.h"

/** The median of a leg lies between these. */
typedef struct psp_leg {
  int64_t low_ns, high_ns;
} psp_leg;

/** Of one source. */
typedef struct psp_legs {
  uint64_t answers;   /**< whose instance's clock is known within a bound */
  uint64_t instances; /**< all that answers named */
  uint64_t ready_n;   /**< instances that told how long they took from their start to be ready */
  int64_t ready_ns;   /**< median of these */
  psp_leg to_arrival; /**< from before the publish call to the message's arrival */
  int64_t in_hand_ns; /**< median from arrival to sending, by the responder's own clock: exact */
  psp_leg to_receipt; /**< from sending the answer to its receipt */
} psp_legs;

/** Reckons the legs of source `k`. False: no memory. */
bool psp_legs_of(const psp_columns *columns, size_t k, psp_legs *legs);

#endif
