/* SPDX-License-Identifier: MIT */
#include "pubsub/subscriber/lease.h"

#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "pubsub/parts.h"

/* Of what is left of a lease; with those that come due within a tenth of a period they share a
 * call. */
static int64_t extend_after(int64_t lease_ns) {
  return lease_ns / 10 * 6;
}

static int64_t earlier(int64_t a, int64_t b) {
  return a < b ? a : b;
}

void psp_lease_append(psp_lease_list *list, psp_lease *lease) {
  lease->next = NULL;
  lease->prev = list->last;
  if (list->last != NULL)
    list->last->next = lease;
  else
    list->first = lease;
  list->last = lease;
  list->count++;
}

static void take_out(psp_lease_list *list, psp_lease *lease) {
  if (lease->prev != NULL)
    lease->prev->next = lease->next;
  else
    list->first = lease->next;
  if (lease->next != NULL)
    lease->next->prev = lease->prev;
  else
    list->last = lease->prev;
  list->count--;
}

static psp_lease *pop(psp_lease_list *list) {
  psp_lease *lease = list->first;
  if (lease != NULL) take_out(list, lease);
  return lease;
}

psp_delivery *psp_delivery_new(psprobe_batch *batch) {
  size_t count = psprobe_batch_count(batch);
  psp_delivery *delivery = calloc(1, sizeof *delivery + count * sizeof(psp_lease));
  if (delivery == NULL) {
    psprobe_batch_free(batch);
    return NULL;
  }
  delivery->batch = batch;
  delivery->left = count;
  delivery->leases = (psp_lease *)(delivery + 1);
  for (size_t i = 0; i < count; i++) {
    delivery->leases[i].message = *psprobe_batch_message(batch, i);
    delivery->leases[i].delivery = delivery;
  }
  return delivery;
}

void psp_leases_free(psp_lease_list *list) {
  for (psp_lease *lease; (lease = pop(list)) != NULL;) {
    psp_delivery *delivery = lease->delivery;
    /* The last lease of a delivery goes with it, so none of a freed one is in any list; which the
     * analyzer cannot know. */
    if (--delivery->left > 0) continue; /* NOLINT(clang-analyzer-unix.Malloc) */
    psprobe_batch_free(delivery->batch);
    free(delivery);
  }
}

void psp_leases_init(psp_leases *l, int own_s, int seconds, int64_t max_extension_ns,
                     int64_t batch_ns) {
  memset(l, 0, sizeof *l);
  l->own_ns = own_s * PSP_SECOND_NS;
  l->period_ns = (seconds > 0 ? seconds : own_s) * PSP_SECOND_NS;
  l->max_extension_ns = max_extension_ns;
  l->batch_ns = batch_ns;
  l->tell_ns = l->extend_ns = PSP_NEVER;
}

/* A lease longer than what was asked for is cut down to it at once, unless its message is done
 * with by the time that acks go out; a shorter one is extended when it is time. */
static void begin(psp_leases *l, psp_lease *lease) {
  lease->ends_ns = lease->received_ns + l->own_ns;
  lease->extend_ns =
      lease->received_ns + (l->period_ns < l->own_ns ? l->batch_ns : extend_after(l->own_ns));
}

static void begin_anew(psp_leases *l, psp_lease_list *list, int64_t now) {
  for (psp_lease *lease = list->first; lease != NULL; lease = lease->next) {
    if (lease->extension) continue;
    begin(l, lease);
    if (lease->extend_ns < now) lease->extend_ns = now;
    l->extend_ns = earlier(l->extend_ns, lease->extend_ns);
  }
}

void psp_leases_set_own(psp_leases *l, int own_s, int seconds, int64_t now) {
  if (l->own_ns == own_s * PSP_SECOND_NS) return;
  l->own_ns = own_s * PSP_SECOND_NS;
  l->period_ns = (seconds > 0 ? seconds : own_s) * PSP_SECOND_NS;
  begin_anew(l, &l->waiting, now);
  begin_anew(l, &l->running, now);
}

/* FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/). */
static uint64_t hash(const char *text) {
  uint64_t value = UINT64_C(14695981039346656037);
  for (; *text; text++)
    value = (value ^ (unsigned char)*text) * UINT64_C(1099511628211);
  return value;
}

/* Told by the service, which it does only with a dead-letter policy, or found among the ids that
 * came lately. */
static bool came_before(psp_leases *l, const psprobe_message *message) {
  bool before = message->delivery_attempt > 1;
  if (message->message_id != NULL) {
    uint64_t value = hash(message->message_id), *pull = &l->seen[value % 4096];
    before = before || *pull == value;
    *pull = value;
  }
  return before;
}

void psp_leases_add(psp_leases *l, psp_delivery *delivery, int64_t now) {
  for (size_t i = 0, count = delivery->left; i < count; i++) {
    psp_lease *lease = &delivery->leases[i];
    lease->received_ns = now;
    begin(l, lease);
    l->extend_ns = earlier(l->extend_ns, lease->extend_ns);
    l->received++;
    if (came_before(l, &lease->message)) l->redelivered++;
    psp_lease_append(&l->waiting, lease);
  }
}

psp_lease *psp_leases_next(psp_leases *l, int64_t now, psp_lease_list *gone) {
  for (psp_lease *lease; (lease = pop(&l->waiting)) != NULL;) {
    if (lease->ends_ns > now) {
      psp_lease_append(&l->running, lease);
      return lease;
    }
    l->lost++;
    psp_lease_append(gone, lease);
  }
  return NULL;
}

static void to_tell(psp_leases *l, psp_lease *lease, bool nack, int64_t now) {
  lease->nack = nack;
  psp_lease_append(nack ? &l->nacks : &l->acks, lease);
  l->tell_ns = earlier(l->tell_ns, nack ? now : now + l->batch_ns);
  if (l->acks.count >= PSP_ACK_IDS) l->tell_ns = earlier(l->tell_ns, now);
}

void psp_leases_verdict(psp_leases *l, psp_lease *lease, bool nack, int64_t now) {
  take_out(&l->running, lease);
  to_tell(l, lease, nack, now);
}

void psp_leases_refuse_waiting(psp_leases *l, int64_t now) {
  for (psp_lease *lease; (lease = pop(&l->waiting)) != NULL;)
    to_tell(l, lease, true, now);
}

int64_t psp_leases_due(const psp_leases *l) {
  int64_t due = l->tell_ns;
  if (due != PSP_NEVER && due < l->retry_ns) due = l->retry_ns;
  return earlier(due, l->extend_ns);
}

size_t psp_leases_count(const psp_leases *l) {
  return l->waiting.count + l->running.count + l->acks.count + l->nacks.count + l->telling;
}

/* As many as one call may carry. */
static void fill(psp_lease_list *from, psp_lease_list *out) {
  size_t bytes = 0, limit = PSP_ACK_IDS;
  while (from->first != NULL && out->count < limit) {
    psp_lease *lease = from->first;
    bytes += strlen(lease->message.ack_id) + 3;
    if (out->count > 0 && bytes > PSP_ACK_BYTES) break;
    if (lease->group > 0 && lease->group < limit) limit = lease->group;
    if (out->count >= limit) break;
    psp_lease_append(out, pop(from));
  }
}

bool psp_leases_take(psp_leases *l, bool nack, bool flush, int64_t now, psp_lease_list *out) {
  psp_lease_list *from = nack ? &l->nacks : &l->acks;
  if (from->count == 0 || now < l->retry_ns) return false;
  if (!flush && now < l->tell_ns) return false;
  fill(from, out);
  l->telling += out->count;
  if (l->acks.count + l->nacks.count == 0) l->tell_ns = PSP_NEVER;
  return true;
}

void psp_leases_told(psp_leases *l, const psp_lease_list *told, bool nack) {
  l->telling -= told->count;
  l->failures = 0;
  l->retry_ns = 0;
  if (nack)
    l->nacked += told->count;
  else
    l->acked += told->count;
}

/* After these the same call may succeed later. Of the others, INVALID_ARGUMENT can be one id's
 * fault alone, and NOT_FOUND says that the subscription is gone and all its leases with it. */
