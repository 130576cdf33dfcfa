/* SPDX-License-Identifier: MIT */
/** @file Collecting what is finished, and waiting for it: all of it off the timing path. */
#include <errno.h>
#include <string.h>

#include <psprobe/timing.h>

#include "base/id.h"
#include "os/futex.h"
#include "prober/registry/shard.h"

/* Probes copied out under one hold of a lock: some 2 us, which an answer may have to wait. */
#define BATCH 16

/* States of the futex `waiting`. */
enum { NOBODY = 0, WAITING = 1, WOKEN = 2 };

/* Facts are handed out once: their place is given up. */
static void write_result(const psprobe_registry *registry, psp_probe_slot *slot,
                         psprobe_finished *out) {
  psprobe_result *result = &out->result;
  out->update = slot->handed_out;
  out->fresh = slot->answered & ~(uint32_t)slot->told;
  memcpy(result->id, slot->id, sizeof slot->id); /* binary as yet: see complete_all */
  result->cadence = (psprobe_cadence)slot->cadence;
  result->sent_wall_ns = slot->wall_ns;
  result->lateness_ns = slot->lateness_ns;
  result->publish_ns = slot->publish_ns;
  result->source_count = registry->source_count;
  for (size_t i = 0; i < registry->source_count; i++) {
    psp_probe_slot_answer *from = &slot->answers[i];
    psprobe_answer *to = &result->answers[i];
    if ((slot->answered >> i & 1) == 0) {
      *to = (psprobe_answer){.status = PSPROBE_LOST, .handled_ns = -1};
      continue;
    }
    *to = (psprobe_answer){
        .status = from->elapsed_ns > registry->timeout_ns ? PSPROBE_LATE : PSPROBE_ANSWERED,
        .cold = from->cold,
        .duplicates = from->duplicates,
        .elapsed_ns = from->elapsed_ns,
        .handled_ns = from->handled_ns,
        .received_wall_ns = registry->wall_offset_ns == 0
                                ? 0
                                : slot->sent_ns + from->elapsed_ns + registry->wall_offset_ns,
        .facts = {.invocation = from->facts}}; /* where they are: see complete_all */
    from->facts = PSP_NO_FACTS;
  }
}

/* Hands out one slot, wherever it is, and puts it where it waits for what may still come. */
static void hand_out(psprobe_registry *registry, psp_shard *shard, uint32_t number,
                     psprobe_finished *out) {
  psp_probe_slot *slot = psp_probe_slot_at(registry, number);
  write_result(registry, slot, out);
  slot->handed_out = true;
  slot->told = slot->answered;
  psp_list_take(registry, shard, number);
  psp_list_put(registry, shard, slot->answered == registry->everyone ? PSP_SPENT : PSP_LATE,
               number);
}

/* Puts the ids in text and the facts in place, which need not be done under the lock. */
static void complete_all(psprobe_registry *registry, psprobe_finished *finished, size_t count) {
  uint64_t id[2];
  for (size_t i = 0; i < count; i++) {
    psprobe_result *result = &finished[i].result;
    memcpy(id, result->id, sizeof id);
    psp_id_format(result->id, id);
    for (size_t k = 0; k < result->source_count; k++) {
      psprobe_facts *facts = &result->answers[k].facts;
      if (result->answers[k].status == PSPROBE_LOST) continue;
      if (facts->invocation == PSP_NO_FACTS)
        facts->invocation = 0; /* as all of them are */
      else
        psp_facts_give(&registry->pool, facts->invocation, facts);
    }
  }
}

static bool timed_out(const psprobe_registry *registry, uint32_t number, int64_t now_ns) {
  return now_ns - psp_probe_slot_at(registry, number)->sent_ns > registry->timeout_ns;
}

static size_t collect_shard(psprobe_registry *registry, psp_shard *shard, int64_t now_ns,
                            psprobe_finished *finished, size_t max) {
  const psp_list *ready = &shard->lists[PSP_READY];
  const psp_list *live = &shard->lists[PSP_LIVE];
  size_t count = 0;
  psp_spin_take(&shard->lock);
  while (count < max && ready->head != PSP_NO_SLOT)
    hand_out(registry, shard, ready->head, &finished[count++]);
  while (count < max && live->head != PSP_NO_SLOT && timed_out(registry, live->head, now_ns))
    hand_out(registry, shard, live->head, &finished[count++]);
  psp_spin_give(&shard->lock);
  complete_all(registry, finished, count);
  return count;
}

