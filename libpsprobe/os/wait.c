/* SPDX-License-Identifier: MIT */
#include "os/wait.h"

#include <errno.h>
#include <time.h>

void psp_cond_init(pthread_cond_t *condition) {
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(condition, &monotonic);
  pthread_condattr_destroy(&monotonic);
}

bool psp_cond_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t until_ns) {
  if (until_ns == INT64_MAX) return pthread_cond_wait(condition, mutex) == 0;
  if (until_ns < 0) until_ns = 0; /* the remainder would be negative, which is refused */
  const struct timespec until = {.tv_sec = (time_t)(until_ns / PSP_SECOND_NS),
                                 .tv_nsec = (long)(until_ns % PSP_SECOND_NS)};
  return pthread_cond_timedwait(condition, mutex, &until) != ETIMEDOUT;
}
