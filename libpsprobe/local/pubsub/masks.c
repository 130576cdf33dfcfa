/* SPDX-License-Identifier: MIT */
#include "local/pubsub/masks.h"

#include <ctype.h>

#include "base/error.h"
#include "base/text.h"
#include "local/broker/settings.h"

/* What is no bit: a field that cannot change, and one that is not built here. */
#define FIXED   0x10000U
#define UNBUILT 0x20000U

/* A field, in snake_case; a table ends with one without a path. */
typedef struct field {
  const char *path;
  unsigned bit;
} field;

typedef struct kind {
  const char *name;    /* "Topic" */
  const char *example; /* what the emulator shows as the right spelling, and as the wrong one */
  const char *wrong;
  field fields[20];
} kind;

/* The next path of a mask, in snake_case, as Google's messages show it. False: none is left. */
static bool next_path(const char **at, char *path, size_t size) {
  size_t n = 0;
  while (**at == ',')
    (*at)++;
  if (!**at) return false;
  for (; **at && **at != ','; (*at)++) {
    if (isupper((unsigned char)**at) && n + 1 < size) path[n++] = '_';
    if (n + 1 < size) path[n++] = (char)tolower((unsigned char)**at);
  }
  path[n] = '\0';
  return true;
}

static psprobe_code take(const kind *of, const char *path, unsigned *mask, psprobe_error *error) {
  const field *found = of->fields;
  while (found->path != NULL && !psp_text_equal(found->path, path))
    found++;
  if (found->path == NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "Invalid update_mask provided in the Update%sRequest: %s is not a known %s "
                    "field. Note that field paths must be of the form '%s' rather than '%s'.",
                    of->name, path, of->name, of->example, of->wrong);
  if (found->bit == FIXED)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "Invalid update_mask provided in the Update%sRequest: the %s field in the %s "
                    "is not mutable.",
                    of->name, path, of->name);
  if (found->bit == UNBUILT)
    return psp_fail(error, PSPROBE_UNIMPLEMENTED, "This stand-in has no %s.", path);
  *mask |= found->bit;
  return PSPROBE_OK;
}

static psprobe_code parse(const kind *of, const char *text, unsigned *mask, psprobe_error *error) {
  char path[128];
  psprobe_code code = PSPROBE_OK;
  *mask = 0;
  for (const char *at = text != NULL ? text : "";
       code == PSPROBE_OK && next_path(&at, path, sizeof path);)
    code = take(of, path, mask, error);
  if (code != PSPROBE_OK || *mask != 0) return code;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "The update_mask in the Update%sRequest must be set, and must contain a "
                  "non-empty paths list.",
                  of->name);
}

psprobe_code psp_topic_mask_parse(const char *text, unsigned *mask, psprobe_error *error) {
  static const kind topic = {"Topic",
                             "schema_settings",
                             "schemaSetings", /* (sic) */
                             {{"labels", PSP_TOPIC_LABELS},
                              {"message_retention_duration", PSP_TOPIC_RETENTION},
                              {"schema_settings", PSP_TOPIC_SCHEMA},
                              {"message_storage_policy", PSP_TOPIC_STORAGE},
                              {"kms_key_name", PSP_TOPIC_KMS_KEY},
                              {"name", FIXED},
                              {"ingestion_data_source_settings", UNBUILT},
                              {"message_transforms", UNBUILT}}};
  return parse(&topic, text, mask, error);
}

psprobe_code psp_subscription_mask_parse(const char *text, unsigned *mask, psprobe_error *error) {
  static const kind subscription = {"Subscription",
                                    "push_config",
                                    "pushConfig",
                                    {{"ack_deadline_seconds", PSP_SUB_ACK_DEADLINE},
                                     {"push_config", PSP_SUB_PUSH},
                                     {"retry_policy", PSP_SUB_RETRY},
                                     {"dead_letter_policy", PSP_SUB_DEAD_LETTER},
                                     {"retain_acked_messages", PSP_SUB_RETAIN},
                                     {"message_retention_duration", PSP_SUB_RETENTION},
                                     {"enable_exactly_once_delivery", PSP_SUB_EXACTLY_ONCE},
                                     {"labels", PSP_SUB_LABELS},
                                     {"expiration_policy", PSP_SUB_EXPIRATION},
                                     {"name", FIXED},
                                     {"topic", FIXED},
                                     {"enable_message_ordering", FIXED},
                                     {"filter", FIXED},
                                     {"bigquery_config", UNBUILT},
                                     {"cloud_storage_config", UNBUILT},
                                     {"message_transforms", UNBUILT}}};
  return parse(&subscription, text, mask, error);
}

psprobe_code psp_snapshot_mask_parse(const char *text, unsigned *mask, psprobe_error *error) {
  static const kind snapshot = {"Snapshot",
                                "expire_time",
                                "expireTime",
                                {{"labels", PSP_SNAPSHOT_LABELS},
                                 {"expire_time", PSP_SNAPSHOT_EXPIRES},
                                 {"name", FIXED},
                                 {"topic", FIXED}}};
  return parse(&snapshot, text, mask, error);
}
