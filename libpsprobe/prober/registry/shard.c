/* SPDX-License-Identifier: MIT */
#include "prober/registry/shard.h"

#define MAX_DISORDER 64

static void count_live(psp_shard *shard, uint32_t change) {
  /* Under the lock: no read-modify-write is needed. */
  uint32_t live = atomic_load_explicit(&shard->live, memory_order_relaxed);
  atomic_store_explicit(&shard->live, live + change, memory_order_relaxed);
}

void psp_list_put(psprobe_registry *registry, psp_shard *shard, psp_list_id id, uint32_t number) {
  psp_probe_slot *slot = psp_probe_slot_at(registry, number);
  psp_list *list = &shard->lists[id];
  uint32_t prev = list->tail;
  if (id == PSP_LIVE) {
    /* Threads that begin at once may come here a little out of order; how far we look is bounded,
     * as the time under the lock must be. */
    for (int i = 0; i < MAX_DISORDER && prev != PSP_NO_SLOT; i++) {
      const psp_probe_slot *before = psp_probe_slot_at(registry, prev);
      if (before->sent_ns <= slot->sent_ns) break;
      prev = before->prev;
    }
    count_live(shard, 1);
  }
  uint32_t next = prev == PSP_NO_SLOT ? list->head : psp_probe_slot_at(registry, prev)->next;
  slot->list = (uint8_t)id;
  slot->prev = prev;
  slot->next = next;
  if (prev == PSP_NO_SLOT)
    list->head = number;
  else
    psp_probe_slot_at(registry, prev)->next = number;
  if (next == PSP_NO_SLOT)
    list->tail = number;
  else
    psp_probe_slot_at(registry, next)->prev = number;
}

void psp_list_take(psprobe_registry *registry, psp_shard *shard, uint32_t number) {
  psp_probe_slot *slot = psp_probe_slot_at(registry, number);
  psp_list *list = &shard->lists[slot->list];
  if (slot->list == PSP_LIVE) count_live(shard, UINT32_MAX);
  if (slot->prev == PSP_NO_SLOT)
    list->head = slot->next;
  else
    psp_probe_slot_at(registry, slot->prev)->next = slot->next;
  if (slot->next == PSP_NO_SLOT)
    list->tail = slot->prev;
  else
    psp_probe_slot_at(registry, slot->next)->prev = slot->prev;
}
