/* SPDX-License-Identifier: MIT */
#include "http/client/queue.h"

#include <stdlib.h>

#define MAX_FREE 256

void psp_queue_init(psp_queue *queue, const psp_transfer_defaults *defaults) {
  *queue = (psp_queue){.defaults = defaults};
  pthread_mutex_init(&queue->lock, NULL);
  pthread_cond_init(&queue->left, NULL);
}

void psp_queue_clear(psp_queue *queue) {
  for (size_t i = 0; i < queue->count; i++)
    psp_transfer_free(queue->table[i]);
  free(queue->table);
  pthread_cond_destroy(&queue->left);
  pthread_mutex_destroy(&queue->lock);
}

/* With the lock held. Places beyond those in use are only looked for when a transfer is made, which
 * is the slow way anyhow. */
static bool place(psp_queue *queue, psp_transfer *t) {
  size_t at = 0;
  while (at < queue->count && queue->table[at] != NULL)
    at++;
  if (at == queue->capacity) {
    size_t capacity = queue->capacity ? queue->capacity * 2 : 16;
    psp_transfer **grown = realloc(queue->table, capacity * sizeof(*grown));
    if (grown == NULL) return false;
    queue->table = grown;
    queue->capacity = capacity;
  }
  if (at == queue->count) queue->count++;
  queue->table[at] = t;
  t->place = (uint32_t)at;
  return true;
}

psp_transfer *psp_queue_acquire(psp_queue *queue) {
  pthread_mutex_lock(&queue->lock);
  psp_transfer *t = psp_transfer_take(&queue->free);
  if (t != NULL) {
    queue->free_count--;
    queue->in_use++;
  }
  pthread_mutex_unlock(&queue->lock);
  if (t != NULL) return t;

  t = psp_transfer_new(queue->defaults);
  if (t == NULL) return NULL;
  pthread_mutex_lock(&queue->lock);
  bool placed = place(queue, t);
  if (placed) queue->in_use++;
  pthread_mutex_unlock(&queue->lock);
  if (placed) return t;
  psp_transfer_free(t);
  return NULL;
}

bool psp_queue_submit(psp_queue *queue, psp_transfer *t, uint64_t *id) {
  pthread_mutex_lock(&queue->lock);
  bool open = !queue->closing;
  if (open) {
    if (++queue->serial == 0) queue->serial = 1;
    t->id = (uint64_t)queue->serial << 32 | t->place;
    t->cancel_asked = t->resume_asked = false;
    if (id != NULL) *id = t->id;
    psp_transfer_append(&queue->sent, t);
    queue->callers++;
  }
  pthread_mutex_unlock(&queue->lock);
  return open;
}

/* Notes that a transfer is to be cancelled, or resumed. */
static bool ask(psp_queue *queue, uint64_t id, bool resume) {
  size_t at = id & UINT32_MAX;
  pthread_mutex_lock(&queue->lock);
  psp_transfer *t = at < queue->count ? queue->table[at] : NULL;
  bool found = id != 0 && t != NULL && t->id == id && !t->cancel_asked;
  if (found) {
    bool listed = t->resume_asked;
    if (resume)
      t->resume_asked = true;
    else
      t->cancel_asked = true;
    if (!listed) {
      t->next_asked = queue->asked;
      queue->asked = t;
    }
    queue->callers++;
  }
  pthread_mutex_unlock(&queue->lock);
  return found;
}

bool psp_queue_cancel(psp_queue *queue, uint64_t id) {
  return ask(queue, id, false);
}

bool psp_queue_resume(psp_queue *queue, uint64_t id) {
  return ask(queue, id, true);
}

void psp_queue_leave(psp_queue *queue) {
  pthread_mutex_lock(&queue->lock);
  if (--queue->callers == 0 && queue->closing) pthread_cond_signal(&queue->left);
  pthread_mutex_unlock(&queue->lock);
}

void psp_queue_close(psp_queue *queue) {
  pthread_mutex_lock(&queue->lock);
  queue->closing = true;
  pthread_mutex_unlock(&queue->lock);
}

void psp_queue_await_callers(psp_queue *queue) {
  pthread_mutex_lock(&queue->lock);
  while (queue->callers > 0)
    pthread_cond_wait(&queue->left, &queue->lock);
  pthread_mutex_unlock(&queue->lock);
}

void psp_queue_release(psp_queue *queue, psp_transfer *t) {
  bool ready = psp_transfer_reset(t, queue->defaults);
  pthread_mutex_lock(&queue->lock);
  bool surplus = !ready || queue->free_count >= MAX_FREE;
  if (surplus) {
    queue->table[t->place] = NULL;
  } else {
    psp_transfer_append(&queue->free, t);
    queue->free_count++;
  }
  queue->in_use--;
  pthread_mutex_unlock(&queue->lock);
  if (surplus) psp_transfer_free(t);
}

void psp_queue_drain(psp_queue *queue, psp_transfer_list *sent, psp_transfer **due) {
  pthread_mutex_lock(&queue->lock);
  *sent = queue->sent;
  *due = NULL;
  queue->sent = (psp_transfer_list){0};
  for (psp_transfer *t; (t = queue->asked) != NULL; *due = t) {
    queue->asked = t->next_asked;
    t->resume_asked = false; /* it may be asked for again from here on */
    t->cancel_due = t->cancel_asked;
    t->next_due = *due;
  }
  pthread_mutex_unlock(&queue->lock);
}

bool psp_queue_has_work(psp_queue *queue) {
  pthread_mutex_lock(&queue->lock);
  bool work = queue->sent.first != NULL || queue->asked != NULL;
  pthread_mutex_unlock(&queue->lock);
  return work;
}

void psp_queue_settle(psp_queue *queue, psp_transfer *t) {
  pthread_mutex_lock(&queue->lock);
  t->id = 0;
  for (psp_transfer **at = &queue->asked; *at != NULL; at = &(*at)->next_asked) {
    if (*at != t) continue;
    *at = t->next_asked;
    break;
  }
  pthread_mutex_unlock(&queue->lock);
}

psp_transfer *psp_queue_unsettled(psp_queue *queue) {
  psp_transfer *found = NULL;
  pthread_mutex_lock(&queue->lock);
  for (size_t i = 0; queue->closing && found == NULL && i < queue->count; i++) {
    psp_transfer *t = queue->table[i];
    if (t != NULL && t->id != 0) found = t;
  }
  pthread_mutex_unlock(&queue->lock);
  return found;
}

bool psp_queue_is_over(psp_queue *queue) {
  pthread_mutex_lock(&queue->lock);
  bool over = queue->closing && queue->in_use == 0;
  pthread_mutex_unlock(&queue->lock);
  return over;
}
