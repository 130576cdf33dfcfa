/* SPDX-License-Identifier: MIT */
/** @file
 * How late the pacer wakes at 1 kHz, beside a bare loop around
 * clock_nanosleep(TIMER_ABSTIME) on the same grid. Rounds alternate, so that
 * what else the machine does falls on both; the median round counts. And beside threads that
 * compute, two for each processor: with the short turns that a prober's thread asks for, and bare.
 */
#include <psprobe/timing.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "os/thread.h"

#define ROUNDS 9
#define SLOTS  1000

static int64_t late[SLOTS], interval_ns = 1000000;
static int slots = SLOTS;

static void run_pacer(void) {
  psprobe_pacer pacer;
  psprobe_pacer_init(&pacer, psprobe_clock_monotonic() + interval_ns, interval_ns);
  for (int i = 0; i < slots; i++) {
    const int64_t when = psprobe_pacer_take(&pacer);
    psprobe_sleep_until(when);
    late[i] = psprobe_clock_monotonic() - when;
  }
}

static void run_bare(void) {
  struct timespec when, now;
  clock_gettime(CLOCK_MONOTONIC, &when);
  for (int i = 0; i < slots; i++) {
    when.tv_nsec += interval_ns;
    if (when.tv_nsec >= 1000000000) {
      when.tv_nsec -= 1000000000;
      when.tv_sec++;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
    clock_gettime(CLOCK_MONOTONIC, &now);
    late[i] = (int64_t)(now.tv_sec - when.tv_sec) * 1000000000 + now.tv_nsec - when.tv_nsec;
  }
}

/* Of one round: p50, p90, p99. */
typedef struct spread {
  int64_t at[3];
} spread;
static const double shares[3] = {0.5, 0.9, 0.99};

static spread round_of(void (*run)(void)) {
  spread s;
  run();
  qsort(late, (size_t)slots, sizeof *late, bench_by_int64);
  for (int i = 0; i < 3; i++)
    s.at[i] = psprobe_quantile_sorted(late, (size_t)slots, shares[i]);
  return s;
}

static int64_t median(const spread *rounds, int at) {
  int64_t all[ROUNDS];
  for (int r = 0; r < ROUNDS; r++)
    all[r] = rounds[r].at[at];
  qsort(all, ROUNDS, sizeof *all, bench_by_int64);
  return all[ROUNDS / 2];
}

static void run_prompt(void) {
  const int64_t slice = psp_thread_slice(PSP_SHORT_SLICE_NS);
  run_pacer();
  psp_thread_slice(slice);
}

/* Rounds of ours and of the bare loop, by turns. */
static void compare(void (*ours)(void), const char *where, const char *const aims[3]) {
  spread our_rounds[ROUNDS], bare_rounds[ROUNDS];
  for (int r = 0; r < ROUNDS; r++) {
    if (r % 2 == 0) our_rounds[r] = round_of(ours);
    bare_rounds[r] = round_of(run_bare);
    if (r % 2 == 1) our_rounds[r] = round_of(ours);
  }
  for (int i = 0; i < 3; i++) {
    const double a = (double)median(our_rounds, i) / 1e3, b = (double)median(bare_rounds, i) / 1e3;
    printf("pacer lateness at %s, p%.0f: ours %.1f us, peer %.1f us, ratio %.2f (%s)\n", where,
           shares[i] * 100, a, b, a / b, aims[i]);
  }
}

static atomic_bool over;

static void *compute(void *arg) {
  (void)arg;
  while (!atomic_load_explicit(&over, memory_order_relaxed)) {
  }
  return NULL;
}

int main(void) {
  enum { MOST = 64 };
  pthread_t busy[MOST];
  long count = 2 * sysconf(_SC_NPROCESSORS_ONLN);
  if (count > MOST) count = MOST;
  compare(run_pacer, "1 kHz", (const char *const[]){"no aim", "no aim", "aim <= 1.2"});
  interval_ns = 10000000;
  slots = 150;
  for (long i = 0; i < count; i++)
    if (pthread_create(&busy[i], NULL, compute, NULL) != 0) return 1;
  compare(run_prompt, "100 Hz beside busy threads",
          (const char *const[]){"no aim", "aim < 1", "no aim"});
  atomic_store(&over, true);
  for (long i = 0; i < count; i++)
    pthread_join(busy[i], NULL);
  return 0;
}
