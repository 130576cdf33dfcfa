/* SPDX-License-Identifier: MIT */
#include "local/rest.h"

static const char json_type[] = "application/json";

void psp_rest_reply(psp_exchange *exchange, psp_buf *body) {
  if (body->failed || !body->data)
    psp_rest_error(exchange, PSPROBE_RESOURCE_EXHAUSTED, "out of memory");
  else
    psp_exchange_reply(exchange, 200, json_type, body->data, body->len);
  psp_buf_free(body);
}

void psp_rest_reply_empty(psp_exchange *exchange) {
  psp_exchange_reply(exchange, 200, json_type, "{\n}\n", 4);
}

void psp_rest_error(psp_exchange *exchange, psprobe_code code, const char *message) {
  psp_buf body = {0};
  psp_rest_error_encode(&body, code, message);
  bool ok = !body.failed && body.data;
  psp_exchange_reply(exchange, psp_rest_status(code), ok ? json_type : NULL, ok ? body.data : "",
                     ok ? body.len : 0);
  psp_buf_free(&body);
}

void psp_rest_not_found(psp_exchange *exchange) {
  psp_exchange_reply(exchange, 404, NULL, "Not Found\n", 10);
}
