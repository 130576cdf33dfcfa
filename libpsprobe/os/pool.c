/* SPDX-License-Identifier: MIT */
#include "os/pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "os/thread.h"

struct psp_pool {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  const char *name;
  psp_task *first, **last;
  unsigned most, count, idle; /* threads */
  unsigned waiting;           /* tasks */
  bool ending;
  pthread_t threads[];
};

psp_pool *psp_pool_new(const char *name, unsigned most) {
  psp_pool *pool = calloc(1, sizeof *pool + most * sizeof(pthread_t));
  if (pool == NULL) return NULL;
  pool->name = name;
  pool->most = most;
  pool->last = &pool->first;
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->changed, NULL);
  return pool;
}

/* The next task, or NULL: the pool ends. With the lock. */
static psp_task *take(psp_pool *pool) {
  while (pool->first == NULL && !pool->ending) {
    pool->idle++;
    pthread_cond_wait(&pool->changed, &pool->lock);
    pool->idle--;
  }
  psp_task *task = pool->first;
  if (task == NULL) return NULL;
  pool->first = task->next;
  if (pool->first == NULL) pool->last = &pool->first;
  pool->waiting--;
  return task;
}

static void *work(void *arg) {
  psp_pool *pool = arg;
  pthread_mutex_lock(&pool->lock);
  for (psp_task *task; (task = take(pool)) != NULL;) {
    pthread_mutex_unlock(&pool->lock);
    task->run(task);
    pthread_mutex_lock(&pool->lock);
  }
  pthread_mutex_unlock(&pool->lock);
  return NULL;
}

bool psp_pool_add(psp_pool *pool, psp_task *task) {
  pthread_mutex_lock(&pool->lock);
  if (pool->idle <= pool->waiting && pool->count < pool->most &&
      psp_thread_start(&pool->threads[pool->count], pool->name, work, pool))
    pool->count++;
  bool taken = pool->count > 0;
  if (taken) {
    task->next = NULL;
    *pool->last = task;
    pool->last = &task->next;
    pool->waiting++;
    pthread_cond_signal(&pool->changed);
  }
  pthread_mutex_unlock(&pool->lock);
  return taken;
}

void psp_pool_free(psp_pool *pool) {
  if (pool == NULL) return;
  pthread_mutex_lock(&pool->lock);
  pool->ending = true;
  pthread_cond_broadcast(&pool->changed);
  pthread_mutex_unlock(&pool->lock);
  for (unsigned i = 0; i < pool->count; i++)
    pthread_join(pool->threads[i], NULL);
  pthread_cond_destroy(&pool->changed);
  pthread_mutex_destroy(&pool->lock);
  free(pool);
}
