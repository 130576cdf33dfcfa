/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_ADMIN_SETTINGS_H
#define PSP_PUBSUB_ADMIN_SETTINGS_H
/**
 * @file
 * What the settings of topics, subscriptions and snapshots have in common: their bounds, how they
 * are written, and the memory of those that were read. Pure.
 * Source: https://cloud.google.com/pubsub/docs/reference/rest
 */
#include <psprobe/pubsub_admin.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "os/clock.h"

#define PSP_MINUTE_NS (60 * PSP_SECOND_NS)
#define PSP_DAY_NS    (24 * 60 * PSP_MINUTE_NS)
/** pubsub.proto, Topic.message_retention_duration, and Subscription's. */
#define PSP_RETENTION_LEAST_NS (10 * PSP_MINUTE_NS)
#define PSP_RETENTION_MOST_NS  (31 * PSP_DAY_NS)

/** One setting of many: what of it an update changes, and how it is written. */
typedef struct psp_admin_field {
  unsigned bit;
  const char *name; /**< in JSON and in a mask: "pushConfig" */
  /** Writes the member, or nothing where it is its default, which is how a mask clears it. */
  void (*put)(psp_json_writer *w, const char *name, const void *config);
} psp_admin_field;

/** Writes those of `bits`, as members. */
void psp_admin_fields_put(const psp_admin_field *fields, size_t count, unsigned bits,
                          const void *config, psp_json_writer *w);
/** Adds "a,b" of `bits`. */
void psp_admin_fields_mask(const psp_admin_field *fields, size_t count, unsigned bits,
                           psp_buf *out);
/** INVALID_ARGUMENT: no bit at all, or one that is none of them. */
psprobe_code psp_admin_fields_check(const psp_admin_field *fields, size_t count, unsigned bits,
                                    psprobe_error *error);

/** "600s", or "0.100s"; nothing for 0. */
void psp_put_seconds(psp_json_writer *w, const char *name, int64_t ns);
/** @return its ns; 0: it is not there, or no duration that there could be */
int64_t psp_read_seconds(const psp_json *json);
/** INVALID_ARGUMENT where it is neither 0 nor within its bounds. @param what "retention" */
psprobe_code psp_seconds_check(const char *what, int64_t ns, int64_t least, int64_t most,
                               psprobe_error *error);

/** Writes it as RFC 3339. @return INVALID_ARGUMENT: it is before the year 1 or after 9999 */
psprobe_code psp_time_write(char out[PSP_TIMESTAMP_SIZE], psprobe_timestamp time,
                            psprobe_error *error);

void psp_put_labels(psp_json_writer *w, const psprobe_attribute *labels, size_t count);
/** @return INVALID_ARGUMENT: what Google would refuse
 *  (https://cloud.google.com/resource-manager/docs/creating-managing-labels#requirements) */
psprobe_code psp_labels_check(const psprobe_attribute *labels, size_t count, psprobe_error *error);

/** JSON that goes to the service as it is, a member; NULL: nothing. */
void psp_put_passed(psp_json_writer *w, const char *name, const char *json);
/** INVALID_ARGUMENT: no JSON object; NULL is fine. */
psprobe_code psp_passed_check(const char *what, const char *json, psprobe_error *error);

/** What was read: texts lie in `json`, the rest beside it. Valid when zeroed. */
typedef struct psp_admin_memory {
  psp_json *json;
  psprobe_attribute *labels;
  const char **regions;
  char *passed[2];
  bool failed; /**< no memory */
} psp_admin_memory;

/** Reads an answer. @return PSPROBE_OK; INTERNAL: no JSON object; RESOURCE_EXHAUSTED: memory */
psprobe_code psp_admin_memory_read(const char *body, size_t len, const char *what,
                                   psp_admin_memory **memory, psprobe_error *error);
void psp_admin_memory_free(psp_admin_memory *memory);
/** The labels, once. */
const psprobe_attribute *psp_admin_labels(psp_admin_memory *memory, size_t *count);
/** A member as JSON text; NULL: it is not there. @param which 0 or 1: its place in the memory */
const char *psp_admin_passed(psp_admin_memory *memory, int which, const char *name);
/** A text; NULL: none, or an empty one. */
const char *psp_admin_text(const psp_json *json, const char *name);

#endif
