/* SPDX-License-Identifier: MIT */
#ifndef PSP_OS_THREAD_H
#define PSP_OS_THREAD_H
/** @file Threads of the library: they take no signals, which are for the program's own. */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

/**
 * Starts `run(arg)` on a thread with every signal blocked.
 * @param name what `top -H` and a debugger show: at most 15 bytes
 * @return false: there is no thread to be had. Else pthread_join or pthread_detach it.
 */
bool psp_thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg);

/** For a library that starts threads of its own: they begin as the calling one is. */
void psp_signals_block(sigset_t *before);
void psp_signals_restore(const sigset_t *before);

#endif
