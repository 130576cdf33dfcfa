/* SPDX-License-Identifier: MIT */
#ifndef PSP_FIRESTORE_STREAM_H
#define PSP_FIRESTORE_STREAM_H
/**
 * @file
 * A call whose answer is an array of any length: batchGet, runQuery, runAggregationQuery. Each item
 * is read as soon as it is whole.
 */
#include "firestore/service.h"

/**
 * Takes one item.
 * @param enough receives true: no further one is wanted
 * @return PSPROBE_OK, or INVALID_ARGUMENT for what is no such item, and the call ends with INTERNAL
 */
typedef psprobe_code psp_firestore_take(void *arg, const psp_json *item, bool *enough,
                                        psprobe_error *error);

/** Items of an answer that are read as bytes come. */
typedef struct psp_firestore_items {
  psp_firestore_take *take;
  void *arg;
  const char *what; /**< for errors */
  size_t taken;     /**< items that were, errors not among them */
  bool enough;
} psp_firestore_items;

/** psp_firestore_call for such an answer. `items->taken` counts on. With a stopper it is read once
 * all of it is there. */
psprobe_code psp_firestore_stream(psprobe_client *client, const psp_firestore_request *request,
                                  psp_firestore_items *items, psprobe_error *error);

/** Whether an answer that broke off with this error is worth asking for again: the rest of it. */
bool psp_firestore_goes_on(const psprobe_error *error);

/** How the items of `text` come out when it arrives in pieces of `piece` bytes. Pure. */
psprobe_code psp_firestore_items_read(psp_firestore_items *items, const char *text, size_t len,
                                      size_t piece, psprobe_error *error);

#endif
