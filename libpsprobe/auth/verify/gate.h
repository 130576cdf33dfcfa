/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_VERIFY_GATE_H
#define PSP_AUTH_VERIFY_GATE_H
/** @file A route that only those may use who show a token. */
#include <stdatomic.h>
#include <stdint.h>

#include "auth/verify/verifier.h"
#include "http/server/server.h"

/**
 * Stands before a handler: a route's handler is psp_gate_handle and its arg is this. Kept by the
 * caller as long as the route.
 */
typedef struct psp_gate {
  psprobe_verifier *verifier; /**< borrowed; NULL: everybody may */
  /** Called for those who may. Nearly always on the server's thread; on one of the verifier's
   * for a token that was not known yet or had to wait for keys. Its time of arrival is
   * psp_exchange_received_ns all the same. */
  psp_handler *handler;
  void *arg;
  _Atomic uint64_t *refused; /**< counts the others; NULL: nobody counts */
} psp_gate;

/** A psp_handler. Others are answered 401 (with `WWW-Authenticate: Bearer`), 403 or 503. */
void psp_gate_handle(void *gate, psp_exchange *exchange);

#endif
