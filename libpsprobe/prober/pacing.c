/* SPDX-License-Identifier: MIT */
/** @file The pacing thread: whoever calls psprobe_prober_run. */
#include <sys/prctl.h>

#include "base/error.h"
#include "os/futex.h"
#include "os/thread.h"
#include "prober/cadences.h"
#include "prober/keeping.h"
#include "prober/parts.h"

void psprobe_prober_stop(psprobe_prober *prober) {
  /* Also in a signal handler: atomics and at most three system calls. */
  atomic_fetch_add(&prober->stops, 1);
  psp_futex_wake_all(&prober->stops);
  atomic_store(&prober->cadences_over, 1);
  psp_futex_wake_all(&prober->cadences_over);
  psprobe_registry_wake(prober->registry);
}

/* Sleeps until monotonic `when_ns`, as psprobe_sleep_until but that a stop ends it. @return false
 * when it did */
static bool sleep_until(psprobe_prober *prober, int64_t when_ns) {
  while (atomic_load(&prober->stops) == 0) {
    if (psprobe_clock_monotonic() >= when_ns) return true;
    psp_futex_wait(&prober->stops, 0, when_ns);
  }
  return false;
}

static void count_one(_Atomic uint64_t *counter) {
  atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* Uses one slot of the grid. What could not be sent is left in *send for the next. */
static void send_one(psprobe_prober *prober, psp_send **send, int64_t intended_ns) {
  psp_sent_at at = {.intended_ns = intended_ns};
  bool withheld = false;
  if (*send == NULL) *send = psp_keeping_await(prober, PSPROBE_CADENCE_STEADY, &withheld);
  if (*send == NULL || psp_send_go(*send, &at) != PSPROBE_OK) {
    count_one(withheld ? &prober->withheld : &prober->overflowed);
    return;
  }
  *send = NULL;
  psp_keeping_sent(prober, PSPROBE_CADENCE_STEADY, &at);
  count_one(&prober->sent);
  int64_t lateness = at.sent_ns - intended_ns;
  if (lateness > PSPROBE_SENT_LATE_NS) count_one(&prober->sent_late);
  if (lateness > atomic_load_explicit(&prober->max_lateness_ns, memory_order_relaxed))
    atomic_store_explicit(&prober->max_lateness_ns, lateness, memory_order_relaxed);
}

static void send_all(psprobe_prober *prober) {
  psprobe_pacer pacer;
  psp_send *send = NULL;
  psprobe_pacer_init(&pacer, psprobe_clock_monotonic(), prober->interval_ns);
  while (prober->count == 0 || atomic_load(&prober->sent) < prober->count) {
    /* Made before its time, so that id, text and memory cost nothing when it has come. */
    bool withheld;
    if (send == NULL) send = psp_keeping_next(prober, PSPROBE_CADENCE_STEADY, &withheld);
    if (!sleep_until(prober, psprobe_pacer_peek(&pacer))) break;
    send_one(prober, &send, psprobe_pacer_take(&pacer));
  }
  psp_send_free(send);
}

psprobe_code psprobe_prober_run(psprobe_prober *prober, psprobe_error *error) {
  if (atomic_exchange(&prober->ran, true))
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION, "prober: it runs once only");
  pthread_t collector;
  psprobe_code code = PSPROBE_OK;
  if (prober->keeping != NULL)
    code = psp_keeping_begin(prober->keeping, psprobe_clock_monotonic(), error);
  if (code != PSPROBE_OK) return code;
  if (!psp_thread_start(&collector, "psp-collect", psp_prober_collect, prober))
    return psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "prober: no thread for the collector");
  /* Linux lets a timer be 50 us late, to wake up less often. */
  int slack = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
  if (slack > 0) prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  const int64_t slice = psp_thread_slice(PSP_SHORT_SLICE_NS);
  code = psp_cadences_start(prober, error);
  if (code == PSPROBE_OK) send_all(prober);
  psp_cadences_end(prober);
  psp_thread_slice(slice);
  if (slack > 0) prctl(PR_SET_TIMERSLACK, (unsigned long)slack, 0, 0, 0);
  atomic_store(&prober->sending_done, true);
  psprobe_registry_wake(prober->registry);
  pthread_join(collector, NULL);
  return code;
}
