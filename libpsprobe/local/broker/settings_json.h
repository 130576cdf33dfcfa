/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_BROKER_SETTINGS_JSON_H
#define PSP_LOCAL_BROKER_SETTINGS_JSON_H
/** @file Topics, subscriptions and snapshots as JSON, both ways, in the form of Google's emulator.
 * Pure. */
#include <stdbool.h>

#include <psprobe/error.h>

#include "base/json.h"
#include "local/broker/settings.h"

/** Decoders fill what they find, also when they refuse; free it either way. */
bool psp_topic_settings_decode(const psp_json *json, psp_topic_settings *out);
bool psp_push_settings_decode(const psp_json *json, psp_push_settings *out);
bool psp_subscription_settings_decode(const psp_json *json, psp_subscription_settings *out);

bool psp_snapshot_settings_decode(const psp_json *json, psp_snapshot_settings *out);

void psp_topic_settings_encode(psp_json_writer *w, const psp_topic_settings *settings);
void psp_subscription_settings_encode(psp_json_writer *w,
                                      const psp_subscription_settings *settings);
void psp_snapshot_settings_encode(psp_json_writer *w, const psp_snapshot_settings *settings);

/** Writes pairs as an object, under `key`; nothing when there are none. */
void psp_pairs_encode(psp_json_writer *w, const char *key, const psp_pair *pairs, size_t count);

/** Writes JSON that was kept as text, as pretty as the rest; nothing for NULL. */
void psp_kept_json_encode(psp_json_writer *w, const char *key, const char *text);

#endif
