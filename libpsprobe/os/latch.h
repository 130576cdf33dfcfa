/* SPDX-License-Identifier: MIT */
#ifndef PSP_OS_LATCH_H
#define PSP_OS_LATCH_H
/**
 * @file
 * Waiting for one callback: it posts, and whoever waits goes on. What was posted stays so, also
 * before anybody waits. The one that waits may destroy the latch at once.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct psp_latch {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool open;
} psp_latch;

void psp_latch_init(psp_latch *latch);
void psp_latch_destroy(psp_latch *latch);
/** What was written before is seen by whoever has waited. */
void psp_latch_post(psp_latch *latch);
void psp_latch_wait(psp_latch *latch);
/** @param until_ns CLOCK_MONOTONIC. @return false: not posted by then */
bool psp_latch_wait_until(psp_latch *latch, int64_t until_ns);

#endif
