/* SPDX-License-Identifier: MIT */
#include "prober/registry/pool.h"

#include <stdlib.h>
#include <string.h>

/* The head of the free ones after one more change. */
static uint64_t head_after(uint64_t head, uint32_t first) {
  return ((head >> 32) + 1) << 32 | first;
}

bool psp_facts_pool_init(psp_facts_pool *pool, uint32_t count) {
  atomic_init(&pool->free, PSP_NO_FACTS);
  if (count == 0) return true;
  pool->places = malloc(count * sizeof *pool->places);
  if (pool->places == NULL) return false;
  memset(pool->places, 0, count * sizeof *pool->places); /* so that no answer waits for a page */
  pool->count = count;
  for (uint32_t i = 0; i < count; i++)
    atomic_init(&pool->places[i].next, i + 1 < count ? i + 1 : PSP_NO_FACTS);
  atomic_init(&pool->free, 0);
  return true;
}

void psp_facts_pool_clear(psp_facts_pool *pool) {
  free(pool->places);
  pool->places = NULL;
}

size_t psp_facts_pool_memory(const psp_facts_pool *pool) {
  return pool->count * sizeof *pool->places;
}

uint32_t psp_facts_take(psp_facts_pool *pool, const psprobe_facts *facts) {
  if (facts == NULL || pool->count == 0) return PSP_NO_FACTS;
  uint64_t head = atomic_load_explicit(&pool->free, memory_order_acquire);
  uint32_t place;
  do {
    place = (uint32_t)head;
    if (place == PSP_NO_FACTS) {
      atomic_fetch_add_explicit(&pool->dropped, 1, memory_order_relaxed);
      return place;
    }
  } while (!atomic_compare_exchange_weak_explicit(
      &pool->free, &head,
      head_after(head, atomic_load_explicit(&pool->places[place].next, memory_order_relaxed)),
      memory_order_acquire, memory_order_acquire));
  pool->places[place].facts = *facts;
  return place;
}

void psp_facts_give(psp_facts_pool *pool, uint32_t place, psprobe_facts *facts) {
  if (facts != NULL)
    *facts = place == PSP_NO_FACTS ? (psprobe_facts){0} : pool->places[place].facts;
  if (place == PSP_NO_FACTS) return;
  uint64_t head = atomic_load_explicit(&pool->free, memory_order_relaxed);
  do {
    atomic_store_explicit(&pool->places[place].next, (uint32_t)head, memory_order_relaxed);
  } while (!atomic_compare_exchange_weak_explicit(&pool->free, &head, head_after(head, place),
                                                  memory_order_release, memory_order_relaxed));
}
