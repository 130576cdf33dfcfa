/* SPDX-License-Identifier: MIT */
#ifndef PSP_OS_WAIT_H
#define PSP_OS_WAIT_H
/** @file Waiting by the monotonic clock, which nobody sets. */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "os/clock.h"

/** A condition for psp_cond_wait_until; pthread_cond_destroy ends it. Cannot fail on Linux. */
void psp_cond_init(pthread_cond_t *condition);
/**
 * Waits, with the mutex held, until the condition is signalled or the monotonic clock is at
 * `until_ns` (INT64_MAX: without an end; one that has passed: not at all).
 * @return false: the time is over. true: it was signalled, or has woken up for nothing
 */
bool psp_cond_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t until_ns);

#endif
