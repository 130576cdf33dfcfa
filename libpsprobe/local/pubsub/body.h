/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_PUBSUB_BODY_H
#define PSP_LOCAL_PUBSUB_BODY_H
/** @file The body of a request, read by a table. Pure. */
#include <psprobe/error.h>

#include "base/json.h"
#include "local/proto_fields.h"

/** "Payload isn't valid for request." */
psprobe_code psp_payload_invalid(psprobe_error *error);
/** Parses a body and reads it by the table; an empty body is an empty object, without JSON.
 * psp_json_free. */
psprobe_code psp_broker_body_read(const char *body, size_t len, const psp_field *fields, void *out,
                                  psp_json **json, psprobe_error *error);

#endif
