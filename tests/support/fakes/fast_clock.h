/* SPDX-License-Identifier: MIT */
#ifndef TEST_FAST_CLOCK_H
#define TEST_FAST_CLOCK_H
/**
 * @file
 * A monotonic clock that goes faster than the machine's, for programs that the Makefile links with
 * --wrap: the library's threads wait as much shorter. (HTTP's timeouts are curl's, and do not.) To
 * be included once in such a program.
 */
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define FAST 20 /* times */

int64_t __real_psprobe_clock_monotonic(void);
bool __real_psp_cond_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                int64_t until_ns);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int64_t __wrap_psprobe_clock_monotonic(void);
bool __wrap_psp_cond_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                int64_t until_ns);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

/* From where the machine's own starts, so that neither overflows. */
int64_t __wrap_psprobe_clock_monotonic(void) {
  return __real_psprobe_clock_monotonic() * FAST;
}

bool __wrap_psp_cond_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                int64_t until_ns) {
  return __real_psp_cond_wait_until(condition, mutex,
                                    until_ns == INT64_MAX ? until_ns : until_ns / FAST + 1);
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms) {
  return __real_poll(fds, count, timeout_ms > 0 ? timeout_ms / FAST + 1 : timeout_ms);
}

#endif
