/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_JSON_ITEMS_H
#define PSP_BASE_JSON_ITEMS_H
/**
 * @file
 * The items of a JSON array that comes in pieces, each as soon as it is whole. What an item holds
 * is json.h's to judge: here only brackets and strings are looked at. A text that is no array is
 * one item. Pure.
 */
#include "base/buf.h"

/** Valid when zeroed but for `most`; free with psp_json_items_free. */
typedef struct psp_json_items {
  size_t most; /**< bytes that an item may have; more is PSP_JSON_ITEMS_LARGE */
  psp_buf item;
  unsigned depth; /**< of brackets within the item */
  bool in_string, escaped, given;
  bool array, begun, ended; /**< its bracket came; its first byte did; its last one did */
  bool comma;               /**< an item must follow */
  bool any;                 /**< there was an item, and a comma must follow or the end */
} psp_json_items;

typedef enum psp_json_items_found {
  PSP_JSON_ITEMS_MORE = 0, /**< all bytes were taken, and no further item is whole */
  PSP_JSON_ITEMS_ONE,      /**< `item` is whole, until the next call */
  PSP_JSON_ITEMS_LARGE,    /**< one is larger than `most`, or there was no memory */
  PSP_JSON_ITEMS_BROKEN    /**< no array can look like this */
} psp_json_items_found;

/** Takes bytes off the front of `*data`, up to the end of an item. */
psp_json_items_found psp_json_items_take(psp_json_items *items, const char **data, size_t *len);
/** Whether what came is whole: the array was closed, or the one item is. */
bool psp_json_items_whole(const psp_json_items *items);
void psp_json_items_free(psp_json_items *items);

#endif
