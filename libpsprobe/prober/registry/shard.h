/* SPDX-License-Identifier: MIT */
#ifndef PSP_PROBER_REGISTRY_SHARD_H
#define PSP_PROBER_REGISTRY_SHARD_H
/**
 * @file
 * What the registry is made of: slots, each on one list of one shard.
 *
 * A probe belongs to the shard that its id falls on, and everything in a shard
 * is under its lock. Slots wander between shards when one runs out of them, so
 * that the bound is exact however the ids fall. Life of a slot:
 *
 *     free -> live -> ready -> spent -> free      every source answered
 *             live ---------> late  -> free       timed out (collected at once)
 *             late, spent -> ready -> late, spent a late or duplicate answer: an update
 *
 * `live` is in the order of sending, and with one timeout for all that is the
 * order of deadlines: timeouts are found at its head.
 */
#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/registry.h>

#include "prober/registry/index.h"
#include "prober/registry/pool.h"
#include "prober/registry/spin.h"

#define PSP_CACHE_LINE 64
#define PSP_NO_SLOT    UINT32_MAX

typedef enum psp_list_id {
  PSP_LIVE,  /**< neither complete nor timed out, by sent_ns */
  PSP_READY, /**< to be collected, in the order of becoming so */
  PSP_LATE,  /**< timed out, handed out, and not answered by all */
  PSP_SPENT, /**< answered by all and handed out: room for others, if need be */
  PSP_FREE,  /**< taken from its tail, so that the warmest memory is used first */
  PSP_LISTS
} psp_list_id;

typedef struct psp_probe_slot_answer {
  int64_t elapsed_ns;
  int64_t handled_ns;
  uint64_t delivery; /**< which one it was, by a hash of instance and invocation; 0: not told */
  uint32_t duplicates;
  uint32_t cold : 1;
  uint32_t facts : 31; /**< their number in the registry's pool; PSP_NO_FACTS: none */
} psp_probe_slot_answer;

/** What every operation looks at is one cache line; the answers follow in the next. */
typedef struct psp_probe_slot {
  uint64_t id[2];
  int64_t sent_ns;
  int64_t wall_ns;
  int64_t lateness_ns;
  int64_t publish_ns;
  uint32_t prev, next;
  uint16_t answered; /**< bit i: answers[i] is filled in */
  uint16_t told;     /**< bit i: and was handed out */
  uint8_t list;      /**< psp_list_id */
  bool handed_out;
  bool published;  /**< the outcome of the publish call is known */
  uint8_t cadence; /**< psprobe_cadence */
  psp_probe_slot_answer answers[];
} psp_probe_slot;

/** The newest of a source's duplicates; of none while there are none. Away from the slots: an
 * answer that counts never looks at it. */
typedef struct psp_newest {
  uint64_t delivery;
  int64_t elapsed_ns;
} psp_newest;

typedef struct psp_list {
  uint32_t head, tail;
} psp_list;

/** One cache line; two apart, since processors fetch them in pairs. */
typedef struct psp_shard {
  alignas(2 * PSP_CACHE_LINE) psp_spin lock;
  psp_list lists[PSP_LISTS];
  uint32_t indexed;      /**< entries of its index */
  _Atomic uint32_t live; /**< how many are on that list; read without the lock */
} psp_shard;
static_assert(offsetof(psp_shard, live) + sizeof(uint32_t) <= PSP_CACHE_LINE, "one cache line");

/* The padding is meant. NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct psprobe_registry {
  size_t source_count;
  size_t capacity;
  size_t stride;       /**< from slot to slot, bytes */
  uint32_t shard_mask; /**< shards, a power of two, less one */
  uint16_t everyone;   /**< `answered` of a probe that all sources have answered */
  bool await_published;
  int64_t wall_offset_ns;
  int64_t timeout_ns;
  int64_t life_ns; /**< timeout and late window */
  size_t memory_size;
  char *memory; /**< shards, their index entries, slots, newest duplicates */
  psp_shard *shards;
  psp_bucket *buckets; /**< of all shards' indexes, one after the other */
  uint32_t shard_buckets;
  char *slots;
  psp_newest *newest; /**< of each slot's each source */
  psp_facts_pool pool;
  /* Written now and then: away from what every call reads. */
  alignas(2 * PSP_CACHE_LINE) _Atomic uint32_t waiting; /**< a futex: 0, WAITING or WOKEN */
  _Atomic uint32_t next_shard;                          /**< where collecting goes on */
};

static inline psp_probe_slot *psp_probe_slot_at(const psprobe_registry *registry, uint32_t number) {
  return (psp_probe_slot *)(void *)(registry->slots + number * registry->stride);
}

/** A shard's index. Made of what never changes: a look-up can fetch its bucket while it waits for
 * the shard itself. */
static inline psp_index psp_shard_index(const psprobe_registry *registry, uint32_t shard) {
  return (psp_index){registry->buckets + (size_t)shard * registry->shard_buckets,
                     registry->shard_buckets};
}

/** Every source has answered, and nothing more is awaited before it may be handed out. */
static inline bool psp_probe_slot_complete(const psprobe_registry *registry,
                                           const psp_probe_slot *slot) {
  return slot->answered == registry->everyone && (slot->published || !registry->await_published);
}

/** Puts a slot that is on no list at the end of one; on the live list at its place by sent_ns. */
void psp_list_put(psprobe_registry *registry, psp_shard *shard, psp_list_id list, uint32_t number);
/** Takes a slot off the list that it is on. */
void psp_list_take(psprobe_registry *registry, psp_shard *shard, uint32_t number);

/** What was noted of an answer that is none of UNKNOWN. */
typedef struct psp_noted {
  uint32_t delivery; /**< 1: the answer that counts, 2 and on: duplicates */
  psprobe_cadence cadence;
  int64_t elapsed_ns; /**< of AGAIN: of the first time that it came */
  int64_t received_wall_ns, sent_wall_ns, lateness_ns;
  psprobe_answer first; /**< of a duplicate: the one that counts, without facts */
} psp_noted;
/** psprobe_registry_answer; `noted` may be NULL. */
psprobe_answer_outcome psp_registry_note(psprobe_registry *registry, const char *id, size_t source,
                                         int64_t now_ns, bool cold, int64_t handled_ns,
                                         const psprobe_facts *facts, psp_noted *noted);

/** Ends a psprobe_registry_wait, if there is one. Costs one load when there is none. */
void psp_registry_signal(psprobe_registry *registry);
/** A monotonic time by the run's clock: the wall clock as it was when the run began, so that a
 * clock that is set meanwhile moves nothing. */
int64_t psp_registry_wall(const psprobe_registry *registry, int64_t monotonic_ns);
/** No longer holds back what all sources have answered for psprobe_registry_published. */
void psp_registry_settle(psprobe_registry *registry);
/** Bytes taken at new. */
size_t psp_registry_memory(const psprobe_registry *registry);

#endif
