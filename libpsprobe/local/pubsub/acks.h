/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_PUBSUB_ACKS_H
#define PSP_LOCAL_PUBSUB_ACKS_H
/** @file Ack ids: their form, the bodies that they come in, and what is said of those that count no
 * more. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>

#include "base/buf.h"

/** An ack id: the subscription, and the delivery's number. */
#define PSP_BROKER_ACK_SIZE 600
void psp_broker_ack_format(char *out, size_t size, const char *subscription, uint64_t ack);
/** INVALID_ARGUMENT in the emulator's words. `text` may be NULL. */
psprobe_code psp_broker_ack_parse(const char *text, const char *subscription, bool modify,
                                  uint64_t *ack, psprobe_error *error);

/** The body of acknowledge or modifyAckDeadline; free(acks). */
typedef struct psp_ack_request {
  uint64_t *acks;
  size_t count;
  int deadline_s;
} psp_ack_request;
/** @param modify which of the two: their words differ */
psprobe_code psp_broker_ack_decode(const char *body, size_t len, const char *subscription,
                                   bool modify, psp_ack_request *out, psprobe_error *error);

#define PSP_ERROR_INFO "type.googleapis.com/google.rpc.ErrorInfo"
#define PSP_WHY_STALE                                                                \
  "Some acknowledgement ids in the request were invalid. This could be because the " \
  "acknowledgement ids have expired or the acknowledgement ids were malformed."
/** What goes with that where delivery is exactly once: a google.rpc.ErrorInfo, as the service
 * sends it, that has those of `acks` which are stale. */
void psp_broker_stale_encode(psp_buf *out, const char *subscription, const uint64_t *acks,
                             const bool *stale, size_t count);

#endif
