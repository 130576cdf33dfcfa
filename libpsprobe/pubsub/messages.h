/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_MESSAGES_H
#define PSP_PUBSUB_MESSAGES_H
/** @file Received messages, read out of JSON into one block that owns all they point to. Pure. */
#include <psprobe/pubsub.h>

#include "base/buf.h"
#include "base/json.h"

struct psprobe_batch {
  size_t count;
  psprobe_message *messages;     /**< `count`, right behind this struct */
  psprobe_attribute *attributes; /**< of all messages, right behind those */
  psp_buf text;                  /**< what the pointers point to; never grows once it is in use */
};

/**
 * Makes room for `count` messages with `attributes` attributes in all, read
 * out of `body_len` bytes of JSON. NULL: out of memory.
 */
psprobe_batch *psp_batch_new(size_t count, size_t attributes, size_t body_len);

/** The attributes of a PubsubMessage, to be counted before psp_batch_new. */
size_t psp_message_attributes(const psp_json *message);

/**
 * Reads a PubsubMessage, with camelCase or snake_case names, into
 * messages[index]. Members that are null count as missing.
 *
 * @param used attributes of the batch taken so far; grows
 * @return INVALID_ARGUMENT, with the path of what is wrong, beginning "message"
 */
psprobe_code psp_message_read(psprobe_batch *batch, size_t index, const psp_json *message,
                              size_t *used, psprobe_error *error);

/** A text of the batch, or NULL for a missing or null one. A zero byte in it becomes U+FFFD. */
psprobe_code psp_message_text(psprobe_batch *batch, const psp_json *text, const char *path,
                              const char **out, psprobe_error *error);

/** An integer of at least 0; a missing or null one is 0. */
psprobe_code psp_message_count(const psp_json *number, const char *path, int *out,
                               psprobe_error *error);

/** Reads the object that a push wraps its message in, read out of `len` bytes of JSON, into a batch
 * of one. INVALID_ARGUMENT: it is none, and the error says why. */
psprobe_code psp_push_read(const psp_json *body, size_t len, psprobe_batch **out,
                           psprobe_error *error);

#endif
