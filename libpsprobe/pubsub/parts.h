/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_PARTS_H
#define PSP_PUBSUB_PARTS_H
/**
 * @file
 * What the calls share, Pub/Sub's bodies: encoders that add to a buffer (which fails by itself when
 * memory runs out) and decoders. All pure.
 * Source: https://cloud.google.com/pubsub/docs/reference/rest
 *
 * Decoders of answers say INTERNAL for what the service should not send.
 */
#include <psprobe/pubsub_admin.h>

#include "base/buf.h"
#include "base/json.h"

/* ---- what the service allows (https://cloud.google.com/pubsub/quotas#resource_limits) ---- */

#define PSP_PUBLISH_MESSAGES 1000
#define PSP_PUBLISH_BYTES    10000000
#define PSP_ATTRIBUTES       100
#define PSP_ATTRIBUTE_KEY    256
#define PSP_ATTRIBUTE_VALUE  1024
#define PSP_ORDERING_KEY     1024
#define PSP_PULL_MESSAGES    1000
#define PSP_DEADLINE_MIN_S   10
#define PSP_DEADLINE_MAX_S   600
#define PSP_FILTER_BYTES     256
/** 10 to 600, or 0 for the default (pubsub.proto, Subscription.ack_deadline_seconds); emulators
 * take less. */
bool psp_ack_deadline_check(int seconds, bool emulator);
/** Of one acknowledge or modifyAckDeadline call: 512 KiB is the service's limit, the rest of it is
 * left for the JSON around the ids. */
#define PSP_ACK_BYTES ((size_t)500 * 1024)
#define PSP_ACK_IDS   2500

/** INVALID_ARGUMENT for what Google would refuse, with the message's index. The emulator takes much
 * of it, so it is checked here. */
psprobe_code psp_publish_check(const psprobe_message *messages, size_t count, psprobe_error *error);
void psp_publish_encode(psp_buf *out, const psprobe_message *messages, size_t count);

/** @param at_once returnImmediately: no waiting when nothing is there */
void psp_pull_encode(psp_buf *out, int max_messages, bool at_once);
void psp_acknowledge_encode(psp_buf *out, const char *const *ack_ids, size_t count);
void psp_modify_encode(psp_buf *out, const char *const *ack_ids, size_t count, int seconds);
/** How many of the ids one call may carry, at least 1. */
size_t psp_ack_fit(const char *const *ack_ids, size_t count);

/** Parses an answer. @return PSPROBE_OK; INTERNAL: no JSON object; RESOURCE_EXHAUSTED: memory */
psprobe_code psp_answer_parse(const char *body, size_t len, const char *what, psp_json **json,
                              psprobe_error *error);
/** The ids of a publish answer, in one block to free(). */
psprobe_code psp_publish_decode(const char *body, size_t len, size_t count, const char ***ids,
                                psprobe_error *error);
psprobe_code psp_pull_decode(const char *body, size_t len, psprobe_batch **batch,
                             psprobe_error *error);
/**
 * One page of a listing.
 * @param list  the member that it is in: "topics"
 * @param token the next page's is added; stays empty after the last page
 * @param more  false when `each` has had enough
 */
psprobe_code psp_page_decode(const char *body, size_t len, const char *list,
                             psprobe_name_each *each, void *arg, psp_buf *token, bool *more,
                             psprobe_error *error);

#endif
