/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_CLIENT_RETRY_H
#define PSP_HTTP_CLIENT_RETRY_H
/**
 * @file
 * When to try again, and when. Pure: time and chance are arguments.
 * AIP-194 (https://google.aip.dev/194); full jitter as in
 * "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
#include <stdbool.h>
#include <stdint.h>

#include <psprobe/error.h>

typedef struct psp_retry_policy {
  uint32_t codes;        /**< bit (1u << code) set: may be tried again. 0: never */
  int64_t initial_ns;    /**< 0: 100 ms */
  int64_t max_ns;        /**< 0: 60 s */
  double factor;         /**< 0: 1.3 */
  unsigned max_attempts; /**< 0: as many as the deadline lets */
} psp_retry_policy;

#define PSP_RETRY_ON(code) (1u << (code))

/**
 * How long to wait before attempt `attempt` + 1 (attempt counts from 1).
 *
 * @param error     what the last attempt came to; its retry_after_ns, bounded by
 * PSP_RETRY_AFTER_MOST_NS, is the least wait
 * @param now_ns, deadline_ns monotonic; deadline INT64_MAX: none
 * @param random    uniform 64 bits
 * @return ns to wait, or -1: give up (the code is not among them, no attempt is left, or the wait
 *         would reach the deadline). Jitter goes on top of retry_after_ns
 */
int64_t psp_retry_delay(const psp_retry_policy *policy, const psprobe_error *error,
                        unsigned attempt, int64_t now_ns, int64_t deadline_ns, uint64_t random);

/** What attempts have failed of. Zeroed: none has. */
typedef struct psp_retry_past {
  char *message; /**< of the last that said more than that its time was over */
} psp_retry_past;
/** Notes what an attempt, or the wait for one, came to. Where its time was over, which hides what
 * is wrong, `error` tells what was noted before as well. */
void psp_retry_note(psp_retry_past *past, psprobe_error *error);
void psp_retry_past_free(psp_retry_past *past);

#endif
