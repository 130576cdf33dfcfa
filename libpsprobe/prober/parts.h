/* SPDX-License-Identifier: MIT */
#ifndef PSP_PROBER_PARTS_H
#define PSP_PROBER_PARTS_H
/** @file What the parts of a prober share. */
#include <pthread.h>
#include <stdatomic.h>

#include <psprobe/prober.h>

#include "auth/verify/gate.h"
#include "http/server/server.h"
#include "prober/sending.h"

/** Finished probes that the sink is given at once. */
#define PSP_PROBER_BATCH 64

/** One source's counters. */
typedef struct psp_tally {
  _Atomic uint64_t answered, late, lost, duplicates, in_doubt;
  _Atomic int64_t last_ns;
} psp_tally;

struct psprobe_prober {
  psprobe_registry *registry; /**< the sender's, as long as that is ours */
  psp_sender *sender;
  psp_gate gate; /**< before psp_prober_answer; its verifier is ours */
  psp_server *server;
  psp_reply *ok, *no_probe, *no_source;
  psprobe_logger logger;
  char *sources[PSPROBE_MAX_SOURCES];
  size_t source_count;
  int64_t interval_ns, timeout_ns;
  int64_t wall_offset_ns;           /**< the run's clock less the monotonic one */
  int64_t cold_every_ns, filler_ns; /**< 0: none */
  pthread_t cold_thread, filler_thread;
  bool cold_runs, filler_runs;
  _Atomic uint32_t cadences_over; /**< a futex: 1 ends the two threads */
  _Atomic uint64_t cold_sent;
  uint64_t count;
  psprobe_prober_sink *sink;
  void *sink_arg;
  struct psp_keeping *keeping; /**< NULL: nothing is kept before it is finished */

  /** A futex: how often psprobe_prober_stop was called. 1: send no more; 2: do not wait either. */
  _Atomic uint32_t stops;
  _Atomic bool ran, sending_done;
  _Atomic uint64_t sent, sent_late, completed, refused, overflowed, withheld, malformed;
  _Atomic int64_t max_lateness_ns;
  psp_tally tally[PSPROBE_MAX_SOURCES];
  psprobe_finished batch[PSP_PROBER_BATCH]; /**< the collector's */
};

/** The collector thread: hands finished probes to the sink until all is sent and settled. */
void *psp_prober_collect(void *arg);

#endif
