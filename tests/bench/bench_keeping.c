/* SPDX-License-Identifier: MIT */
/** @file
 * What it costs to keep every probe from its send on: to the sending thread, for each probe; and
 * what a responder waits for, the commit of its answer on this disk (to which come up to 2 ms in
 * which answers gather).
 */
#include <psprobe/timing.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "prober/ahead.h"
#include "results/store/store.h"
#include "scratch.h"

#define ROUNDS  9
#define SENDS   200000
#define COMMITS 400
#define BLOCK   200

static psprobe_planned planned[PSP_AHEAD_BLOCK];
static psprobe_sent sent[PSP_AHEAD_BLOCK];

/* The keeping thread's part, between the measured ones. */
static void keep(psp_ahead *ahead, int64_t now_ns) {
  psp_ahead_note(ahead, psp_ahead_sent(ahead, sent, PSP_AHEAD_BLOCK));
  psp_ahead_kept(ahead, psp_ahead_make(ahead, now_ns, 0, planned));
}

/* Nanoseconds a send. */
static double time_sends(void) {
  psp_ahead ahead;
  char id[PSPROBE_ID_SIZE];
  int64_t spent = 0, interval = 1000000;
  bench_need(psp_ahead_init(&ahead, PSPROBE_CADENCE_STEADY, 0, interval), "no memory");
  for (int64_t n = 0; n < SENDS;) {
    keep(&ahead, n * interval);
    int64_t begun = bench_now_ns();
    for (const char *next; (next = psp_ahead_next(&ahead)) != NULL; n++) {
      memcpy(id, next, sizeof id);
      psp_ahead_use(&ahead, n * interval, n * interval + 5, n);
    }
    spent += bench_now_ns() - begun;
  }
  psp_ahead_clear(&ahead);
  return (double)spent / SENDS;
}

static void print(const char *what, int64_t *times, size_t count) {
  qsort(times, count, sizeof *times, bench_by_int64);
  printf("%s: p50 %.2f ms, p99 %.2f ms\n", what,
         (double)psprobe_quantile_sorted(times, count, 0.5) / 1e6,
         (double)psprobe_quantile_sorted(times, count, 0.99) / 1e6);
}

static void time_commits(psprobe_store *store, const psprobe_run *run) {
  static int64_t answers[COMMITS], blocks[COMMITS];
  for (size_t i = 0; i < COMMITS; i++) {
    for (size_t k = 0; k < BLOCK; k++)
      scratch_id(planned[k].id, 1 + i * BLOCK + k);
    psprobe_arrival arrival = {.delivery = 1, .answer = {.status = PSPROBE_ANSWERED}};
    scratch_id(arrival.sent.id, 1 + i * BLOCK);
    const psprobe_news block = {.planned = planned, .planned_count = BLOCK};
    const psprobe_news answer = {.arrivals = &arrival, .arrival_count = 1};
    int64_t begun = bench_now_ns();
    bench_need(psp_store_keep(store, run->id, &block, NULL) == PSPROBE_OK, "not kept");
    int64_t between = bench_now_ns();
    bench_need(psp_store_keep(store, run->id, &answer, NULL) == PSPROBE_OK, "not kept");
    blocks[i] = between - begun;
    answers[i] = bench_now_ns() - between;
  }
  print("the commit of a block of 200 probes", blocks, COMMITS);
  print("the commit of an answer", answers, COMMITS);
}

int main(void) {
  double rounds[ROUNDS];
  void *state = NULL;
  psprobe_run run = scratch_run(1);
  for (size_t i = 0; i < ROUNDS; i++)
    rounds[i] = time_sends();
  printf("a send, for being kept before and after: %.0f ns more (aim: < 1000)\n",
         bench_median(rounds, ROUNDS));
  scratch_setup(&state);
  psprobe_store *store = scratch_store(scratch_file(&state, "r.db"), false);
  bench_need(psprobe_store_begin_run(store, &run, NULL) == PSPROBE_OK, "no run");
  time_commits(store, &run);
  psprobe_store_free(store);
  scratch_teardown(&state);
  return 0;
}
