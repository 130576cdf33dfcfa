/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_CLOCK_H
#define PSP_AUTH_CLOCK_H
/** @file The two clocks of auth, as values, so that tests can have their own. */
#include <stdint.h>

typedef struct psp_clock {
  /** Counts time asleep too (CLOCK_BOOTTIME), for the age of tokens and keys; ns. */
  int64_t (*boot_ns)(void *arg);
  /** Seconds since 1970, for what stands in tokens. */
  int64_t (*wall_s)(void *arg);
  void *arg;
} psp_clock;

/** The machine's. */
extern const psp_clock psp_clock_system;
int64_t psp_clock_boot_ns(const psp_clock *clock);
int64_t psp_clock_wall_s(const psp_clock *clock);

#endif
