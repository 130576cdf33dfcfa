/* SPDX-License-Identifier: MIT */
#include "pubsub/subscriber/lease.h"

#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "pubsub/parts.h"

#define TELL_NS \
  (600 * PSP_SECOND_NS) /* how long an ack is told again, with exactly-once delivery */

#define JSON_BYTES 3 /* quotes and comma around an id */
/* With exactly-once delivery the answer may say of each id what came of it, in a trailer: in
 * protobuf 45 bytes and the id, in base64 4/3 of that, and nghttp2 takes 64 KiB of a header field.
 * Of Google's ids, of 180 to 220 characters, that is 120 to 150 in a call. */
#define FATE_BYTES  45
#define FATES_BYTES ((size_t)32 << 10)
#define ONCE_LEAST  16

/* At 60 % of it; with those that come due within a tenth of a period they share a call. */
int64_t psp_lease_extend_at(int64_t from_ns, int64_t lease_ns) {
  return from_ns + lease_ns / 10 * 6;
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

void psp_lease_take_out(psp_lease_list *list, psp_lease *lease) {
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

psp_lease *psp_lease_pop(psp_lease_list *list) {
  psp_lease *lease = list->first;
  if (lease != NULL) psp_lease_take_out(list, lease);
  return lease;
}

static size_t size_of(const psprobe_message *message) {
  size_t size = message->data_len;
  for (size_t i = 0; i < message->attribute_count; i++)
    size += strlen(message->attributes[i].key) + strlen(message->attributes[i].value);
  return size;
}

psp_delivery *psp_delivery_new(psprobe_batch *batch) {
  size_t count = psprobe_batch_count(batch);
  psp_delivery *delivery = calloc(1, sizeof *delivery + count * sizeof(psp_lease));
  if (delivery == NULL) {
    psprobe_batch_free(batch);
    return NULL;
  }
  delivery->batch = batch;
  delivery->left = delivery->unsettled = count;
  delivery->leases = (psp_lease *)(delivery + 1);
  for (size_t i = 0; i < count; i++) {
    delivery->leases[i].message = *psprobe_batch_message(batch, i);
    delivery->leases[i].delivery = delivery;
    delivery->leases[i].size = size_of(&delivery->leases[i].message);
  }
  return delivery;
}

void psp_leases_free(psp_leases *l, psp_lease_list *list) {
  for (psp_lease *lease; (lease = psp_lease_pop(list)) != NULL;) {
    lease->over = lease->back;
    if (lease->back) {
      psp_lease_append(&l->kept, lease);
      continue;
    }
    psp_delivery *delivery = lease->delivery;
    /* The last lease of a delivery goes with it, so none of a freed one is in any list; which the
     * analyzer cannot know. */
    if (--delivery->left > 0) continue; /* NOLINT(clang-analyzer-unix.Malloc) */
    psprobe_batch_free(delivery->batch);
    free(delivery->ids);
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
  lease->extend_ns = l->period_ns < l->own_ns ? lease->received_ns + l->batch_ns
                                              : psp_lease_extend_at(lease->received_ns, l->own_ns);
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
  begin_anew(l, &l->behind, now);
  begin_anew(l, &l->running, now);
}

void psp_leases_set_properties(psp_leases *l, bool ordered, bool exactly_once) {
  l->ordered = ordered;
  l->exactly_once = exactly_once;
}

/* Told by the service, which it does only with a dead-letter policy, or found among the ids that
 * came lately. */
static bool came_before(psp_leases *l, const psprobe_message *message) {
  bool before = message->delivery_attempt > 1;
  if (message->message_id != NULL) {
    uint64_t value = psp_order_hash(message->message_id), *pull = &l->seen[value % 4096];
    before = before || *pull == value;
    *pull = value;
  }
  return before;
}

void psp_leases_line_up(psp_leases *l, psp_lease *lease) {
  lease->place = (psp_place){.key = lease->message.ordering_key};
  const bool may_go = !l->ordered || psp_order_enter(&l->order, &lease->place);
  psp_lease_append(may_go ? &l->waiting : &l->behind, lease);
}

void psp_leases_add(psp_leases *l, psp_delivery *delivery, int64_t now) {
  for (size_t i = 0, count = delivery->left; i < count; i++) {
    psp_lease *lease = &delivery->leases[i];
    lease->received_ns = now;
    begin(l, lease);
    if (l->exactly_once) lease->extend_ns = now;
    l->extend_ns = earlier(l->extend_ns, lease->extend_ns);
    l->received++;
    l->bytes += lease->size;
    if (came_before(l, &lease->message)) l->redelivered++;
    if (l->exactly_once)
      psp_lease_append(&l->receipts, lease);
    else
      psp_leases_line_up(l, lease);
  }
}

static void to_tell(psp_leases *l, psp_lease *lease, bool nack, int64_t now) {
  lease->nack = nack;
  if (lease->tell_until_ns == 0)
    lease->tell_until_ns = l->exactly_once ? now + TELL_NS : lease->ends_ns;
  psp_lease_append(nack ? &l->nacks : &l->acks, lease);
  l->tell_ns = earlier(l->tell_ns, nack ? now : now + l->batch_ns);
  if (l->acks.count >= PSP_ACK_IDS) l->tell_ns = earlier(l->tell_ns, now);
}

static psp_lease *lease_at(psp_place *place) {
  return place != NULL ? (psp_lease *)((char *)place - offsetof(psp_lease, place)) : NULL;
}

/* The lease, out of all lists, is not at the head of its key any more. Those behind it go on, or
 * back to the service when it comes again before them. */
static void leave(psp_leases *l, psp_lease *lease, bool comes_again, int64_t now) {
  l->bytes -= lease->size;
  psp_lease *next = lease_at(psp_order_leave(&l->order, &lease->place));
  if (next == NULL) return;
  psp_lease_take_out(&l->behind, next);
  if (!comes_again) {
    psp_lease_append(&l->waiting, next);
    return;
  }
  for (psp_lease *after; next != NULL; next = after) {
    after = lease_at(psp_order_leave(&l->order, &next->place));
    if (after != NULL) psp_lease_take_out(&l->behind, after);
    l->bytes -= next->size;
    to_tell(l, next, true, now);
  }
}

psp_lease *psp_leases_next(psp_leases *l, int64_t now, psp_lease_list *gone) {
  for (psp_lease *lease; (lease = psp_lease_pop(&l->waiting)) != NULL;) {
    if (lease->ends_ns > now) {
      psp_lease_append(&l->running, lease);
      lease->given = true;
      return lease;
    }
    l->lost++;
    leave(l, lease, true, now);
    psp_lease_append(gone, lease);
  }
  return NULL;
}

/* The verdict on one that was given back. */
static void end_back(psp_leases *l, psp_lease *lease) {
  psp_lease_list one = {.count = 0};
  lease->back = false;
  if (!lease->over) return; /* it is being told */
  psp_lease_take_out(&l->kept, lease);
  psp_lease_append(&one, lease);
  psp_leases_free(l, &one);
}

/* All of them are settled, and no call has begun to tell of them: what they said goes, and only
 * their ack ids wait for the answer of the call that will. */
static void keep_ids(psp_delivery *delivery, size_t count) {
  size_t size = 0;
  for (size_t i = 0; i < count; i++)
    size += strlen(delivery->leases[i].message.ack_id) + 1;
  char *at = delivery->ids = malloc(size);
  if (at == NULL) return;
  for (size_t i = 0; i < count; i++) {
    const char *id = delivery->leases[i].message.ack_id;
    delivery->leases[i].message = (psprobe_message){.ack_id = at};
    at = stpcpy(at, id) + 1;
  }
  psprobe_batch_free(delivery->batch);
  delivery->batch = NULL;
}

void psp_leases_verdict(psp_leases *l, psp_lease *lease, bool nack, int64_t now) {
  if (lease->back) {
    end_back(l, lease);
    return;
  }
  psp_lease_take_out(&l->running, lease);
  psp_handling_add(&l->handling, now - lease->received_ns);
  leave(l, lease, nack, now);
  to_tell(l, lease, nack, now);
  psp_delivery *delivery = lease->delivery;
  if (--delivery->unsettled == 0 && !delivery->taken && !l->whole)
    keep_ids(delivery, psprobe_batch_count(delivery->batch));
}

void psp_leases_refuse_waiting(psp_leases *l, int64_t now) {
  psp_lease_list *unseen[] = {&l->receipts, &l->waiting, &l->behind};
  psp_order_clear(&l->order);
  for (size_t i = 0; i < sizeof unseen / sizeof *unseen; i++)
    for (psp_lease *lease; (lease = psp_lease_pop(unseen[i])) != NULL;) {
      l->bytes -= lease->size;
      to_tell(l, lease, true, now);
    }
}

void psp_leases_refuse_running(psp_leases *l, int64_t now) {
  for (psp_lease *lease; (lease = psp_lease_pop(&l->running)) != NULL;) {
    leave(l, lease, true, now);
    to_tell(l, lease, true, now);
    lease->back = true;
    lease->given = false; /* who hears of it does so with the verdict */
  }
}

void psp_leases_drop(psp_leases *l) {
  while (l->kept.first != NULL)
    end_back(l, l->kept.first);
}

int64_t psp_leases_due(const psp_leases *l) {
  int64_t due = l->tell_ns;
  if (due != PSP_NEVER && due < l->retry_ns) due = l->retry_ns;
  return earlier(due, l->extend_ns);
}

size_t psp_leases_in_hand(const psp_leases *l) {
  return l->receipts.count + l->waiting.count + l->behind.count + l->running.count;
}

size_t psp_leases_count(const psp_leases *l) {
  return psp_leases_in_hand(l) + l->acks.count + l->nacks.count + l->telling;
}

bool psp_leases_fit(const psp_leases *l, const psp_lease *lease, size_t *bytes) {
  const bool first = *bytes == 0;
  *bytes += strlen(lease->message.ack_id) + (l->exactly_once ? FATE_BYTES : JSON_BYTES);
  return first || *bytes <= (l->exactly_once ? FATES_BYTES : PSP_ACK_BYTES);
}

/* As many as one call may carry. */
static void fill(const psp_leases *l, psp_lease_list *from, psp_lease_list *out) {
  size_t bytes = 0, limit = PSP_ACK_IDS;
  while (from->first != NULL && out->count < limit) {
    psp_lease *lease = from->first;
    if (!psp_leases_fit(l, lease, &bytes)) break;
    if (lease->group > 0 && lease->group < limit) limit = lease->group;
    if (out->count >= limit) break;
    lease->delivery->taken = true;
    psp_lease_append(out, psp_lease_pop(from));
  }
}

bool psp_leases_take(psp_leases *l, bool nack, bool flush, int64_t now, psp_lease_list *out) {
  psp_lease_list *from = nack ? &l->nacks : &l->acks;
  if (from->count == 0 || now < l->retry_ns) return false;
  if (!flush && now < l->tell_ns) return false;
  fill(l, from, out);
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
  return now < lease->tell_until_ns;
}

/* How many may be in the next call, 0: as before. Where one id is at fault, or the answer was
 * too long that says of each what came of it, fewer fare better. */
static size_t group_after(const psp_leases *l, psprobe_code code, size_t in_call) {
  if (code == PSPROBE_INVALID_ARGUMENT) return in_call / 2;
  if (!l->exactly_once) return 0;
  return in_call / 2 > ONCE_LEAST ? in_call / 2 : ONCE_LEAST;
}

void psp_leases_not_told(psp_leases *l, psp_lease_list *list, bool nack, psprobe_code code,
                         int64_t wait_ns, int64_t now, psp_lease_list *gone) {
  const size_t in_call = list->count, group = group_after(l, code, in_call);
  l->telling -= in_call;
  l->failures++;
  if (code != PSPROBE_NOT_FOUND && code != PSPROBE_INVALID_ARGUMENT) l->retry_ns = now + wait_ns;
  for (psp_lease *lease; (lease = psp_lease_pop(list)) != NULL;) {
    if (!worth_telling(lease, code, in_call, now)) {
      l->lost++;
      psp_lease_append(gone, lease);
      continue;
    }
    if (group > 0) lease->group = group;
    to_tell(l, lease, nack, now);
    l->tell_ns = earlier(l->tell_ns, now);
  }
}

void psp_leases_give_up(psp_leases *l, psp_lease_list *list, psp_lease_list *gone) {
  l->telling -= list->count;
  l->lost += list->count;
  for (psp_lease *lease; (lease = psp_lease_pop(list)) != NULL;)
    psp_lease_append(gone, lease);
}

void psp_leases_abandon(psp_leases *l, psp_lease_list *gone) {
  psp_lease_list *lists[] = {&l->receipts, &l->waiting, &l->behind, &l->acks, &l->nacks};
  psp_order_clear(&l->order);
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
    for (psp_lease *lease; (lease = psp_lease_pop(lists[i])) != NULL;) {
      if (i < 3) l->bytes -= lease->size;
      l->lost++;
      psp_lease_append(gone, lease);
    }
  l->tell_ns = PSP_NEVER;
}
