/* SPDX-License-Identifier: MIT */
/** @file Acknowledging, and changing ack deadlines. */
#include "base/error.h"
#include "pubsub/calls.h"
#include "pubsub/parts.h"

#define ACKNOWLEDGE (-1)

/* One call after the other, each with as many ids as it may carry. */
static psprobe_code run(psprobe_client *client, const char *subscription,
                        const char *const *ack_ids, size_t count, int seconds,
                        psprobe_error *error) {
  bool ack = seconds == ACKNOWLEDGE;
  psp_buf body = {0};
  psp_pubsub_call call = {.action = ack ? "acknowledge at" : "modify ack deadline at",
                          .kind = PSP_SUBSCRIPTION,
                          .name = subscription,
                          .verb = ack ? ":acknowledge" : ":modifyAckDeadline",
                          .body = &body,
                          .retry = PSP_RETRY_RECEIVE};
  for (size_t i = 0; i < count; i++)
    if (ack_ids[i] == NULL || !*ack_ids[i])
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s subscription %s: ack id %zu is empty",
                      call.action, subscription != NULL ? subscription : "?", i);
  psprobe_code code = PSPROBE_OK;
  for (size_t fit; code == PSPROBE_OK && count > 0; ack_ids += fit, count -= fit) {
    fit = psp_ack_fit(ack_ids, count);
    psp_buf_reset(&body);
    if (ack)
      psp_acknowledge_encode(&body, ack_ids, fit);
    else
      psp_modify_encode(&body, ack_ids, fit, seconds);
    code = psp_pubsub_run(client, &call, NULL, error);
  }
  psp_buf_free(&body);
  return code;
}

psprobe_code psprobe_acknowledge(psprobe_client *client, const char *subscription,
                                 const char *const *ack_ids, size_t count, psprobe_error *error) {
  return run(client, subscription, ack_ids, count, ACKNOWLEDGE, error);
}

psprobe_code psprobe_modify_ack_deadline(psprobe_client *client, const char *subscription,
                                         const char *const *ack_ids, size_t count, int seconds,
                                         psprobe_error *error) {
  if (seconds < 0 || seconds > PSP_DEADLINE_MAX_S)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "modify ack deadline at subscription %s: 0 to %d s are possible, not %d",
                    subscription != NULL ? subscription : "?", PSP_DEADLINE_MAX_S, seconds);
  return run(client, subscription, ack_ids, count, seconds, error);
}
