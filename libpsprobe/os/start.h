/* SPDX-License-Identifier: MIT */
#ifndef PSP_OS_START_H
#define PSP_OS_START_H
/** @file When this process started, as well as the kernel tells. */
#include <stdint.h>

/**
 * The monotonic clock when the process was started. The kernel tells it to 10 ms; the CPU time that
 * has been used since narrows it down, the more the earlier this is asked.
 */
int64_t psp_process_start_ns(void);
/** The same of what the kernel tells. Pure.
 * @param stat /proc/self/stat
 * @param ticks_s its clock ticks a second
 * @param boot_ns CLOCK_BOOTTIME, @param now_ns CLOCK_MONOTONIC, @param cpu_ns used so far */
int64_t psp_start_of(const char *stat, long ticks_s, int64_t boot_ns, int64_t now_ns,
                     int64_t cpu_ns);

#endif
