/* SPDX-License-Identifier: MIT */
#include "os/thread.h"

void psp_signals_block(sigset_t *before) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, before);
}

void psp_signals_restore(const sigset_t *before) {
  pthread_sigmask(SIG_SETMASK, before, NULL);
}

bool psp_thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg) {
  sigset_t before;
  psp_signals_block(&before);
  bool started = pthread_create(thread, NULL, run, arg) == 0;
  psp_signals_restore(&before);
  /* Joinable as yet, so that the name cannot come to a thread that is gone. */
  if (started) pthread_setname_np(*thread, name);
  return started;
}
