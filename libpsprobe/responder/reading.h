/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESPONDER_READING_H
#define PSP_RESPONDER_READING_H
/**
 * @file
 * What an answer says that came for a POST to the prober. Pure. Not everything that answers there
 * is a prober: a load balancer has a 404 of its own, a proxy a page to log in on. Such must not
 * acknowledge a message.
 */
#include <stdbool.h>

#include "http/client/transport.h"

typedef enum psp_heard {
  PSP_HEARD_TAKEN,      /**< the prober has the answer */
  PSP_HEARD_NOT_WANTED, /**< the prober says that nobody waits for it */
  PSP_HEARD_REFUSAL     /**< the prober or somebody else will not have it: `error` says */
} psp_heard;

/**
 * @param url         what was posted to
 * @param with_token  it carried an ID token
 * @param now_s       wall clock, for a Retry-After that is a date
 * @param error       filled in for a refusal; another attempt may help when it is retryable
 */
psp_heard psp_prober_heard(const psp_http_response *response, const char *url, bool with_token,
                           int64_t now_s, psprobe_error *error);

#endif
