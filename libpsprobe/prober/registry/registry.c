/* SPDX-License-Identifier: MIT */
/** @file Noting what happens to probes: begun, published, answered. Collecting them is in
 * collect.c. */
#include <string.h>

#include "base/id.h"
#include "prober/registry/shard.h"

/* An id in binary, and where it belongs. */
typedef struct key {
  uint64_t id[2];
  uint64_t hash;
  psp_shard *shard;
  psp_index index; /* the shard's */
} key;

/* Our ids are random already; this is for callers who count. Steele, Lea & Flood, "Fast
 * splittable pseudorandom number generators", 2014 (variant 13 of Stafford's mixers). */
static uint64_t hash_of(const uint64_t id[2]) {
  uint64_t mixed = id[0] ^ (id[1] << 32 | id[1] >> 32);
  mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
  return mixed ^ mixed >> 31;
}

/* Inlined by force: to gcc 12 a function that only fetches ahead has no effect, and it drops calls
 * of it. */
#define FETCHES_AHEAD static inline __attribute__((always_inline)) void

/* Brings to the cache where the index has a hash. */
FETCHES_AHEAD prefetch_bucket(psp_index index, uint64_t hash) {
  __builtin_prefetch(&index.buckets[psp_index_home(index, hash)], 1);
}

/* Brings to the cache what of a slot an operation looks at. */
FETCHES_AHEAD prefetch_slot(const psprobe_registry *registry, uint32_t number) {
  const psp_probe_slot *slot = psp_probe_slot_at(registry, number);
  __builtin_prefetch(slot);
  __builtin_prefetch(slot->answers);
}

static bool key_of(const psprobe_registry *registry, const char *id, key *k) {
  if (!psp_id_parse(id, k->id)) return false;
  k->hash = hash_of(k->id);
  uint32_t shard = (uint32_t)(k->hash >> 32) & registry->shard_mask;
  k->shard = &registry->shards[shard];
  k->index = psp_shard_index(registry, shard);
  prefetch_bucket(k->index, k->hash); /* on its way while we take the lock */
  return true;
}

/* The number of the slot with that id, or PSP_NO_SLOT. Under the shard's lock. */
static uint32_t find(const psprobe_registry *registry, const key *k) {
  psp_index index = k->index;
  uint32_t at = psp_index_home(index, k->hash);
  uint8_t tag = psp_index_tag(k->hash);
  for (uint32_t seen = 0; seen < index.size; seen++, at = psp_index_after(index, at)) {
    const psp_bucket *bucket = &index.buckets[at];
    for (unsigned left = psp_bucket_find(bucket, tag); left != 0; left &= left - 1) {
      uint32_t number = bucket->slots[__builtin_ctz(left)];
      prefetch_slot(registry, number);
      const psp_probe_slot *slot = psp_probe_slot_at(registry, number);
      if (slot->id[0] == k->id[0] && slot->id[1] == k->id[1]) return number;
    }
    if (bucket->passed_on == 0) break;
  }
  return PSP_NO_SLOT;
}

/*
 * Looks ahead: what comes to `number`, which is next on its list, and then to the one after it.
 * Slots are given up in the order of the list, and answers come about in the order of sending; so
 * what is fetched here is there when it is needed, and only the first of a run is waited for.
 */
FETCHES_AHEAD prefetch_next(const psprobe_registry *registry, psp_index index, uint32_t number) {
  if (number == PSP_NO_SLOT) return;
  const psp_probe_slot *next =
      psp_probe_slot_at(registry, number); /* itself fetched the last time */
  prefetch_bucket(index, hash_of(next->id));
  if (next->next != PSP_NO_SLOT) prefetch_slot(registry, next->next);
}

/*
 * Takes a slot out of a shard: a free one, else one whose late window is over,
 * else the one that has been complete and handed out for longest.
 */
static uint32_t take_slot(psprobe_registry *registry, psp_shard *shard, int64_t now_ns) {
  uint32_t number = shard->lists[PSP_FREE].tail;
  if (number != PSP_NO_SLOT) {
    psp_list_take(registry, shard, number);
    return number;
  }
  number = shard->lists[PSP_LATE].head;
  if (number == PSP_NO_SLOT ||
      now_ns - psp_probe_slot_at(registry, number)->sent_ns <= registry->life_ns)
    number = shard->lists[PSP_SPENT].head;
  if (number == PSP_NO_SLOT) return number;
  psp_list_take(registry, shard, number);
  psp_index index = psp_shard_index(registry, (uint32_t)(shard - registry->shards));
  psp_index_remove(index, hash_of(psp_probe_slot_at(registry, number)->id), number);
  shard->indexed--;
  prefetch_next(registry, index, shard->lists[PSP_SPENT].head);
  return number;
}

/* Looks for a slot in all other shards, one lock at a time. */
static uint32_t borrow_slot(psprobe_registry *registry, const psp_shard *own, int64_t now_ns) {
  uint32_t first = (uint32_t)(own - registry->shards);
  uint32_t number = PSP_NO_SLOT;
  for (uint32_t i = 1; i <= registry->shard_mask && number == PSP_NO_SLOT; i++) {
    psp_shard *shard = &registry->shards[(first + i) & registry->shard_mask];
    psp_spin_take(&shard->lock);
    number = take_slot(registry, shard, now_ns);
    psp_spin_give(&shard->lock);
  }
  return number;
}

