/* SPDX-License-Identifier: MIT */
#include "http/client/retry.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "http/client/date.h"

#define DEFAULT_INITIAL_NS 100000000
#define DEFAULT_MAX_NS     60000000000
#define DEFAULT_FACTOR     1.3

/* The longest wait before attempt + 1: initial × factor^(attempt - 1), at most max. */
static int64_t ceiling(const psp_retry_policy *policy, unsigned attempt) {
  int64_t max_ns = policy->max_ns > 0 ? policy->max_ns : DEFAULT_MAX_NS;
  double wait = (double)(policy->initial_ns > 0 ? policy->initial_ns : DEFAULT_INITIAL_NS);
  double factor = policy->factor > 0 ? policy->factor : DEFAULT_FACTOR;
  /* A factor of one or less would never reach the bound: no loop for it. */
  for (unsigned i = 1; i < attempt && factor > 1 && wait < (double)max_ns; i++)
    wait *= factor;
  return wait < (double)max_ns ? (int64_t)wait : max_ns;
}

int64_t psp_retry_delay(const psp_retry_policy *policy, const psprobe_error *error,
                        unsigned attempt, int64_t now_ns, int64_t deadline_ns, uint64_t random) {
  if (error->code <= PSPROBE_OK || error->code > PSPROBE_UNAUTHENTICATED) return -1;
  if ((policy->codes & PSP_RETRY_ON(error->code)) == 0) return -1;
  if (policy->max_attempts != 0 && attempt >= policy->max_attempts) return -1;

  /* Full jitter. It goes on top of what the server asked for, so that the many clients that were
   * told the same number do not come back as one. */
  int64_t least = error->retry_after_ns > 0 ? error->retry_after_ns : 0;
  if (least > PSP_RETRY_AFTER_MOST_NS) least = PSP_RETRY_AFTER_MOST_NS;
  int64_t wait = (int64_t)(random % ((uint64_t)ceiling(policy, attempt) + 1));
  wait += least;

  if (now_ns >= deadline_ns) return -1;
  int64_t left = now_ns < 0 && deadline_ns > INT64_MAX + now_ns ? INT64_MAX : deadline_ns - now_ns;
  return wait < left ? wait : -1;
}

void psp_retry_note(psp_retry_past *past, psprobe_error *error) {
  if (error->code != PSPROBE_DEADLINE_EXCEEDED || error->http_status != 0 || error->from_service) {
    free(past->message);
    past->message = psp_strdup(error->message); /* without memory it is not told */
  } else if (past->message != NULL) {
    const psprobe_error last = *error;
    psp_fail(error, last.code, "%s; before that: %s", last.message, past->message);
    error->retryable = last.retryable;
  }
}

void psp_retry_past_free(psp_retry_past *past) {
  free(past->message);
  past->message = NULL;
}
