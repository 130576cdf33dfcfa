/* SPDX-License-Identifier: MIT */
#include "pubsub/subscriber/order.h"

#include <string.h>

uint64_t psp_order_hash(const char *text) {
  uint64_t value = UINT64_C(14695981039346656037);
  for (; *text; text++)
    value = (value ^ (unsigned char)*text) * UINT64_C(1099511628211);
  return value;
}

static psp_place **bucket_of(psp_key_order *order, const char *key) {
  return &order->heads[psp_order_hash(key) % PSP_ORDER_BUCKETS];
}

bool psp_order_enter(psp_key_order *order, psp_place *place) {
  if (place->key == NULL) return true;
  psp_place **bucket = bucket_of(order, place->key), *head = *bucket;
  while (head != NULL && strcmp(head->key, place->key) != 0)
    head = head->next_head;
  if (head == NULL) {
    *place = (psp_place){.key = place->key, .next_head = *bucket, .last = place, .head = true};
    *bucket = place;
    return true;
  }
  head->last->next = place;
  head->last = place;
  return false;
}

psp_place *psp_order_leave(psp_key_order *order, psp_place *place) {
  if (!place->head) return NULL;
  psp_place **at = bucket_of(order, place->key), *next = place->next;
  while (*at != place)
    at = &(*at)->next_head;
  if (next != NULL) {
    next->next_head = place->next_head;
    next->last = place->last;
    next->head = true;
    *at = next;
  } else {
    *at = place->next_head;
  }
  *place = (psp_place){.key = place->key};
  return next;
}

void psp_order_clear(psp_key_order *order) {
  for (size_t i = 0; i < PSP_ORDER_BUCKETS; i++)
    for (psp_place *head; (head = order->heads[i]) != NULL;) {
      order->heads[i] = head->next_head;
      *head = (psp_place){.key = head->key};
    }
}
