/* SPDX-License-Identifier: MIT */
/** @file Telling the service of leases: acks, nacks, extensions. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "os/clock.h"
#include "os/random.h"
#include "pubsub/parts.h"
#include "pubsub/subscriber/parts.h"

static const psp_retry_policy retry = {.codes = UINT32_MAX,
                                       .initial_ns = PSP_SECOND_NS / 10,
                                       .max_ns = 5 * PSP_SECOND_NS,
                                       .factor = 2};

/* A call that tells of leases, or extends some. */
typedef struct psp_telling {
  struct psp_telling *next, **at; /* of the subscriber's */
  psprobe_subscriber *subscriber;
  psp_lease_list list; /* empty for an extension, and where it was given up */
  bool nack;
  bool late;          /* of what came after a stop, which no callback has seen */
  uint64_t extension; /* 0: none */
  int64_t sent_ns;
} telling;

/* What is done with, for who wants to know. */
typedef struct outcome {
  psp_lease_list told, lost;
  psprobe_code code; /* of the lost ones */
  psp_note note;
} outcome;

/* What the service says of each id is of the order of things: so is exactly-once delivery. */
static psprobe_log_level level_of(const psp_ack_fates *fates) {
  return fates != NULL && fates->count > 0 ? PSPROBE_LOG_INFO : PSPROBE_LOG_WARNING;
}

/* They were not told. */
static void fail_list(psprobe_subscriber *s, psp_lease_list *list, bool nack, psprobe_code code,
                      const psprobe_error *error, int64_t now, outcome *o) {
  uint64_t random = 0;
  psp_random(&random, sizeof random);
  int64_t wait = psp_retry_delay(&retry, error, s->leases.failures + 1, now, INT64_MAX, random);
  psp_leases_not_told(&s->leases, list, nack, code,
                      wait >= 0 && wait < retry.max_ns ? wait : retry.max_ns, now, &o->lost);
}

/* The service says of some ids that they failed, and how: the others did not. */
static void part_list(telling *t, const psprobe_error *error, const psp_ack_fates *fates,
                      int64_t now, outcome *o) {
  psp_lease_list again = {.count = 0}, final = {.count = 0};
  for (psp_lease *lease; (lease = psp_lease_pop(&t->list)) != NULL;) {
    const psp_ack_fate *fate = psp_ack_fates_find(fates, lease->message.ack_id);
    psp_lease_append(fate == NULL ? &o->told : fate->transient ? &again : &final, lease);
  }
  psp_leases_told(&t->subscriber->leases, &o->told, t->nack);
  if (final.count > 0) fail_list(t->subscriber, &final, t->nack, PSPROBE_NOT_FOUND, error, now, o);
  if (again.count > 0)
    fail_list(t->subscriber, &again, t->nack, PSPROBE_UNAVAILABLE, error, now, o);
}

static void finish_list(telling *t, const psprobe_error *error, const psp_ack_fates *fates,
                        int64_t now, outcome *o) {
  psprobe_subscriber *s = t->subscriber;
  if (error == NULL) {
    psp_leases_told(&s->leases, &t->list, t->nack);
    o->told = t->list;
    return;
  }
  if (fates != NULL && fates->count > 0)
    part_list(t, error, fates, now, o);
  else
    fail_list(s, &t->list, t->nack, error->code, error, now, o);
  if (s->state == PSP_STOPPED) psp_leases_abandon(&s->leases, &o->lost); /* nobody is to retry */
  o->code = error->code;
  if (o->lost.count > 0)
    o->note = (psp_note){level_of(fates),
                         "leases_lost",
                         .meaning = "could not be acknowledged in time; they will come again",
                         .count_name = "count",
                         .count = o->lost.count,
                         .error = *error};
}

/* With the lock. */
static void finish(telling *t, const psprobe_error *error, const psp_ack_fates *fates, outcome *o) {
  psprobe_subscriber *s = t->subscriber;
  int64_t now = psprobe_clock_monotonic();
  s->telling--;
  if (error != NULL) {
    if (!s->ack_failing)
      o->note = (psp_note){level_of(fates), "acknowledge_failed", .error = *error};
    s->ack_errors++;
  }
  s->ack_failing = error != NULL;
  if (t->extension) {
    psp_leases_extended(&s->leases, t->extension, error == NULL, fates, t->sent_ns, now, &o->lost);
    psp_subscriber_dispatch(s);
  } else {
    finish_list(t, error, fates, now, o);
  }
  *t->at = t->next;
  if (t->next != NULL) t->next->at = t->at;
  free(t);
  if (s->state != PSP_RUNNING || psp_subscriber_hurry(s)) pthread_cond_signal(&s->wake);
  pthread_cond_broadcast(&s->changed);
}

/* Whose `settled` runs on this thread, the innermost first. */
typedef struct hearing {
  const psprobe_subscriber *subscriber;
  struct hearing *outer;
} hearing;
static _Thread_local hearing *innermost;

bool psp_subscriber_in_settled(const psprobe_subscriber *s) {
  const hearing *h = innermost;
  while (h != NULL && h->subscriber != s)
    h = h->outer;
  return h != NULL;
}

void psp_subscriber_hear(const psprobe_subscriber *s, const psp_lease_list *list,
                         psprobe_code code) {
  hearing here = {s, innermost};
  if (s->settled == NULL) return;
  innermost = &here;
  for (const psp_lease *lease = list->first; lease != NULL; lease = lease->next)
    if (lease->given) s->settled(s->arg, &lease->message, code);
  innermost = here.outer;
}

