/* SPDX-License-Identifier: MIT */
#ifndef PSP_OS_FUTEX_H
#define PSP_OS_FUTEX_H
/** @file A word to sleep on, futex(2): whoever changes it makes a system call only when it should
 * wake somebody. */
#include <stdatomic.h>
#include <stdint.h>

/** Wakes all that sleep on the word. Async-signal-safe. */
void psp_futex_wake_all(_Atomic uint32_t *word);
/** Sleeps while the word is `while_it_is`, until CLOCK_MONOTONIC is at `until_ns` (> 0). May
 * return sooner. */
void psp_futex_wait(_Atomic uint32_t *word, uint32_t while_it_is, int64_t until_ns);

#endif
