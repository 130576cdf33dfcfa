/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_PUBSUB_STREAM_REQUEST_H
#define PSP_LOCAL_PUBSUB_STREAM_REQUEST_H
/** @file A request of StreamingPull, read from its protobuf. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>

#include "local/wire.h"

/** Valid when zeroed. */
typedef struct psp_stream_request {
  psp_wire_item subscription; /**< borrowed from the bytes; without a length: none */
  int64_t deadline_s, most, most_bytes;
  bool limits; /**< it has what only the first may have */
  uint64_t *acks, *modified;
  int *seconds;
  size_t ack_count, modified_count, second_count;
} psp_stream_request;

/**
 * @param subscription of the stream, whose ack ids they are; NULL: it is the first, and has none
 * @return INVALID_ARGUMENT: no such message, or no ack id of it; RESOURCE_EXHAUSTED: too many.
 *         psp_stream_request_free either way
 */
psprobe_code psp_stream_request_read(const void *data, size_t len, const char *subscription,
                                     psp_stream_request *r, psprobe_error *error);
void psp_stream_request_free(psp_stream_request *r);
/** Whether the first can be one. */
psprobe_code psp_stream_request_check(const psp_stream_request *r, psprobe_error *error);

#endif
