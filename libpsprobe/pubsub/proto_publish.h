/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_PROTO_PUBLISH_H
#define PSP_PUBSUB_PROTO_PUBLISH_H
/** @file A publish call as gRPC carries it, as pubsub/proto.h has the others. Pure. */
#include <psprobe/pubsub.h>

#include "base/buf.h"

/** @param topic in full; the messages are such as psp_publish_check takes */
void psp_proto_publish(psp_buf *out, const char *topic, const psprobe_message *messages,
                       size_t count);
/** The ids of a publish answer, in one block to free().
 * @return PSPROBE_OK; INTERNAL for what the service should not send; RESOURCE_EXHAUSTED */
psprobe_code psp_proto_published(const void *bytes, size_t len, size_t count, const char ***ids,
                                 psprobe_error *error);

#endif
