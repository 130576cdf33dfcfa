/* SPDX-License-Identifier: MIT */
#ifndef PSP_GRPC_STATUS_H
#define PSP_GRPC_STATUS_H
/**
 * @file
 * What became of a call: gRPC's status, and what stands for one where there is none. Pure.
 * https://github.com/grpc/grpc/blob/master/doc/{http-grpc-status-mapping,PROTOCOL-HTTP2}.md
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>

#include "base/buf.h"
#include "grpc/fields.h"

typedef struct psp_rpc_status {
  psprobe_code code;
  const char *message; /**< decoded, not yet made printable; "": none */
  const void *details; /**< grpc-status-details-bin: google.rpc.Status as protobuf; NULL: none */
  size_t details_len;
  const psp_fields *trailers; /**< all that came at the end; NULL: nothing */
  bool from_peer; /**< the peer's own grpc-status; false: ours, or of something between */
  bool lost;      /**< its connection broke under it */
  bool untouched; /**< no server has begun with it: it may be sent again, whatever it does */
} psp_rpc_status;

/** For an answer that is no gRPC's, by its HTTP status. */
psprobe_code psp_rpc_code_from_http(int http_status);
/** For a stream that was reset, by the error of RFC 9113, 7. */
psprobe_code psp_rpc_code_from_reset(uint32_t error);

/**
 * The status that stands in trailers. What it points to is theirs, or in `text` (emptied first).
 * @return false: they have none
 */
bool psp_rpc_status_read(const psp_fields *trailers, psp_buf *text, psp_rpc_status *status);
/** grpc-message, percent-encoded. */
void psp_rpc_message_write(psp_buf *out, const char *message);

#endif