/* Fills in a slot and makes it live. Under the shard's lock; the slot is on no list. */
static void start(psprobe_registry *registry, const key *k, uint32_t number, int64_t sent_ns,
                  int64_t intended_ns, int64_t wall_ns, psprobe_cadence cadence) {
  psp_probe_slot *slot = psp_probe_slot_at(registry, number);
  slot->id[0] = k->id[0];
  slot->id[1] = k->id[1];
  slot->sent_ns = sent_ns;
  slot->wall_ns = wall_ns;
  slot->lateness_ns = sent_ns > intended_ns ? sent_ns - intended_ns : 0;
  slot->publish_ns = -1;
  slot->answered = 0;
  slot->told = 0;
  slot->handed_out = false;
  slot->published = false;
  slot->cadence = (uint8_t)cadence;
  psp_index_add(k->index, k->hash, number);
  k->shard->indexed++;
  psp_list_put(registry, k->shard, PSP_LIVE, number);
}

psprobe_code psprobe_registry_begin(psprobe_registry *registry, const char *id, int64_t sent_ns,
                                    int64_t intended_ns, int64_t wall_ns, psprobe_cadence cadence) {
  key k;
  if (!key_of(registry, id, &k)) return PSPROBE_INVALID_ARGUMENT;
  psprobe_code code = PSPROBE_OK;
  uint32_t number = PSP_NO_SLOT;
  psp_spin_take(&k.shard->lock);
  if (find(registry, &k) != PSP_NO_SLOT)
    code = PSPROBE_ALREADY_EXISTS;
  else
    number = take_slot(registry, k.shard, sent_ns);
  if (code == PSPROBE_OK && number == PSP_NO_SLOT) {
    psp_spin_give(&k.shard->lock);
    number = borrow_slot(registry, k.shard, sent_ns);
    if (number == PSP_NO_SLOT) return PSPROBE_RESOURCE_EXHAUSTED;
    psp_spin_take(&k.shard->lock);
    if (find(registry, &k) != PSP_NO_SLOT) code = PSPROBE_ALREADY_EXISTS;
  }
  /* So many on one shard that its index is full cannot be with random ids: see registry_new.c. */
  if (code == PSPROBE_OK && k.shard->indexed == k.index.size * PSP_BUCKET_ENTRIES)
    code = PSPROBE_RESOURCE_EXHAUSTED;
  if (code == PSPROBE_OK)
    start(registry, &k, number, sent_ns, intended_ns, wall_ns, cadence);
  else if (number != PSP_NO_SLOT)
    psp_list_put(registry, k.shard, PSP_FREE, number);
  psp_spin_give(&k.shard->lock);
  return code;
}

/* Moves a slot to the ready list, if it is not on it. @return whether it moved */
static bool make_ready(psprobe_registry *registry, psp_shard *shard, uint32_t number) {
  if (psp_probe_slot_at(registry, number)->list == PSP_READY) return false;
  psp_list_take(registry, shard, number);
  psp_list_put(registry, shard, PSP_READY, number);
  return true;
}

void psprobe_registry_published(psprobe_registry *registry, const char *id, int64_t now_ns,
                                bool ok) {
  key k;
  if (!key_of(registry, id, &k)) return;
  bool ready = false;
  psp_spin_take(&k.shard->lock);
  uint32_t number = find(registry, &k);
  if (number != PSP_NO_SLOT) {
    psp_probe_slot *slot = psp_probe_slot_at(registry, number);
    slot->published = true;
    slot->publish_ns = ok ? now_ns - slot->sent_ns : -1;
    if (slot->list == PSP_LIVE && psp_probe_slot_complete(registry, slot))
      ready = make_ready(registry, k.shard, number);
  }
  psp_spin_give(&k.shard->lock);
  if (ready) psp_registry_signal(registry);
}

/* Of whom an answer is: FNV-1a (Fowler, Noll, Vo) over the instance's name, and which of its
 * events. 0: not told. */
static uint64_t delivery_of(const psprobe_facts *facts) {
  if (facts == NULL || facts->instance[0] == '\0' || facts->invocation == 0) return 0;
  uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ facts->invocation;
  for (const char *c = facts->instance; *c != '\0'; c++)
    hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
  return hash | 1;
}

