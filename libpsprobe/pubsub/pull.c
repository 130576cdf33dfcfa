/* SPDX-License-Identifier: MIT */
/** @file One pull. */
#include "base/error.h"
#include "pubsub/calls.h"
#include "pubsub/parts.h"

/* Above the 89 s after which the emulator answers a pull that found nothing. */

psprobe_code psprobe_pull(psprobe_client *client, const char *subscription, int max_messages,
                          int64_t timeout_ns, psprobe_batch **batch, psprobe_error *error) {
  if (max_messages < 1 || max_messages > PSP_PULL_MESSAGES)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "pull from subscription %s: 1 to %d messages can be asked for, not %d",
                    subscription != NULL ? subscription : "?", PSP_PULL_MESSAGES, max_messages);
  if (timeout_ns < 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "pull from subscription %s: negative timeout",
                    subscription != NULL ? subscription : "?");
  psp_buf body = {0}, answer = {0};
  psp_pull_encode(&body, max_messages, false);
  psp_pubsub_call call = {.action = "pull from",
                          .kind = PSP_SUBSCRIPTION,
                          .name = subscription,
                          .verb = ":pull",
                          .body = &body,
                          .timeout_ns = timeout_ns > 0 ? timeout_ns : PSP_PULL_NS,
                          .retry = PSP_RETRY_RECEIVE};
  psprobe_code code = psp_pubsub_run(client, &call, &answer, error);
  if (code == PSPROBE_OK) code = psp_pull_decode(answer.data, answer.len, batch, error);
  psp_buf_free(&answer);
  psp_buf_free(&body);
  return code;
}
