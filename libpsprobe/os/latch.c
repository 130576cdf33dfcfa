/* SPDX-License-Identifier: MIT */
#include "os/latch.h"

#include "os/wait.h"

void psp_latch_init(psp_latch *latch) {
  pthread_mutex_init(&latch->lock, NULL);
  psp_cond_init(&latch->changed);
  latch->open = false;
}

void psp_latch_destroy(psp_latch *latch) {
  pthread_cond_destroy(&latch->changed);
  pthread_mutex_destroy(&latch->lock);
}

void psp_latch_post(psp_latch *latch) {
  pthread_mutex_lock(&latch->lock);
  latch->open = true;
  /* With the lock held: after it the latch may be gone. */
  pthread_cond_broadcast(&latch->changed);
  pthread_mutex_unlock(&latch->lock);
}

bool psp_latch_wait_until(psp_latch *latch, int64_t until_ns) {
  pthread_mutex_lock(&latch->lock);
  while (!latch->open && psp_cond_wait_until(&latch->changed, &latch->lock, until_ns)) {
  }
  bool open = latch->open;
  pthread_mutex_unlock(&latch->lock);
  return open;
}

void psp_latch_wait(psp_latch *latch) {
  psp_latch_wait_until(latch, INT64_MAX);
}