/* Notes an answer in its slot; the slot has its facts then, where it is the first. */
static psprobe_answer_outcome note(const psprobe_registry *registry, psp_probe_slot *slot,
                                   size_t source, int64_t now_ns, psp_probe_slot_answer told,
                                   psp_newest *newest) {
  int64_t elapsed = now_ns - slot->sent_ns;
  psp_probe_slot_answer *answer = &slot->answers[source];
  uint16_t bit = (uint16_t)(1u << source);
  if (elapsed > registry->life_ns) return PSPROBE_ANSWER_UNKNOWN;
  if (slot->answered & bit) {
    if (told.delivery != 0 && (told.delivery == answer->delivery ||
                               (answer->duplicates > 0 && told.delivery == newest->delivery)))
      return PSPROBE_ANSWER_AGAIN;
    if (answer->duplicates < UINT32_MAX) answer->duplicates++;
    *newest = (psp_newest){told.delivery, elapsed};
    return PSPROBE_ANSWER_DUPLICATE;
  }
  slot->answered |= bit;
  *answer = told;
  answer->elapsed_ns = elapsed;
  return elapsed > registry->timeout_ns ? PSPROBE_ANSWER_LATE : PSPROBE_ANSWER_FIRST;
}

static int64_t wall_of(const psprobe_registry *registry, int64_t monotonic_ns) {
  return registry->wall_offset_ns == 0 ? 0 : monotonic_ns + registry->wall_offset_ns;
}

static psprobe_answer first_of(const psprobe_registry *registry, const psp_probe_slot *slot,
                               const psp_probe_slot_answer *answer) {
  return (psprobe_answer){
      .status = answer->elapsed_ns > registry->timeout_ns ? PSPROBE_LATE : PSPROBE_ANSWERED,
      .cold = answer->cold,
      .elapsed_ns = answer->elapsed_ns,
      .handled_ns = answer->handled_ns,
      .received_wall_ns = wall_of(registry, slot->sent_ns + answer->elapsed_ns)};
}

/* Whether an answer is of the newest duplicate, new or told again, where `first` counts. */
static bool is_further(psprobe_answer_outcome outcome, uint64_t delivery, uint64_t first) {
  return outcome == PSPROBE_ANSWER_DUPLICATE ||
         (outcome == PSPROBE_ANSWER_AGAIN && delivery != first);
}

/* What who keeps the answer has to know of its probe; `further`: it is of the newest duplicate. */
static void tell(const psprobe_registry *registry, const psp_probe_slot *slot, size_t source,
                 const psp_newest *newest, bool further, psp_noted *noted) {
  const psp_probe_slot_answer *answer = &slot->answers[source];
  int64_t elapsed = further ? newest->elapsed_ns : answer->elapsed_ns;
  *noted = (psp_noted){.delivery = further ? answer->duplicates + 1 : 1,
                       .cadence = (psprobe_cadence)slot->cadence,
                       .elapsed_ns = elapsed,
                       .received_wall_ns = wall_of(registry, slot->sent_ns + elapsed),
                       .sent_wall_ns = slot->wall_ns,
                       .lateness_ns = slot->lateness_ns};
  if (further) noted->first = first_of(registry, slot, answer);
}

psprobe_answer_outcome psprobe_registry_answer(psprobe_registry *registry, const char *id,
                                               size_t source, int64_t now_ns, bool cold,
                                               int64_t handled_ns, const psprobe_facts *facts) {
  return psp_registry_note(registry, id, source, now_ns, cold, handled_ns, facts, NULL);
}

psprobe_answer_outcome psp_registry_note(psprobe_registry *registry, const char *id, size_t source,
                                         int64_t now_ns, bool cold, int64_t handled_ns,
                                         const psprobe_facts *facts, psp_noted *noted) {
  key k;
  if (source >= registry->source_count || !key_of(registry, id, &k)) return PSPROBE_ANSWER_UNKNOWN;
  psprobe_answer_outcome outcome = PSPROBE_ANSWER_UNKNOWN;
  bool ready = false;
  psp_probe_slot_answer told = {.handled_ns = handled_ns,
                                .delivery = delivery_of(facts),
                                .cold = cold,
                                .facts = psp_facts_take(&registry->pool, facts) & PSP_NO_FACTS};
  psp_spin_take(&k.shard->lock);
  uint32_t number = find(registry, &k);
  if (number != PSP_NO_SLOT) {
    psp_probe_slot *slot = psp_probe_slot_at(registry, number);
    uint32_t next = slot->list == PSP_LIVE ? slot->next : PSP_NO_SLOT;
    psp_newest *newest = &registry->newest[number * registry->source_count + source];
    outcome = note(registry, slot, source, now_ns, told, newest);
    if (outcome != PSPROBE_ANSWER_UNKNOWN && noted != NULL)
      tell(registry, slot, source, newest,
           is_further(outcome, told.delivery, slot->answers[source].delivery), noted);
    if (outcome != PSPROBE_ANSWER_UNKNOWN && outcome != PSPROBE_ANSWER_AGAIN &&
        (slot->handed_out || psp_probe_slot_complete(registry, slot)))
      ready = make_ready(registry, k.shard, number);
    prefetch_next(registry, k.index, next);
  }
  psp_spin_give(&k.shard->lock);
  if (outcome != PSPROBE_ANSWER_FIRST && outcome != PSPROBE_ANSWER_LATE)
    psp_facts_give(&registry->pool, told.facts, NULL);
  if (ready) psp_registry_signal(registry);
  return outcome;
}

uint64_t psprobe_registry_facts_dropped(const psprobe_registry *registry) {
  return atomic_load_explicit(&registry->pool.dropped, memory_order_relaxed);
}
