/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_NAMES_H
#define PSP_PUBSUB_NAMES_H
/** @file Names of topics, subscriptions and snapshots, and the URL paths made of them. */
#include <psprobe/error.h>

#include "base/buf.h"

typedef enum psp_pubsub_kind { PSP_TOPIC = 0, PSP_SUBSCRIPTION, PSP_SNAPSHOT } psp_pubsub_kind;

/** "topic", "subscription" or "snapshot". */
const char *psp_pubsub_kind_name(psp_pubsub_kind kind);

/**
 * The full name of `name`, an id or a full name already, added to `full`. Pure.
 * @param project of ids; may be NULL when `name` is full
 */
psprobe_code psp_pubsub_full_name(psp_pubsub_kind kind, const char *project, const char *name,
                                  psp_buf *full, psprobe_error *error);

/** "/v1/" + full + verb ("", ":pull"), with what a path cannot hold percent-encoded: of the
 * letters of a name that is "%" alone (RFC 3986, 3.3). */
void psp_pubsub_path(psp_buf *out, const char *full, const char *verb);

#endif
