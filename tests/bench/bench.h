/* SPDX-License-Identifier: MIT */
#ifndef BENCH_H
#define BENCH_H
/** @file What the benchmarks share: a clock, a check, a median. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline int64_t bench_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline void bench_sleep_until(int64_t ns) {
  const struct timespec until = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
    continue;
}

/** Ends the program, with what is wrong, where it is. */
static inline void bench_need(bool ok, const char *what) {
  if (ok) return;
  fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
  exit(1);
}

/** For qsort: doubles, and int64_t. */
static inline int bench_by_double(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}
static inline int bench_by_int64(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/** Sorts them. */
static inline double bench_median(double *values, size_t count) {
  qsort(values, count, sizeof *values, bench_by_double);
  return values[count / 2];
}

#endif
