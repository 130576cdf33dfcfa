/* SPDX-License-Identifier: MIT */
#include "prober/registry/spin.h"

#include <sched.h>
#include <stdbool.h>
#include <time.h>

#define SPINS  50
#define YIELDS 20

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ __volatile__("yield");
#endif
}

static bool try_take(psp_spin *lock) {
  uint32_t expected = 0;
  /* Looking first leaves the line shared among those who wait. */
  return atomic_load_explicit(lock, memory_order_relaxed) == 0 &&
         atomic_compare_exchange_weak_explicit(lock, &expected, 1, memory_order_acquire,
                                               memory_order_relaxed);
}

void psp_spin_wait(psp_spin *lock) {
  static const struct timespec nap = {.tv_nsec = 50000};
  for (int tries = 0; !try_take(lock); tries++) {
    if (tries < SPINS)
      relax();
    else if (tries < SPINS + YIELDS)
      sched_yield();
    else
      nanosleep(&nap, NULL);
  }
}
