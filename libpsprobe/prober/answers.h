/* SPDX-License-Identifier: MIT */
#ifndef PSP_PROBER_ANSWERS_H
#define PSP_PROBER_ANSWERS_H
/** @file The route that responders POST to: the timing path's second half. */
#include "http/server/server.h"

/** The words of the prober's two 404s. A responder tells them by these from anybody else's. */
#define PSP_NO_PROBE  "no probe with this id is in flight"
#define PSP_NO_SOURCE "this prober has no source of this name"

/** POST /{source}/{probe_id}; `arg` is the prober. */
void psp_prober_answer(void *arg, psp_exchange *exchange);

#endif
