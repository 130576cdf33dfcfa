/* SPDX-License-Identifier: MIT */
#ifndef PSP_OS_CLOCK_H
#define PSP_OS_CLOCK_H
/**
 * @file
 * Every reading of a clock: psprobe_clock_monotonic and psprobe_clock_wall
 * (psprobe/timing.h), and two more as values, so that tests can have their own.
 */
#include <stdint.h>

#include <psprobe/timing.h>

#define PSP_SECOND_NS INT64_C(1000000000)
#define PSP_MS_NS     INT64_C(1000000)
#define PSP_US_NS     INT64_C(1000)

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

/** Room for the words of psp_clock_tell. */
#define PSP_CLOCK_WORDS 96
/** What the machine's clock is, and how far its wall time is to be trusted: "tsc, within 1.2 ms"
 * (adjtimex(2)), or "tsc, not synchronised". */
void psp_clock_tell(char words[PSP_CLOCK_WORDS]);

#endif
