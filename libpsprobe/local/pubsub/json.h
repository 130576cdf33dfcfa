/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_PUBSUB_JSON_H
#define PSP_LOCAL_PUBSUB_JSON_H
/** @file Publishes, pulls and pushes as JSON. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>

#include "base/buf.h"
#include "local/broker/broker.h"
#include "local/pubsub/body.h"

/** Letters of one publish; each holds a reference. */
typedef struct psp_letters {
  psp_letter **items;
  size_t count;
} psp_letters;
void psp_letters_free(psp_letters *letters);

/** Reads the body of a publish. INVALID_ARGUMENT in the emulator's words; nothing to free then. */
psprobe_code psp_broker_publish_decode(const char *body, size_t len, psp_letters *out,
                                       psprobe_error *error);
void psp_broker_publish_encode(psp_buf *out, uint64_t first_id, size_t count);

typedef struct psp_pull_request {
  int max;
  bool immediate;
} psp_pull_request;
psprobe_code psp_broker_pull_decode(const char *body, size_t len, psp_pull_request *out,
                                    psprobe_error *error);
void psp_broker_pull_encode(psp_buf *out, const char *subscription, const psp_broker_waiter *pull);

/** The body of a wrapped push. */
void psp_broker_push_encode(psp_buf *out, const psp_broker_push *push);

#endif
