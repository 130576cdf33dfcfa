/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_SUBSCRIBER_ORDER_H
#define PSP_PUBSUB_SUBSCRIBER_ORDER_H
/**
 * @file
 * One message at a time of each ordering key: the first is at the head of its key, the others are
 * behind it until it is settled. Pure.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PSP_ORDER_BUCKETS 512

/** Of one message. */
typedef struct psp_place psp_place;
struct psp_place {
  const char *key;      /**< NULL: none */
  psp_place *next_head; /**< of the same bucket */
  psp_place *next;      /**< behind it */
  psp_place *last;      /**< of the head alone: the last behind it */
  bool head;
};

/** Zeroed: no key is in hand. */
typedef struct psp_key_order {
  psp_place *heads[PSP_ORDER_BUCKETS]; /**< by a hash of the key */
} psp_key_order;

/** FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/). */
uint64_t psp_order_hash(const char *text);
/** `place` has a key and else nothing. True: it is at the head, also without a key. False: it is
 * behind another. */
bool psp_order_enter(psp_key_order *order, psp_place *place);
/** A head is settled. @return the next of its key, at the head now; NULL: none */
psp_place *psp_order_leave(psp_key_order *order, psp_place *place);
/** Nobody is behind anybody any more, nor at a head. */
void psp_order_clear(psp_key_order *order);

#endif
