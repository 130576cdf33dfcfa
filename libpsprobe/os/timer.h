/* SPDX-License-Identifier: MIT */
#ifndef PSP_OS_TIMER_H
#define PSP_OS_TIMER_H
/**
 * @file
 * Things to do later, off the I/O thread: the waits between attempts, and deadlines. One thread,
 * started when the first timer is armed. Arming allocates nothing: a timer lies in what it is for.
 */
#include <stdbool.h>
#include <stdint.h>

#include "os/clock.h"

typedef struct psp_timer psp_timer;
struct psp_timer {
  void (*fire)(psp_timer *timer); /**< on the timers' thread; may arm it again, may free it */
  int64_t due_ns;                 /**< CLOCK_MONOTONIC */
  psp_timer *child, *next, *prev; /**< the heap's */
  bool armed;
};

typedef struct psp_timers psp_timers;

/** NULL: out of memory. */
psp_timers *psp_timers_new(void);
/**
 * Arms `timer` (zeroed but for fire, or fired, or disarmed) for `due_ns`; past is soon.
 * False: the timers are closed, or their thread could not start. It will not fire then.
 */
bool psp_timers_arm(psp_timers *timers, psp_timer *timer, int64_t due_ns);
/** True: it was armed and will not fire. False: it has fired or is about to. */
bool psp_timers_disarm(psp_timers *timers, psp_timer *timer);
/** Lets an armed timer fire at once; one that is not armed is left alone. */
void psp_timers_hasten(psp_timers *timers, psp_timer *timer);
/** Takes no more, fires all that are armed, waits for them. Not from a timer. */
void psp_timers_close(psp_timers *timers);
/** Closes and frees. NULL is fine. */
void psp_timers_free(psp_timers *timers);

#endif