void psp_subscriber_end_hearing(psprobe_subscriber *s) {
  while (s->hearing > 0)
    pthread_cond_wait(&s->changed, &s->lock);
}

/* Tells the caller, unless he is gone; a stop waits for that. */
static void tell_caller(psprobe_subscriber *s, const outcome *o) {
  psp_subscriber_log(s, &o->note);
  psp_subscriber_hear(s, &o->told, PSPROBE_OK);
  psp_subscriber_hear(s, &o->lost, o->code);
}

static void on_told(void *arg, const psprobe_error *error, const psp_ack_fates *fates) {
  telling *t = arg;
  psprobe_subscriber *s = t->subscriber;
  outcome o = {.code = PSPROBE_OK};
  pthread_mutex_lock(&s->lock);
  finish(t, error, fates, &o);
  if (!s->freed) {
    s->hearing++;
    pthread_mutex_unlock(&s->lock);
    tell_caller(s, &o);
    pthread_mutex_lock(&s->lock);
    if (--s->hearing == 0) pthread_cond_broadcast(&s->changed);
  }
  psp_leases_free(&s->leases, &o.told);
  psp_leases_free(&s->leases, &o.lost);
  psp_subscriber_unlock_unref(s);
}

static int64_t call_ns(const psprobe_subscriber *s) {
  int64_t ns = s->leases.period_ns / 4;
  return ns < PSP_SECOND_NS ? PSP_SECOND_NS : ns > 10 * PSP_SECOND_NS ? 10 * PSP_SECOND_NS : ns;
}

/* Lets go of the lock for the call. Takes the ids (NULL: no memory for them). */
static void send(telling *t, const char **ids, size_t count) {
  psprobe_subscriber *s = t->subscriber;
  psprobe_error error = {0};
  const int seconds = (int)(s->leases.period_ns / PSP_SECOND_NS);
  const psp_tidings tidings = {
      .ack_ids = ids, .count = count, .timeout_ns = call_ns(s), .done = on_told, .arg = t};
  s->telling++;
  t->next = s->tellings;
  t->at = &s->tellings;
  if (t->next != NULL) t->next->at = &t->next;
  s->tellings = t;
  psp_subscriber_ref(s);
  t->sent_ns = psprobe_clock_monotonic();
  const psp_way *way = s->way;
  pthread_mutex_unlock(&s->lock);
  psprobe_code code;
  if (ids == NULL)
    code = psp_fail_memory(&error, "ack ids");
  else if (t->extension)
    code = way->extend(s, &tidings, seconds, &error);
  else
    code = way->tell(s, &tidings, t->nack, &error);
  free(ids);
  if (code != PSPROBE_OK) on_told(t, &error, NULL);
  pthread_mutex_lock(&s->lock);
}

/* One call of acks or of nacks. False: there is nothing to tell, or nothing to tell it with. */
static bool tell_list(psprobe_subscriber *s, bool nack, bool flush) {
  if (s->telling >= PSP_TELLING_MAX) return false;
  telling *t = calloc(1, sizeof *t);
  if (t == NULL) return false;
  *t = (telling){.subscriber = s, .nack = nack, .late = s->state == PSP_STOPPED};
  if (!psp_leases_take(&s->leases, nack, flush, psprobe_clock_monotonic(), &t->list)) {
    free(t);
    return false;
  }
  /* The leases are this call's alone now, and so are their ids. */
  const char **ids = malloc(t->list.count * sizeof *ids);
  size_t count = 0;
  for (const psp_lease *lease = t->list.first; ids != NULL && lease != NULL; lease = lease->next)
    ids[count++] = lease->message.ack_id;
  send(t, ids, count);
  return true;
}

void psp_subscriber_give_up(psprobe_subscriber *s, psp_lease_list *gone) {
  for (telling *t = s->tellings; t != NULL; t = t->next)
    if (!t->late) psp_leases_give_up(&s->leases, &t->list, gone);
}

void psp_subscriber_tell(psprobe_subscriber *s, bool flush) {
  while (tell_list(s, true, flush))
    continue;
  while (tell_list(s, false, flush))
    continue;
}

/* The ids with their texts, in one block: those of leases last no longer than the lock. NULL: no
 * memory. */
static const char **copy_ids(const char *const *ids, size_t count) {
  size_t size = count * sizeof *ids;
  for (size_t i = 0; i < count; i++)
    size += strlen(ids[i]) + 1;
  const char **copy = malloc(size);
  char *at = (char *)(copy + count);
  for (size_t i = 0; copy != NULL && i < count; i++) {
    copy[i] = at;
    at = stpcpy(at, ids[i]) + 1;
  }
  return copy;
}

bool psp_subscriber_extend(psprobe_subscriber *s) {
  int64_t now = psprobe_clock_monotonic();
  if (s->telling >= PSP_TELLING_MAX || s->leases.extend_ns > now) return false;
  telling *t = calloc(1, sizeof *t);
  const char **ids = malloc(PSP_ACK_IDS * sizeof *ids);
  size_t count = t != NULL && ids != NULL
                     ? psp_leases_extend(&s->leases, ids, PSP_ACK_IDS, now, &t->extension)
                     : 0;
  if (count > 0) {
    t->subscriber = s;
    send(t, copy_ids(ids, count), count);
  } else {
    free(t);
  }
  free(ids);
  return count > 0;
}
