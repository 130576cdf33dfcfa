/* SPDX-License-Identifier: MIT */
#ifndef PSP_PROBER_CADENCES_H
#define PSP_PROBER_CADENCES_H
/** @file What a prober publishes beside its steady probes, each on a grid and a thread of its own,
 * so that the steady ones do not wait for it: rare probes for cold starts, and messages without
 * one. */
#include "prober/parts.h"

/** Starts those that the options ask for. @return RESOURCE_EXHAUSTED: no thread */
psprobe_code psp_cadences_start(psprobe_prober *prober, psprobe_error *error);
/** Ends them and waits for their threads. */
void psp_cadences_end(psprobe_prober *prober);

#endif
