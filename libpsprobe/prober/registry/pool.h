/* SPDX-License-Identifier: MIT */
#ifndef PSP_PROBER_REGISTRY_POOL_H
#define PSP_PROBER_REGISTRY_POOL_H
/**
 * @file
 * The facts of answers that wait to be collected: places in one piece of memory, beside the slots,
 * so that a probe whose answers carry none costs nothing. A free place is found without a lock: the
 * free ones are a stack whose head has a count of its changes beside it, so that one which went and
 * came back meanwhile is not taken for unchanged (Treiber, IBM RJ 5118, 1986; its ABA problem).
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/answer.h>

/** No place. Fits in 31 bits. */
#define PSP_NO_FACTS UINT32_C(0x7fffffff)

typedef struct psp_facts_place {
  psprobe_facts facts;
  _Atomic uint32_t next; /**< of the free ones */
} psp_facts_place;

/** Zeroed: without a place. */
typedef struct psp_facts_pool {
  psp_facts_place *places;
  uint32_t count;
  _Atomic uint64_t free; /**< low half: the first free place; high half: changes so far */
  _Atomic uint64_t dropped;
} psp_facts_pool;

/** Takes the memory of all places, and touches it. False: there is none. */
bool psp_facts_pool_init(psp_facts_pool *pool, uint32_t count);
void psp_facts_pool_clear(psp_facts_pool *pool);
size_t psp_facts_pool_memory(const psp_facts_pool *pool);
/** Copies facts (NULL: none) to a free place. @return it; PSP_NO_FACTS: there is none, or nothing
 * to keep. Never allocates or waits. */
uint32_t psp_facts_take(psp_facts_pool *pool, const psprobe_facts *facts);
/** Gives a place back; `facts`, unless it is NULL, receives what was there, or that there is none.
 * It may hold the place's number. */
void psp_facts_give(psp_facts_pool *pool, uint32_t place, psprobe_facts *facts);

#endif
