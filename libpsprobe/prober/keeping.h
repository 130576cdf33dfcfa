/* SPDX-License-Identifier: MIT */
#ifndef PSP_PROBER_KEEPING_H
#define PSP_PROBER_KEEPING_H
/**
 * @file
 * Keeping probes from before they are sent. Who answers waits here until the answer is kept: all
 * that has come by then is kept at once, and the next time is a moment later, so that a commit
 * costs each a few milliseconds and the disk no more than it can take.
 */
#include "prober/parts.h"

typedef struct psp_keeping psp_keeping;

/** NULL: no memory. `prober` is borrowed. */
psp_keeping *psp_keeping_new(psprobe_prober *prober, psprobe_prober_keep *keep, void *arg);
void psp_keeping_free(psp_keeping *keeping);

/** Plans from monotonic `start_ns` on, and keeps the first. On the run's thread, before the others
 * begin. */
psprobe_code psp_keeping_begin(psp_keeping *keeping, int64_t start_ns, psprobe_error *error);
/** The answer is noted: it is kept, and then its responder answered. From a handler.
 * @return false: nothing is kept any more; it is the caller's to answer */
bool psp_keeping_defer(psp_keeping *keeping, psp_exchange *exchange,
                       const psprobe_arrival *arrival);

/** The next probe of a cadence, ready to be sent. Without a keeping: with a new id. NULL: none is
 * kept (`withheld`: that is why), or no memory. On the cadence's thread. */
psp_send *psp_keeping_next(const psprobe_prober *prober, psprobe_cadence cadence, bool *withheld);
/** The same once its slot has come: waits for it, unless nothing can be kept, or it is to stop. */
psp_send *psp_keeping_await(const psprobe_prober *prober, psprobe_cadence cadence, bool *withheld);
/** It was sent. */
void psp_keeping_sent(const psprobe_prober *prober, psprobe_cadence cadence, const psp_sent_at *at);

/* ---- on the collector thread ---- */

/** Waits until what has gathered may be kept. */
void psp_keeping_pause(const psp_keeping *keeping);
/** Keeps what is new, with what is finished; answers who waits. @return whether there is more */
bool psp_keeping_round(psp_keeping *keeping, const psprobe_finished *finished, size_t count);
/** When it has to be done again, if nothing happens. */
int64_t psp_keeping_due(const psp_keeping *keeping, int64_t now_ns);
/** Keeps the rest; nothing is taken from now on. */
void psp_keeping_end(psp_keeping *keeping);

#endif
