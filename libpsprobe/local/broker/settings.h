/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_BROKER_SETTINGS_H
#define PSP_LOCAL_BROKER_SETTINGS_H
/** @file The settings of topics and subscriptions: what is kept, its defaults and bounds. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>

#include "local/broker/message.h"

/** Pairs that own their texts; valid when zeroed. */
typedef struct psp_pairs {
  psp_pair *items;
  size_t count;
} psp_pairs;

/** Copies both, in place of an earlier pair of this key. False: no memory. */
bool psp_pairs_put(psp_pairs *pairs, const char *key, const char *value);
void psp_pairs_free(psp_pairs *pairs);

/** google.protobuf.Duration, which may be missing. */
typedef struct psp_span {
  bool set;
  int64_t seconds;
  int32_t nanos;
} psp_span;

/** In ns; what does not fit stops at the ends of int64. */
int64_t psp_span_ns(psp_span span);

/** Reads "10.5s", as proto3 JSON has durations. */
bool psp_span_parse(const char *text, psp_span *out);
#define PSP_SPAN_SIZE 40
/** Writes "10.500s": with 0, 3, 6 or 9 decimals. @return out */
char *psp_span_format(char out[PSP_SPAN_SIZE], psp_span span);

/** All texts are owned; NULL: not set. Valid when zeroed but for the name. */
typedef struct psp_topic_settings {
  char *name;
  psp_pairs labels;
  char *storage_policy; /**< messageStoragePolicy, as JSON */
  char *kms_key;
  char *schema; /**< schemaSettings, as JSON; messages are not held against it */
  psp_span retention;
  const char *unbuilt; /**< what was asked for and is not built here; NULL: nothing */
} psp_topic_settings;

typedef struct psp_snapshot_settings {
  char *name, *topic;
  psp_pairs labels;
  int64_t expires_ns; /**< Unix time */
} psp_snapshot_settings;

typedef struct psp_push_settings {
  char *endpoint; /**< NULL: pull */
  psp_pairs attributes;
  bool has_oidc; /**< kept and returned; pushes here carry no token */
  char *account, *audience;
  bool no_wrapper, write_metadata;
} psp_push_settings;

typedef struct psp_subscription_settings {
  char *name, *topic;
  psp_push_settings push;
  int ack_deadline_s;
  bool retain_acked;
  psp_span retention;
  psp_pairs labels;
  bool ordering;
  bool has_expiration;
  psp_span expiration;
  char *filter; /**< filter.h; NULL: none */
  bool has_dead_letter;
  char *dead_letter_topic;
  int max_attempts;
  bool has_retry;
  psp_span retry_min, retry_max;
  bool exactly_once;
  bool detached;       /**< from its topic, for good */
  const char *unbuilt; /**< what was asked for and is not built here; NULL: nothing */
} psp_subscription_settings;

/** The settings that PATCH may change, as bits. */
enum {
  PSP_SUB_ACK_DEADLINE = 1,
  PSP_SUB_PUSH = 2,
  PSP_SUB_RETRY = 4,
  PSP_SUB_DEAD_LETTER = 8,
  PSP_SUB_RETAIN = 16,
  PSP_SUB_RETENTION = 32,
  PSP_SUB_EXACTLY_ONCE = 64,
  PSP_SUB_LABELS = 128,
  PSP_SUB_EXPIRATION = 256
};
enum {
  PSP_TOPIC_LABELS = 1,
  PSP_TOPIC_RETENTION = 2,
  PSP_TOPIC_SCHEMA = 4,
  PSP_TOPIC_STORAGE = 8,
  PSP_TOPIC_KMS_KEY = 16
};
enum { PSP_SNAPSHOT_LABELS = 1, PSP_SNAPSHOT_EXPIRES = 2 };

void psp_topic_settings_free(psp_topic_settings *settings);
void psp_subscription_settings_free(psp_subscription_settings *settings);
void psp_snapshot_settings_free(psp_snapshot_settings *settings);

/** Checks "projects/P/{kind}/ID" by Google's rule; the error is Google's emulator's. */
psprobe_code psp_resource_check(const char *kind, const char *name, psprobe_error *error);
psprobe_code psp_topic_settings_check(const psp_topic_settings *settings, psprobe_error *error);
/** Fills in defaults and checks bounds, with the texts of Google's emulator. Names included. */
psprobe_code psp_subscription_settings_check(psp_subscription_settings *settings,
                                             psprobe_error *error);
/** Moves the settings in `mask` from `from`, which stays valid and to be freed, into `settings`. */
void psp_topic_settings_move(psp_topic_settings *settings, psp_topic_settings *from, unsigned mask);
void psp_subscription_settings_move(psp_subscription_settings *settings,
                                    psp_subscription_settings *from, unsigned mask);

#endif
