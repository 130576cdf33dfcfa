/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_CLIENT_QUEUE_H
#define PSP_HTTP_CLIENT_QUEUE_H
/**
 * @file
 * Where requests wait for whoever drives curl, and where transfers are kept
 * between two uses. Its lock is held for a few instructions at a time.
 */
#include <pthread.h>

#include "http/client/transfer.h"

typedef struct psp_queue {
  const psp_transfer_defaults *defaults;
  pthread_mutex_t lock;
  psp_transfer **table; /* all there are, by place; holes are NULL */
  size_t count, capacity;
  psp_transfer_list free, sent;
  size_t free_count, in_use;
  psp_transfer *asked; /* to be cancelled or resumed, and not yet seen to */
  uint32_t serial;     /* the upper half of the last id */
  unsigned callers;    /* threads that put something in and are not gone yet */
  pthread_cond_t left; /* callers is 0, and closing */
  bool closing;
} psp_queue;

/** `defaults` is kept. */
void psp_queue_init(psp_queue *queue, const psp_transfer_defaults *defaults);
/** Frees every transfer. */
void psp_queue_clear(psp_queue *queue);

/** A transfer to prepare. NULL: no memory. */
psp_transfer *psp_queue_acquire(psp_queue *queue);
/**
 * Hands it over. False: closing, and it is still the caller's. `id` may be NULL. After true the
 * queue stays until psp_queue_leave, whatever comes of the request meanwhile: its callback may let
 * another thread free it all.
 */
bool psp_queue_submit(psp_queue *queue, psp_transfer *transfer, uint64_t *id);
/** False: unknown, or its result is there already, or it was asked for before. After true as with
 * psp_queue_submit. */
bool psp_queue_cancel(psp_queue *queue, uint64_t id);
/** The same for a transfer that waits with a part of its answer. */
bool psp_queue_resume(psp_queue *queue, uint64_t id);
/** What submit, cancel or resume began: the caller touches the queue no more. */
void psp_queue_leave(psp_queue *queue);
/** No more requests. */
void psp_queue_close(psp_queue *queue);
/** After psp_queue_close: waits until every caller has left. */
void psp_queue_await_callers(psp_queue *queue);
void psp_queue_release(psp_queue *queue, psp_transfer *transfer);

/** What the driver does: takes what was sent, and those to cancel or resume (linked by next_due).
 */
void psp_queue_drain(psp_queue *queue, psp_transfer_list *sent, psp_transfer **due);
bool psp_queue_has_work(psp_queue *queue);
/** The result is there: from now on its id is unknown. */
void psp_queue_settle(psp_queue *queue, psp_transfer *transfer);
/** When closing: any transfer that has no result yet, or NULL. */
psp_transfer *psp_queue_unsettled(psp_queue *queue);
/** Closing, and every transfer was given back. */
bool psp_queue_is_over(psp_queue *queue);

#endif
