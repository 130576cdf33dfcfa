/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_PROTO_H
#define PSP_PUBSUB_PROTO_H
/**
 * @file
 * Pub/Sub's messages as gRPC carries them, to and from what the rest of the library knows; nobody
 * else sees protobuf-c. Encoders add to a buffer, which fails by itself. proto.proto has the
 * fields, wire/ what protoc-c makes of it. All pure.
 */
#include <psprobe/pubsub.h>

#include "base/buf.h"

/** What psp_proto_publish wrote, again. A trace is among the attributes alone.
 * @return PSPROBE_OK; RESOURCE_EXHAUSTED without memory */
psprobe_code psp_proto_publish_read(const void *bytes, size_t len, psprobe_batch **batch,
                                    psprobe_error *error);
/** The first request of a stream. Google takes all but the subscription there alone; each later
 * one that says nothing is empty: no bytes. */
typedef struct psp_stream_opening {
  const char *subscription; /**< in full */
  const char *client_id;
  int ack_deadline_s; /**< 10 to 600 */
  int64_t max_messages, max_bytes;
} psp_stream_opening;

void psp_proto_open_stream(psp_buf *out, const psp_stream_opening *opening);
/** @param subscription in full */
void psp_proto_acknowledge(psp_buf *out, const char *subscription, const char *const *ack_ids,
                           size_t count);
/** @param seconds 0: deliver again at once */
void psp_proto_modify(psp_buf *out, const char *subscription, const char *const *ack_ids,
                      size_t count, int seconds);

/** What comes on a stream. */
typedef struct psp_stream_answer {
  psprobe_batch *batch; /**< to free; NULL: no messages, the answer to a ping */
  bool told;            /**< what follows was said */
  bool exactly_once, ordered;
} psp_stream_answer;

/** @return PSPROBE_OK; INTERNAL for what the service should not send, `answer` is untouched then;
 * RESOURCE_EXHAUSTED without memory */
psprobe_code psp_proto_stream_answer(const void *bytes, size_t len, psp_stream_answer *answer,
                                     psprobe_error *error);

/** Reads a failure's details, a google.rpc.Status, into its error: the reason (ErrorInfo), and how
 * long to wait (RetryInfo, bounded as by REST). */
void psp_proto_explain(const void *details, size_t len, psprobe_error *error);

/** What the service says of one ack id of a call that failed, with exactly-once delivery. */
typedef struct psp_ack_fate {
  const char *ack_id;
  bool transient; /**< the same may succeed later */
} psp_ack_fate;

/** In the order of ids; zeroed: none. */
typedef struct psp_ack_fates {
  psp_ack_fate *list;
  size_t count;
} psp_ack_fates;

/**
 * Reads them out of a failure's details, a google.rpc.Status: ErrorInfo.metadata has the ids that
 * failed, each with TRANSIENT_FAILURE_… or PERMANENT_FAILURE_…. Where it has none the failure is
 * of all of them, and there are none here.
 */
void psp_proto_fates(const void *details, size_t len, psp_ack_fates *fates);
/** NULL: that id did not fail. */
const psp_ack_fate *psp_ack_fates_find(const psp_ack_fates *fates, const char *ack_id);
void psp_ack_fates_free(psp_ack_fates *fates);

#endif
