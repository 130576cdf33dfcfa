/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_VERIFY_GATE_H
#define PSP_AUTH_VERIFY_GATE_H
/** @file Routes that only those may use who show a token. */
#include <stdatomic.h>
#include <stdint.h>

#include "auth/verify/verifier.h"
#include "http/server/server.h"

/**
 * Stands before a server's routes: its admit is psp_gate_admit and its admit_arg is this. Kept by
 * the caller as long as the server.
 */
typedef struct psp_gate {
  psprobe_verifier *verifier; /**< borrowed; NULL: everybody may */
  _Atomic uint64_t *refused;  /**< counts those who may not; NULL: nobody counts */
} psp_gate;

/** A psp_handler, before any of the body is held. Those who show no token that is good are answered
 * 401 (with `WWW-Authenticate: Bearer`), 403 or 503. Those who had to wait for keys came at
 * psp_exchange_received_ns all the same. */
void psp_gate_admit(void *gate, psp_exchange *exchange);

#endif
