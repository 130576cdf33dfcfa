/* SPDX-License-Identifier: MIT */
#ifndef PSP_PROBER_REGISTRY_SPIN_H
#define PSP_PROBER_REGISTRY_SPIN_H
/**
 * @file
 * A lock of four bytes for what is held some tens of nanoseconds, never across
 * a system call: a shard with its lock is one cache line that way. Giving it up
 * is a plain store, where a futex's would be a locked instruction that waits
 * for all earlier stores.
 *
 * Who does not get it spins for about a microsecond, then yields, then sleeps
 * for 50 us at a time: whoever holds it was preempted, and may have less
 * priority than we.
 */
#include <stdatomic.h>
#include <stdint.h>

/** Zeroed: free. */
typedef _Atomic uint32_t psp_spin;

/** Waits for a lock that was not free. */
void psp_spin_wait(psp_spin *lock);

static inline void psp_spin_take(psp_spin *lock) {
  uint32_t expected = 0;
  if (!atomic_compare_exchange_strong_explicit(lock, &expected, 1, memory_order_acquire,
                                               memory_order_relaxed))
    psp_spin_wait(lock);
}

static inline void psp_spin_give(psp_spin *lock) {
  atomic_store_explicit(lock, 0, memory_order_release);
}

#endif