size_t psprobe_registry_collect(psprobe_registry *registry, int64_t now_ns,
                                psprobe_finished *finished, size_t max) {
  size_t count = 0;
  uint32_t first = atomic_load_explicit(&registry->next_shard, memory_order_relaxed);
  for (uint32_t i = 0; i <= registry->shard_mask && count < max; i++) {
    uint32_t at = (first + i) & registry->shard_mask;
    size_t want, got;
    do {
      want = max - count < BATCH ? max - count : BATCH;
      got = collect_shard(registry, &registry->shards[at], now_ns, finished + count, want);
      count += got;
    } while (want > 0 && got == want);
    /* The next call goes on where this one ran out of room, so that no shard is starved. */
    atomic_store_explicit(&registry->next_shard, at, memory_order_relaxed);
  }
  return count;
}

void psp_registry_settle(psprobe_registry *registry) {
  for (uint32_t i = 0; i <= registry->shard_mask; i++) {
    psp_shard *shard = &registry->shards[i];
    psp_spin_take(&shard->lock);
    uint32_t next;
    for (uint32_t at = shard->lists[PSP_LIVE].head; at != PSP_NO_SLOT; at = next) {
      next = psp_probe_slot_at(registry, at)->next;
      if (psp_probe_slot_at(registry, at)->answered != registry->everyone) continue;
      psp_list_take(registry, shard, at);
      psp_list_put(registry, shard, PSP_READY, at);
    }
    psp_spin_give(&shard->lock);
  }
}

size_t psprobe_registry_in_flight(const psprobe_registry *registry) {
  size_t count = 0;
  for (uint32_t i = 0; i <= registry->shard_mask; i++)
    count += atomic_load_explicit(&registry->shards[i].live, memory_order_relaxed);
  return count;
}

void psp_registry_signal(psprobe_registry *registry) {
  /* No fence is needed. A waiter announces itself and then takes every shard's lock to look. If
   * it looked at our shard before us, our lock came after its unlock, and we see it here; if
   * after, it sees what we have made ready. */
  uint32_t expected = WAITING;
  if (atomic_load_explicit(&registry->waiting, memory_order_relaxed) == WAITING &&
      atomic_compare_exchange_strong(&registry->waiting, &expected, NOBODY))
    psp_futex_wake_all(&registry->waiting);
}

void psprobe_registry_wake(psprobe_registry *registry) {
  atomic_store(&registry->waiting, WOKEN);
  psp_futex_wake_all(&registry->waiting);
}

/* When there may be something to collect, or INT64_MIN: there is now. */
static int64_t ready_at(psprobe_registry *registry, int64_t until_ns) {
  for (uint32_t i = 0; i <= registry->shard_mask; i++) {
    psp_shard *shard = &registry->shards[i];
    psp_spin_take(&shard->lock);
    bool ready = shard->lists[PSP_READY].head != PSP_NO_SLOT;
    uint32_t oldest = shard->lists[PSP_LIVE].head;
    if (oldest != PSP_NO_SLOT) {
      int64_t deadline = psp_probe_slot_at(registry, oldest)->sent_ns + registry->timeout_ns + 1;
      if (deadline < until_ns) until_ns = deadline;
    }
    psp_spin_give(&shard->lock);
    if (ready) return INT64_MIN;
  }
  return until_ns;
}

void psprobe_registry_wait(psprobe_registry *registry, int64_t until_ns) {
  uint32_t state = NOBODY;
  atomic_compare_exchange_strong(&registry->waiting, &state, WAITING);
  if (state != WOKEN) {
    /* Nothing that is begun from now on times out before this, so begin need not wake us. */
    int64_t latest = psprobe_clock_monotonic() + registry->timeout_ns;
    until_ns = ready_at(registry, latest < until_ns ? latest : until_ns);
    if (until_ns > 0) psp_futex_wait(&registry->waiting, WAITING, until_ns);
  }
  /* Leave nobody's mark, or the next answer would make a system call for nothing; but another
   * waiter may rely on it: he looks again. */
  if (atomic_exchange(&registry->waiting, NOBODY) == WAITING)
    psp_futex_wake_all(&registry->waiting);
}
