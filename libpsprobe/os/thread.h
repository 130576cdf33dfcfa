/* SPDX-License-Identifier: MIT */
#ifndef PSP_OS_THREAD_H
#define PSP_OS_THREAD_H
/** @file Threads of the library: they take no signals, which are for the program's own. */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * Starts `run(arg)` on a thread with every signal blocked.
 * @param name what `top -H` and a debugger show: at most 15 bytes
 * @return false: there is no thread to be had. Else pthread_join or pthread_detach it.
 */
bool psp_thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg);

/** The shortest turn on a processor that Linux gives, ns: for threads that have little to do, and
 * have to do it at once. */
#define PSP_SHORT_SLICE_NS 100000
/**
 * Asks for turns of `slice_ns` for the calling thread, and those that it starts from now on. Of all
 * that wake, who asks for short turns is let in before others end theirs; it gets no larger share
 * of the processor (EEVDF: sched_setattr(2), sched_runtime; Linux 6.12 and on). Where the kernel
 * has no such thing, refuses it, or schedules this thread by another policy, nothing changes.
 * @return what it had, for setting that again; 0: nothing was changed, and 0 changes nothing
 */
int64_t psp_thread_slice(int64_t slice_ns);

/** For a library that starts threads of its own: they begin as the calling one is. */
void psp_signals_block(sigset_t *before);
void psp_signals_restore(const sigset_t *before);

#endif
