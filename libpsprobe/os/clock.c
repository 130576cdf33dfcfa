/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <time.h>

#include <psprobe/timing.h>

#define NS_PER_SECOND INT64_C(1000000000)

static int64_t read_clock(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

int64_t psprobe_clock_monotonic(void) {
  return read_clock(CLOCK_MONOTONIC);
}

int64_t psprobe_clock_wall(void) {
  return read_clock(CLOCK_REALTIME);
}

void psprobe_sleep_until(int64_t when_ns) {
  if (when_ns <= 0) return;
  const struct timespec when = {.tv_sec = (time_t)(when_ns / NS_PER_SECOND),
                                .tv_nsec = (long)(when_ns % NS_PER_SECOND)};
  /* An absolute time makes the retry exact: nothing is added up over signals. */
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR) {
  }
}
