/* SPDX-License-Identifier: MIT */
#include "auth/verify/gate.h"

static void on_checked(void *arg, void *subject, const psprobe_identity *identity,
                       const psprobe_error *error) {
  const psp_gate *gate = arg;
  psp_exchange *exchange = subject;
  if (identity != NULL) {
    psp_exchange_admit(exchange);
    return;
  }
  if (gate->refused != NULL) atomic_fetch_add_explicit(gate->refused, 1, memory_order_relaxed);
  int status = error->code == PSPROBE_UNAVAILABLE         ? 503
               : error->code == PSPROBE_PERMISSION_DENIED ? 403
                                                          : 401;
  if (status == 401) psp_exchange_set_header(exchange, "WWW-Authenticate", "Bearer");
  psp_exchange_reply_error(exchange, status, error->code, error->message);
}

void psp_gate_admit(void *arg, psp_exchange *exchange) {
  psp_gate *gate = arg;
  if (gate->verifier == NULL) {
    psp_exchange_admit(exchange);
    return;
  }
  /* libmicrohttpd hands over one of several: whose signature would be looked at is not for the
   * sender to choose. */
  const char *authorization = psp_exchange_header_count(exchange, "Authorization") == 1
                                  ? psp_exchange_header(exchange, "Authorization")
                                  : NULL;
  psp_verifier_start(gate->verifier, authorization, on_checked, gate, exchange);
}
