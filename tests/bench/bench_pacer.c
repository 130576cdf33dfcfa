/* SPDX-License-Identifier: MIT */
/** @file
 * How late the pacer wakes at 1 kHz, beside a bare loop around
 * clock_nanosleep(TIMER_ABSTIME) on the same grid. Rounds alternate, so that
 * what else the machine does falls on both; the median round counts.
 */
#include <psprobe/timing.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"

#define ROUNDS   9
#define SLOTS    1000
#define INTERVAL 1000000

static int64_t late[SLOTS];

static void run_pacer(void) {
  psprobe_pacer pacer;
  psprobe_pacer_init(&pacer, psprobe_clock_monotonic() + INTERVAL, INTERVAL);
  for (int i = 0; i < SLOTS; i++) {
    const int64_t when = psprobe_pacer_take(&pacer);
    psprobe_sleep_until(when);
    late[i] = psprobe_clock_monotonic() - when;
  }
}

static void run_bare(void) {
  struct timespec when, now;
  clock_gettime(CLOCK_MONOTONIC, &when);
  for (int i = 0; i < SLOTS; i++) {
    when.tv_nsec += INTERVAL;
    if (when.tv_nsec >= 1000000000) {
      when.tv_nsec -= 1000000000;
      when.tv_sec++;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
    clock_gettime(CLOCK_MONOTONIC, &now);
    late[i] = (int64_t)(now.tv_sec - when.tv_sec) * 1000000000 + now.tv_nsec - when.tv_nsec;
  }
}

static void round_of(void (*run)(void), int64_t *p50, int64_t *p99) {
  run();
  qsort(late, SLOTS, sizeof *late, bench_by_int64);
  *p50 = psprobe_quantile_sorted(late, SLOTS, 0.5);
  *p99 = psprobe_quantile_sorted(late, SLOTS, 0.99);
}

static int64_t median(int64_t *rounds) {
  qsort(rounds, ROUNDS, sizeof *rounds, bench_by_int64);
  return rounds[ROUNDS / 2];
}

static void print(const char *name, int64_t *ours, int64_t *peer, const char *aim) {
  const double a = (double)median(ours) / 1e3, b = (double)median(peer) / 1e3;
  printf("%s: ours %.1f us, peer %.1f us, ratio %.2f (%s)\n", name, a, b, a / b, aim);
}

int main(void) {
  int64_t ours50[ROUNDS], ours99[ROUNDS], peer50[ROUNDS], peer99[ROUNDS];
  for (int r = 0; r < ROUNDS; r++) {
    round_of(r % 2 == 0 ? run_pacer : run_bare, r % 2 == 0 ? &ours50[r] : &peer50[r],
             r % 2 == 0 ? &ours99[r] : &peer99[r]);
    round_of(r % 2 == 0 ? run_bare : run_pacer, r % 2 == 0 ? &peer50[r] : &ours50[r],
             r % 2 == 0 ? &peer99[r] : &ours99[r]);
  }
  print("pacer lateness at 1 kHz, p50", ours50, peer50, "no aim");
  print("pacer lateness at 1 kHz, p99", ours99, peer99, "aim <= 1.2");
  return 0;
}
