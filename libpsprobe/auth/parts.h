/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_PARTS_H
#define PSP_AUTH_PARTS_H
/** @file Credentials from within: what the files of this folder share. */
#include <pthread.h>
#include <stdatomic.h>

#include "auth/adc.h"
#include "auth/credentials.h"
#include "auth/sources/source.h"
#include "auth/token_cache.h"

struct psp_token_slot {
  psp_token_cache cache;
  psp_want want;
  char *audience; /* want.audience, of ID tokens */
  /* Readers set these: whether anybody has read since the last fetch, and the generation of the
   * token whose successor was asked for last. */
  atomic_bool used;
  atomic_uint_fast64_t renewed;
  /* Guarded by the lock: */
  psp_token_waiter *first, *last;
  unsigned failures;
  int64_t retry_ns; /* no fetch before that */
  psprobe_error last_error;
  psp_token_slot *next; /* of the ID tokens */
};

struct psprobe_credentials {
  psprobe_credentials_options options;
  char *file, *ca_file;
  psprobe_logger logger;
  psp_fetcher fetcher;

  psp_token_slot api[PSP_SERVICE_COUNT];
  _Atomic(psp_token_slot *) shared; /* the one whose token serves every API; NULL: each its own */
  _Atomic(const char *) quota_project, universe;
  char *quota_text, *universe_text;

  /* Guards the slots' lists, the id slots, `project`, the caches' writers. Never held while waiting
   * for anything. */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  pthread_t thread;
  bool started, stopping, forget;
  psp_token_slot *ids;
  unsigned id_count;
  char *project;

  /* Held while the source is used, which may take a while. Before `lock`. */
  pthread_mutex_t fetch_lock;
  psp_source *source; /* set once, under both locks; NULL: not looked up yet */
};

/** Has the successor of a token that was read in the cache fetched; once, however many ask. */
void psp_token_slot_renew(psprobe_credentials *c, psp_token_slot *slot, uint64_t generation);
/** The credentials' thread. */
void *psp_credentials_run(void *credentials);
/** Under fetch_lock. `asking`: the slot that is being fetched for, or NULL. */
psprobe_code psp_credentials_resolve_locked(psprobe_credentials *c, psp_token_slot *asking,
                                            psprobe_error *error);

/* ---- those who wait (waiters.c): under the lock, but for psp_waiters_tell ---- */

void psp_waiters_add(psp_token_slot *slot, psp_token_waiter *waiter);
/** False: it does not wait any more. */
bool psp_waiters_remove(psp_token_waiter *waiter);
/** Hands the waiters of one slot to another. */
void psp_waiters_move(psp_token_slot *from, psp_token_slot *to);
/** Tells a list of waiters that was taken out of a slot. Without locks. */
void psp_waiters_tell(psp_token_waiter *list, const psprobe_error *error);
/** Takes all waiters out of a slot. */
psp_token_waiter *psp_waiters_take(psp_token_slot *slot);

#endif
