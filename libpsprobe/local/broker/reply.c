/* SPDX-License-Identifier: MIT */
/** @file How a request that had the broker locked ends. */
#include "local/broker/rest.h"

void psp_broker_finish(psp_broker_request *request, psprobe_code code, const psprobe_error *error,
                       psp_buf *body) {
  psp_broker_host_unlock(request->host);
  if (code == PSPROBE_OK) {
    psp_broker_reply(request, code, NULL, body);
    return;
  }
  psp_buf_free(body);
  psp_broker_reply(request, code, error->message, NULL);
}

void psp_broker_reply(psp_broker_request *request, psprobe_code code, const char *message,
                      psp_buf *body) {
  request->caller.reply(request->caller.arg, code, message, body);
}
