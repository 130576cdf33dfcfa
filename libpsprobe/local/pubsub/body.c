/* SPDX-License-Identifier: MIT */
#include "local/pubsub/body.h"

#include "base/error.h"

psprobe_code psp_payload_invalid(psprobe_error *error) {
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Payload isn't valid for request.");
}

psprobe_code psp_broker_body_read(const char *body, size_t len, const psp_field *fields, void *out,
                                  psp_json **json, psprobe_error *error) {
  *json = NULL;
  if (len == 0) return PSPROBE_OK;
  if (psp_json_parse(body, len, "body", json, NULL) != PSPROBE_OK)
    return psp_payload_invalid(error);
  if (psp_fields_read(*json, fields, out)) return PSPROBE_OK;
  psp_json_free(*json);
  *json = NULL;
  return psp_payload_invalid(error);
}
