/* SPDX-License-Identifier: MIT */
/** @file Leases that are extended: which, for how long, and what came of it. Pure. */
#include "os/clock.h"
#include "pubsub/parts.h"
#include "pubsub/subscriber/lease.h"

#define LEAST_S      10 /* that an extension asks for, as with Google's clients */
#define LEAST_ONCE_S 60 /* and with exactly-once delivery */

void psp_leases_adapt(psp_leases *l) {
  l->adaptive = true;
  l->period_ns =
      psp_handling_lease_s(&l->handling, l->exactly_once ? LEAST_ONCE_S : LEAST_S) * PSP_SECOND_NS;
}

typedef struct gathering {
  const char **ack_ids;
  size_t count, room, bytes;
} gathering;

static void gather(psp_leases *l, psp_lease_list *list, int64_t now, gathering *g) {
  for (psp_lease *lease = list->first; lease != NULL && g->count < g->room; lease = lease->next) {
    if (lease->extension || lease->extend_ns > now + l->period_ns / 10) continue;
    if (now >= lease->received_ns + l->max_extension_ns) {
      lease->extend_ns = PSP_NEVER;
      continue;
    }
    if (!psp_leases_fit(l, lease, &g->bytes)) return;
    g->ack_ids[g->count++] = lease->message.ack_id;
    lease->extension = l->last_extension;
  }
}

static int64_t list_due(const psp_lease_list *list, int64_t due) {
  for (const psp_lease *lease = list->first; lease != NULL; lease = lease->next)
    if (!lease->extension && lease->extend_ns < due) due = lease->extend_ns;
  return due;
}

/* Leases come and go much more often than they are extended, so extend_ns is put right only here;
 * until then it may be too early, never too late. */
static int64_t find_due(psp_leases *l) {
  int64_t due = list_due(&l->receipts, PSP_NEVER);
  due = list_due(&l->waiting, due);
  due = list_due(&l->behind, due);
  l->extend_ns = list_due(&l->running, due);
  return l->extend_ns;
}

size_t psp_leases_extend(psp_leases *l, const char **ack_ids, size_t room, int64_t now,
                         uint64_t *id) {
  if (l->extend_ns > now || find_due(l) > now) return 0;
  if (l->adaptive) psp_leases_adapt(l);
  gathering g = {.ack_ids = ack_ids, .room = room < PSP_ACK_IDS ? room : PSP_ACK_IDS};
  *id = ++l->last_extension;
  gather(l, &l->receipts, now, &g); /* somebody waits for these */
  gather(l, &l->running, now, &g);
  gather(l, &l->waiting, now, &g);
  gather(l, &l->behind, now, &g);
  find_due(l);
  return g.count;
}

/* What a call that extends came to for one of its leases. */
typedef enum fate { TAKEN, AGAIN, FINAL } fate;

static fate fate_of(const psp_lease *lease, bool ok, const psp_ack_fates *fates) {
  if (ok) return TAKEN;
  if (fates == NULL || fates->count == 0) return AGAIN;
  const psp_ack_fate *found = psp_ack_fates_find(fates, lease->message.ack_id);
  return found == NULL ? TAKEN : found->transient ? AGAIN : FINAL;
}

/* A few more tries until it ends; after that, few and hopeless ones. */
static int64_t again_at(const psp_leases *l, const psp_lease *lease, int64_t most_ns, int64_t now) {
  const int64_t wait = (lease->ends_ns - now) / 4;
  if (now >= lease->ends_ns) return now + l->period_ns;
  return now + (wait < PSP_SECOND_NS / 10 ? PSP_SECOND_NS / 10 : wait > most_ns ? most_ns : wait);
}

typedef struct outcome {
  uint64_t id;
  bool ok;
  const psp_ack_fates *fates;
  int64_t sent_ns, now;
} outcome;

static void settle(psp_leases *l, psp_lease_list *list, const outcome *o, int64_t most_ns) {
  for (psp_lease *lease = list->first; lease != NULL; lease = lease->next) {
    if (lease->extension != o->id) continue;
    const fate f = fate_of(lease, o->ok, o->fates);
    lease->extension = 0;
    if (f == TAKEN) {
      l->extended++;
      lease->ends_ns = o->sent_ns + l->period_ns;
      lease->extend_ns = psp_lease_extend_at(o->sent_ns, l->period_ns);
    } else {
      lease->extend_ns = f == AGAIN ? again_at(l, lease, most_ns, o->now) : PSP_NEVER;
    }
  }
}

/* Receipts of that call: those that were taken go on, those that never will be are gone. */
static void deliver(psp_leases *l, const outcome *o, psp_lease_list *gone) {
  psp_lease_list left = {.count = 0};
  for (psp_lease *lease; (lease = psp_lease_pop(&l->receipts)) != NULL;) {
    const fate f = lease->extension == o->id ? fate_of(lease, o->ok, o->fates) : AGAIN;
    if (f == AGAIN && o->now < lease->ends_ns) {
      psp_lease_append(&left, lease);
      continue;
    }
    if (f == TAKEN) {
      lease->extension = 0;
      l->extended++;
      lease->ends_ns = o->sent_ns + l->period_ns;
      lease->extend_ns = psp_lease_extend_at(o->sent_ns, l->period_ns);
      psp_leases_line_up(l, lease);
      continue;
    }
    l->bytes -= lease->size;
    l->lost++;
    psp_lease_append(gone, lease);
  }
  l->receipts = left;
}

void psp_leases_extended(psp_leases *l, uint64_t id, bool ok, const psp_ack_fates *fates,
                         int64_t sent_ns, int64_t now, psp_lease_list *gone) {
  const outcome o = {id, ok, fates, sent_ns, now};
  settle(l, &l->waiting, &o, INT64_MAX);
  settle(l, &l->behind, &o, INT64_MAX);
  settle(l, &l->running, &o, INT64_MAX);
  deliver(l, &o, gone);
  settle(l, &l->receipts, &o, PSP_SECOND_NS);
  find_due(l);
}
