/* SPDX-License-Identifier: MIT */
#include "os/thread.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's struct sched_attr in its first form, which C libraries lack or name alike. */
typedef struct scheduling {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
} scheduling;

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

int64_t psp_thread_slice(int64_t slice_ns) {
  scheduling now = {.size = sizeof now};
  if (slice_ns <= 0 || syscall(SYS_sched_getattr, 0, &now, sizeof now, 0) != 0 ||
      now.policy != SCHED_OTHER || now.runtime == 0)
    return 0;
  const int64_t before = (int64_t)now.runtime;
  now.runtime = (uint64_t)slice_ns;
  return syscall(SYS_sched_setattr, 0, &now, 0) == 0 ? before : 0;
}
