/* SPDX-License-Identifier: MIT */
#ifndef PSP_OS_POOL_H
#define PSP_OS_POOL_H
/** @file Threads that do one task after another: as many as there are tasks at once, to a bound. */
#include <stdbool.h>

typedef struct psp_pool psp_pool;

/** Something to be done; its owner keeps it until `run` is called. */
typedef struct psp_task {
  struct psp_task *next;
  void (*run)(struct psp_task *task);
} psp_task;

/** No thread yet. `name` as for psp_thread_start. NULL: no memory. */
psp_pool *psp_pool_new(const char *name, unsigned most);
/** Gives it a task; it waits while all threads are busy. False: there is no thread to be had. */
bool psp_pool_add(psp_pool *pool, psp_task *task);
/** Does what is left, then ends the threads. NULL is fine. */
void psp_pool_free(psp_pool *pool);

#endif
