/* SPDX-License-Identifier: MIT */
/** @file Making and freeing a registry: one piece of memory, laid out and touched at once. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "prober/registry/shard.h"

#define DEFAULT_CAPACITY   65536
#define MAX_CAPACITY       (UINT32_C(1) << 26)
#define DEFAULT_TIMEOUT_NS INT64_C(30000000000)
#define MAX_NS             (INT64_MAX / 4)
#define HUGE_PAGE          ((size_t)2 << 20)

/* More shards than threads that meet: with 64, two calls at once meet one time in 64. */
static uint32_t shards_for(size_t capacity) {
  return capacity >= 8192 ? 64 : capacity >= 256 ? 16 : 1;
}

/*
 * Buckets of one shard's index: two thirds full when the ids spread evenly, and
 * never fewer entries than slots in a registry of one shard. That more than
 * 1.5 n + 64 of random ids fall on a shard where n are expected has a chance
 * below exp(-40) for every n (Chernoff's bound).
 */
static uint32_t index_size_for(size_t capacity, uint32_t shards) {
  size_t expected = (capacity + shards - 1) / shards;
  return (uint32_t)((expected + expected / 2 + 64 + PSP_BUCKET_ENTRIES - 1) / PSP_BUCKET_ENTRIES);
}

static size_t round_up(size_t size, size_t to) {
  return (size + to - 1) / to * to;
}

static psprobe_code check(const psprobe_registry_options *o, psprobe_error *error) {
  if (o == NULL || o->source_count < 1 || o->source_count > PSPROBE_MAX_SOURCES)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "registry: sources must be 1 to %d, not %zu",
                    PSPROBE_MAX_SOURCES, o == NULL ? 0 : o->source_count);
  if (o->facts >= PSP_NO_FACTS)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "registry: facts must be below %u, not %u",
                    PSP_NO_FACTS, o->facts);
  if (o->capacity > MAX_CAPACITY)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "registry: capacity must be at most %u probes, not %zu", MAX_CAPACITY,
                    o->capacity);
  if (o->timeout_ns < 0 || o->timeout_ns > MAX_NS || o->late_window_ns < 0 ||
      o->late_window_ns > MAX_NS)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "registry: timeout and late window must be 0 to %lld ns", (long long)MAX_NS);
  return PSPROBE_OK;
}

/* Takes the memory of all parts, and places them in it. */
static bool lay_out(psprobe_registry *registry) {
  uint32_t shards = registry->shard_mask + 1;
  registry->shard_buckets = index_size_for(registry->capacity, shards);
  size_t shards_size = shards * sizeof(psp_shard);
  size_t index_size = (size_t)shards * registry->shard_buckets * sizeof(psp_bucket);
  size_t slots_size = registry->capacity * registry->stride;
  size_t size = shards_size + index_size + slots_size +
                registry->capacity * registry->source_count * sizeof *registry->newest;
  /* In huge pages a look-up in a large registry misses the TLB far less often. */
  size_t unit = size >= 2 * HUGE_PAGE ? HUGE_PAGE : (size_t)2 * PSP_CACHE_LINE;
  registry->memory_size = round_up(size, unit);
  registry->memory = aligned_alloc(unit, registry->memory_size);
  if (registry->memory == NULL) return false;
  if (unit == HUGE_PAGE) (void)madvise(registry->memory, registry->memory_size, MADV_HUGEPAGE);
  /* Touched now, so that no call later waits for a page. */
  memset(registry->memory, 0, registry->memory_size);
  registry->shards = (psp_shard *)(void *)registry->memory;
  registry->slots = registry->memory + shards_size + index_size;
  registry->newest = (psp_newest *)(void *)(registry->slots + slots_size);
  registry->buckets = (psp_bucket *)(void *)(registry->memory + shards_size);
  return true;
}

psprobe_code psprobe_registry_new(const psprobe_registry_options *options,
                                  psprobe_registry **registry, psprobe_error *error) {
  psprobe_code code = check(options, error);
  if (code != PSPROBE_OK) return code;
  psprobe_registry *made = aligned_alloc(alignof(psprobe_registry), sizeof *made);
  if (made == NULL) return psp_fail_memory(error, "registry");
  memset(made, 0, sizeof *made);
  made->source_count = options->source_count;
  made->everyone = (uint16_t)((1u << options->source_count) - 1);
  made->await_published = options->await_published;
  made->wall_offset_ns = options->wall_offset_ns;
  made->capacity = options->capacity == 0 ? DEFAULT_CAPACITY : options->capacity;
  made->timeout_ns = options->timeout_ns == 0 ? DEFAULT_TIMEOUT_NS : options->timeout_ns;
  made->life_ns = made->timeout_ns +
                  (options->late_window_ns == 0 ? made->timeout_ns : options->late_window_ns);
  made->shard_mask = shards_for(made->capacity) - 1;
  made->stride = round_up(
      sizeof(psp_probe_slot) + made->source_count * sizeof(psp_probe_slot_answer), PSP_CACHE_LINE);
  if (!psp_facts_pool_init(&made->pool, options->facts) || !lay_out(made)) {
    code = psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED,
                    "out of memory: registry for %zu probes (%zu bytes)", made->capacity,
                    made->memory_size);
    psp_facts_pool_clear(&made->pool);
    free(made);
    return code;
  }
  for (uint32_t i = 0; i <= made->shard_mask; i++) {
    for (size_t list = 0; list < PSP_LISTS; list++)
      made->shards[i].lists[list] = (psp_list){PSP_NO_SLOT, PSP_NO_SLOT};
  }
  for (size_t n = made->capacity; n-- > 0;) { /* the first of them at the tail: used first */
    psp_shard *shard = &made->shards[n * ((size_t)made->shard_mask + 1) / made->capacity];
    psp_list_put(made, shard, PSP_FREE, (uint32_t)n);
  }
  *registry = made;
  return PSPROBE_OK;
}

void psprobe_registry_free(psprobe_registry *registry) {
  if (registry == NULL) return;
  psp_facts_pool_clear(&registry->pool);
  free(registry->memory);
  free(registry);
}

size_t psp_registry_memory(const psprobe_registry *registry) {
  return sizeof *registry + registry->memory_size + psp_facts_pool_memory(&registry->pool);
}

int64_t psp_registry_wall(const psprobe_registry *registry, int64_t monotonic_ns) {
  return monotonic_ns + registry->wall_offset_ns;
}
