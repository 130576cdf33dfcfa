/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_LOOP_H
#define PSP_HTTP_LOOP_H
/**
 * @file
 * What the I/O thread and the two engines it drives know of each other.
 *
 * The epoll set holds watches of ours, by address, and sockets of curl's, by
 * number; an odd value is a number.
 */
#include <stdbool.h>
#include <stdint.h>

/** Something in the epoll set. `ready` is called on the I/O thread, no lock held. */
typedef struct psp_watch {
  void (*ready)(struct psp_watch *watch, uint32_t events);
} psp_watch;

/** Adds `fd` to the set. */
bool psp_watch_add(int epoll, int fd, psp_watch *watch, uint32_t events);

/** Where an engine lives. */
typedef struct psp_loop {
  int epoll;
  int wake; /**< an eventfd: makes the I/O thread look at both engines */
} psp_loop;

void psp_loop_wake(const psp_loop *loop);

int64_t psp_monotonic_ns(void);
/** Lets a timerfd go off at `at_ns`, monotonic; what lies in the past, at once. */
void psp_timer_set(int timer, int64_t at_ns);

#endif
