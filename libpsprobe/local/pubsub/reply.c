/* SPDX-License-Identifier: MIT */
/** @file What routes read of a request, and how one that had the broker locked ends. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "local/proto_fields.h"
#include "local/pubsub/json.h"
#include "local/pubsub/rest.h"

psprobe_code psp_broker_request_parse(const psp_broker_request *request, psp_json **json,
                                      psprobe_error *error) {
  *json = NULL;
  if (request->len == 0 ||
      psp_json_parse(request->body, request->len, "body", json, NULL) == PSPROBE_OK)
    return PSPROBE_OK;
  return psp_payload_invalid(error);
}

psprobe_code psp_broker_request_name(const psp_broker_request *request, char **name,
                                     psprobe_error *error) {
  if (*name != NULL && strcmp(*name, request->name) != 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "The name in the body is not that of the URL.");
  if (*name == NULL) *name = psp_strdup(request->name);
  return *name != NULL ? PSPROBE_OK : psp_fail_memory(error, "name");
}

psprobe_code psp_broker_change_read(const psp_json *json, const char *thing,
                                    psp_broker_change *change, psprobe_error *error) {
  const psp_field fields[] = {{thing, psp_read_part, offsetof(psp_broker_change, thing)},
                              {"updateMask", psp_read_text, offsetof(psp_broker_change, mask)},
                              {0}};
  return json == NULL || psp_fields_read(json, fields, change) ? PSPROBE_OK
                                                               : psp_payload_invalid(error);
}

void psp_broker_finish(psp_broker_request *request, psprobe_code code, const psprobe_error *error,
                       psp_buf *body) {
  psp_broker_host_unlock(request->host);
  if (code == PSPROBE_OK) {
    psp_broker_reply(request, code, NULL, body);
    return;
  }
  if (body != NULL) psp_buf_free(body);
  psp_broker_reply(request, code, error->message, NULL);
}

void psp_broker_reply(psp_broker_request *request, psprobe_code code, const char *message,
                      psp_buf *body) {
  request->caller.reply(request->caller.arg, code, message, body);
}