static bool worth_telling(const psp_lease *lease, psprobe_code code, size_t in_call, int64_t now) {
  if (code == PSPROBE_NOT_FOUND) return false;
  if (code == PSPROBE_INVALID_ARGUMENT && in_call == 1) return false;
  return now < lease->ends_ns;
}

void psp_leases_not_told(psp_leases *l, psp_lease_list *list, bool nack, psprobe_code code,
                         int64_t wait_ns, int64_t now, psp_lease_list *gone) {
  size_t in_call = list->count;
  l->telling -= in_call;
  l->failures++;
  if (code != PSPROBE_NOT_FOUND && code != PSPROBE_INVALID_ARGUMENT) l->retry_ns = now + wait_ns;
  for (psp_lease *lease; (lease = pop(list)) != NULL;) {
    if (!worth_telling(lease, code, in_call, now)) {
      l->lost++;
      psp_lease_append(gone, lease);
      continue;
    }
    if (code == PSPROBE_INVALID_ARGUMENT) lease->group = in_call / 2;
    to_tell(l, lease, nack, now);
    l->tell_ns = earlier(l->tell_ns, now);
  }
}

static void abandon(psp_leases *l, psp_lease_list *list, psp_lease_list *gone) {
  for (psp_lease *lease; (lease = pop(list)) != NULL;) {
    l->lost++;
    psp_lease_append(gone, lease);
  }
}

void psp_leases_abandon(psp_leases *l, psp_lease_list *gone) {
  abandon(l, &l->waiting, gone);
  abandon(l, &l->acks, gone);
  abandon(l, &l->nacks, gone);
  l->tell_ns = PSP_NEVER;
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
    size_t bytes = strlen(lease->message.ack_id) + 3;
    if (g->count > 0 && g->bytes + bytes > PSP_ACK_BYTES) return;
    g->bytes += bytes;
    g->ack_ids[g->count++] = lease->message.ack_id;
    lease->extension = l->last_extension;
  }
}

static int64_t list_due(const psp_lease_list *list) {
  int64_t due = PSP_NEVER;
  for (const psp_lease *lease = list->first; lease != NULL; lease = lease->next)
    if (!lease->extension) due = earlier(due, lease->extend_ns);
  return due;
}

/* Leases come and go much more often than they are extended, so extend_ns is put right only here;
 * until then it may be too early, never too late. */
static int64_t find_due(psp_leases *l) {
  l->extend_ns = earlier(list_due(&l->waiting), list_due(&l->running));
  return l->extend_ns;
}

size_t psp_leases_extend(psp_leases *l, const char **ack_ids, size_t room, int64_t now,
                         uint64_t *id) {
  if (l->extend_ns > now || find_due(l) > now) return 0;
  gathering g = {.ack_ids = ack_ids, .room = room < PSP_ACK_IDS ? room : PSP_ACK_IDS};
  *id = ++l->last_extension;
  gather(l, &l->running, now, &g);
  gather(l, &l->waiting, now, &g);
  find_due(l);
  return g.count;
}

static void settle(psp_leases *l, psp_lease_list *list, uint64_t id, bool ok, int64_t sent_ns,
                   int64_t now) {
  for (psp_lease *lease = list->first; lease != NULL; lease = lease->next) {
    if (lease->extension != id) continue;
    lease->extension = 0;
    if (ok) {
      l->extended++;
      lease->ends_ns = sent_ns + l->period_ns;
      lease->extend_ns = sent_ns + extend_after(l->period_ns);
    } else {
      /* A few more tries until it ends; after that, few and hopeless ones. */
      int64_t wait = (lease->ends_ns - now) / 4;
      lease->extend_ns = now + (wait > PSP_SECOND_NS / 10 ? wait
                                : now < lease->ends_ns    ? PSP_SECOND_NS / 10
                                                          : l->period_ns);
    }
  }
}

void psp_leases_extended(psp_leases *l, uint64_t id, bool ok, int64_t sent_ns, int64_t now) {
  settle(l, &l->waiting, id, ok, sent_ns, now);
  settle(l, &l->running, id, ok, sent_ns, now);
  find_due(l);
}
