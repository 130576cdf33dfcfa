/* SPDX-License-Identifier: MIT */
#include "prober/cadences.h"

#include "base/error.h"
#include "os/futex.h"
#include "os/thread.h"
#include "prober/keeping.h"

/* Sleeps until monotonic `when_ns`. @return false when it is over before */
static bool sleep_until(psprobe_prober *prober, int64_t when_ns) {
  while (atomic_load(&prober->cadences_over) == 0) {
    if (psprobe_clock_monotonic() >= when_ns) return true;
    psp_futex_wait(&prober->cadences_over, 0, when_ns);
  }
  return false;
}

static void *send_cold(void *arg) {
  psprobe_prober *prober = arg;
  psprobe_pacer pacer;
  psp_send *send = NULL;
  psprobe_pacer_init(&pacer, psprobe_clock_monotonic(), prober->cold_every_ns);
  for (;;) {
    bool withheld = false;
    if (send == NULL) send = psp_keeping_next(prober, PSPROBE_CADENCE_COLD, &withheld);
    if (!sleep_until(prober, psprobe_pacer_peek(&pacer))) break;
    if (send == NULL) send = psp_keeping_await(prober, PSPROBE_CADENCE_COLD, &withheld);
    psp_sent_at at = {.intended_ns = psprobe_pacer_take(&pacer)};
    bool went = send != NULL && psp_send_go(send, &at) == PSPROBE_OK;
    if (went) psp_keeping_sent(prober, PSPROBE_CADENCE_COLD, &at);
    atomic_fetch_add_explicit(went       ? &prober->cold_sent
                              : withheld ? &prober->withheld
                                         : &prober->overflowed,
                              1, memory_order_relaxed);
    if (went) send = NULL;
  }
  psp_send_free(send);
  return NULL;
}

static void *fill(void *arg) {
  psprobe_prober *prober = arg;
  psprobe_pacer pacer;
  psprobe_pacer_init(&pacer, psprobe_clock_monotonic(), prober->filler_ns);
  while (sleep_until(prober, psprobe_pacer_take(&pacer)))
    psp_sender_fill(prober->sender);
  return NULL;
}

psprobe_code psp_cadences_start(psprobe_prober *prober, psprobe_error *error) {
  if (prober->cold_every_ns > 0)
    prober->cold_runs = psp_thread_start(&prober->cold_thread, "psp-cold", send_cold, prober);
  if (prober->filler_ns > 0)
    prober->filler_runs = psp_thread_start(&prober->filler_thread, "psp-filler", fill, prober);
  if (prober->cold_runs == (prober->cold_every_ns > 0) &&
      prober->filler_runs == (prober->filler_ns > 0))
    return PSPROBE_OK;
  psp_cadences_end(prober);
  return psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "prober: no thread for its cadences");
}

void psp_cadences_end(psprobe_prober *prober) {
  atomic_store(&prober->cadences_over, 1);
  psp_futex_wake_all(&prober->cadences_over);
  if (prober->cold_runs) pthread_join(prober->cold_thread, NULL);
  if (prober->filler_runs) pthread_join(prober->filler_thread, NULL);
  prober->cold_runs = prober->filler_runs = false;
}
