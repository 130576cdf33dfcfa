/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_STATUS_H
#define PSPROBE_STATUS_H
/**
 * @file
 * What became of an answer, for those who send probes and those who compare them.
 *
 * Ownership: plain values.
 * Threading: any.
 * Blocks: never.
 */

/** What became of the answer of one source to one probe. */
typedef enum psprobe_status {
  PSPROBE_LOST = 0,     /**< no answer within the timeout, and none since */
  PSPROBE_ANSWERED = 1, /**< within the timeout */
  PSPROBE_LATE = 2      /**< after the timeout */
} psprobe_status;

#endif
