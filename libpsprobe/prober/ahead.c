/* SPDX-License-Identifier: MIT */
#include "prober/ahead.h"

#include <stdlib.h>
#include <string.h>

static psp_ahead_slot *slot_at(const psp_ahead *ahead, uint64_t number) {
  return &ahead->slots[number % ahead->size];
}

uint64_t psp_ahead_window(int64_t interval_ns) {
  uint64_t window = interval_ns > 0 ? (uint64_t)(PSP_AHEAD_WINDOW_NS / interval_ns) : 0;
  return window < PSP_AHEAD_LEAST ? PSP_AHEAD_LEAST : window;
}

/* Only the keeping thread changes it. */
static uint64_t noted_of(const psp_ahead *ahead) {
  return atomic_load_explicit(&ahead->noted, memory_order_relaxed);
}

bool psp_ahead_init(psp_ahead *ahead, psprobe_cadence cadence, int64_t start_ns,
                    int64_t interval_ns) {
  uint64_t block = (uint64_t)(PSP_AHEAD_NS / interval_ns);
  if (block < 1) block = 1;
  if (block > PSP_AHEAD_BLOCK) block = PSP_AHEAD_BLOCK;
  *ahead = (psp_ahead){.size = 2 * block,
                       .block = block,
                       .window = psp_ahead_window(interval_ns),
                       .start_ns = start_ns,
                       .interval_ns = interval_ns,
                       .slots = calloc(2 * block, sizeof *ahead->slots)};
  if (ahead->slots == NULL) return false;
  for (uint64_t i = 0; i < ahead->size; i++)
    ahead->slots[i].sent.cadence = cadence;
  return true;
}

void psp_ahead_clear(psp_ahead *ahead) {
  free(ahead->slots);
  ahead->slots = NULL;
}

const char *psp_ahead_next(const psp_ahead *ahead) {
  uint64_t used = atomic_load_explicit(&ahead->used, memory_order_relaxed);
  if (used == atomic_load_explicit(&ahead->durable, memory_order_acquire) ||
      used - noted_of(ahead) >= ahead->window)
    return NULL;
  return slot_at(ahead, used)->sent.id;
}

void psp_ahead_use(psp_ahead *ahead, int64_t intended_ns, int64_t sent_ns, int64_t sent_wall_ns) {
  uint64_t used = atomic_load_explicit(&ahead->used, memory_order_relaxed);
  psp_ahead_slot *slot = slot_at(ahead, used);
  slot->intended_ns = intended_ns;
  slot->sent.sent_wall_ns = sent_wall_ns;
  slot->sent.lateness_ns = sent_ns > intended_ns ? sent_ns - intended_ns : 0;
  atomic_store_explicit(&ahead->used, used + 1, memory_order_release);
}

/* The slot of a probe that has not been sent: after the last that was, since slots can be missed.
 */
static int64_t intended_of(const psp_ahead *ahead, uint64_t number) {
  uint64_t used = atomic_load_explicit(&ahead->used, memory_order_acquire);
  int64_t after = used == 0 ? ahead->start_ns : slot_at(ahead, used - 1)->intended_ns;
  uint64_t slots = used == 0 ? number : number - used + 1;
  return after + (int64_t)slots * ahead->interval_ns;
}

/* From when on the next block is to be made. */
static int64_t make_at(const psp_ahead *ahead) {
  int64_t soon = intended_of(ahead, ahead->made) - PSP_AHEAD_NS;
  if (ahead->made < ahead->block) return soon;
  uint64_t used = atomic_load_explicit(&ahead->used, memory_order_acquire);
  uint64_t before = ahead->made - ahead->block; /* its use makes room for a block */
  if (before < used) return soon;
  int64_t room = intended_of(ahead, before);
  return room > soon ? room : soon;
}

static void make_block(psp_ahead *ahead) {
  for (uint64_t i = 0; i < ahead->block && ahead->made < noted_of(ahead) + ahead->size; i++) {
    psp_ahead_slot *slot = slot_at(ahead, ahead->made);
    if (psprobe_id_make(slot->sent.id, NULL) != PSPROBE_OK) return; /* it is tried again */
    slot->intended_ns = intended_of(ahead, ahead->made);
    ahead->made++;
  }
}

size_t psp_ahead_make(psp_ahead *ahead, int64_t now_ns, int64_t offset_ns,
                      psprobe_planned *planned) {
  uint64_t durable = atomic_load_explicit(&ahead->durable, memory_order_relaxed);
  if (ahead->slots == NULL) return 0;
  if (ahead->made == durable && now_ns >= make_at(ahead)) make_block(ahead);
  for (uint64_t i = durable; i < ahead->made; i++) {
    const psp_ahead_slot *slot = slot_at(ahead, i);
    psprobe_planned *p = &planned[i - durable];
    p->cadence = slot->sent.cadence;
    p->intended_wall_ns = slot->intended_ns + offset_ns;
    memcpy(p->id, slot->sent.id, sizeof p->id);
  }
  return (size_t)(ahead->made - durable);
}

void psp_ahead_kept(psp_ahead *ahead, size_t count) {
  uint64_t durable = atomic_load_explicit(&ahead->durable, memory_order_relaxed);
  atomic_store_explicit(&ahead->durable, durable + count, memory_order_release);
}

size_t psp_ahead_sent(const psp_ahead *ahead, psprobe_sent *sent, size_t max) {
  uint64_t used = atomic_load_explicit(&ahead->used, memory_order_acquire);
  size_t count = 0;
  for (uint64_t i = noted_of(ahead); i < used && count < max; i++)
    sent[count++] = slot_at(ahead, i)->sent;
  return count;
}

void psp_ahead_note(psp_ahead *ahead, size_t count) {
  atomic_store_explicit(&ahead->noted, noted_of(ahead) + count, memory_order_relaxed);
}

int64_t psp_ahead_due(const psp_ahead *ahead, int64_t now_ns) {
  if (ahead->slots == NULL) return INT64_MAX;
  uint64_t used = atomic_load_explicit(&ahead->used, memory_order_acquire);
  int64_t next = intended_of(ahead, used);
  int64_t note = (used > noted_of(ahead) || next < now_ns ? now_ns : next) + PSP_AHEAD_NOTE_NS;
  if (ahead->made - noted_of(ahead) == ahead->size) return note; /* there is no room */
  int64_t make = make_at(ahead);
  return make < note ? make : note;
}
