/* SPDX-License-Identifier: MIT */
#include "local/broker/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "local/broker/endpoint.h"
#include "local/broker/filter.h"
#include "pubsub/fit.h"

#define DEFAULT_ACK_DEADLINE_S 10
#define MAX_ACK_DEADLINE_S     600
#define MIN_ATTEMPTS           5
#define MAX_ATTEMPTS           100
#define MIN_RETENTION_S        600
#define DEFAULT_RETENTION_S    (7 * 86400)
#define MAX_RETENTION_S        (31 * 86400)
#define MAX_BACKOFF_S          600

bool psp_pairs_put(psp_pairs *pairs, const char *key, const char *value) {
  char *copy = psp_strdup(value);
  if (copy == NULL) return false;
  for (size_t i = 0; i < pairs->count; i++) {
    if (strcmp(pairs->items[i].key, key) != 0) continue;
    free((char *)pairs->items[i].value);
    pairs->items[i].value = copy;
    return true;
  }
  psp_pair *items = realloc(pairs->items, (pairs->count + 1) * sizeof *items);
  char *name = psp_strdup(key);
  if (items != NULL) pairs->items = items;
  if (items == NULL || name == NULL) {
    free(copy);
    free(name);
    return false;
  }
  items[pairs->count++] = (psp_pair){name, copy};
  return true;
}

void psp_pairs_free(psp_pairs *pairs) {
  for (size_t i = 0; i < pairs->count; i++) {
    free((char *)pairs->items[i].key);
    free((char *)pairs->items[i].value);
  }
  free(pairs->items);
  *pairs = (psp_pairs){0};
}

int64_t psp_span_ns(psp_span span) {
  if (span.seconds > INT64_MAX / 1000000000 - 1) return INT64_MAX;
  if (span.seconds < INT64_MIN / 1000000000 + 1) return INT64_MIN;
  return span.seconds * 1000000000 + span.nanos;
}

bool psp_span_parse(const char *text, psp_span *out) {
  bool negative = *text == '-';
  if (negative) text++;
  char whole[20];
  size_t digits = strspn(text, "0123456789"), scale = 0;
  int64_t seconds;
  if (digits == 0 || digits >= sizeof whole) return false;
  memcpy(whole, text, digits);
  whole[digits] = '\0';
  if (!psp_parse_int64(whole, 0, INT64_C(315576000000), &seconds)) return false;
  text += digits;
  int32_t nanos = 0;
  if (*text == '.') {
    for (text++; isdigit((unsigned char)*text) && scale < 9; text++, scale++)
      nanos = nanos * 10 + (*text - '0');
    if (scale == 0) return false;
    for (; scale < 9; scale++)
      nanos *= 10;
  }
  if (strcmp(text, "s") != 0) return false;
  *out = (psp_span){true, negative ? -seconds : seconds, negative ? -nanos : nanos};
  return true;
}

char *psp_span_format(char out[PSP_SPAN_SIZE], psp_span span) {
  bool negative = span.seconds < 0 || span.nanos < 0;
  int32_t nanos = negative ? -span.nanos : span.nanos;
  int at = snprintf(out, PSP_SPAN_SIZE, "%s%lld", negative ? "-" : "",
                    (long long)(negative ? -span.seconds : span.seconds));
  if (nanos % 1000000 == 0 && nanos)
    at += snprintf(out + at, PSP_SPAN_SIZE - (size_t)at, ".%03d", (int)(nanos / 1000000));
  else if (nanos % 1000 == 0 && nanos)
    at += snprintf(out + at, PSP_SPAN_SIZE - (size_t)at, ".%06d", (int)(nanos / 1000));
  else if (nanos)
    at += snprintf(out + at, PSP_SPAN_SIZE - (size_t)at, ".%09d", (int)nanos);
  snprintf(out + at, PSP_SPAN_SIZE - (size_t)at, "s");
  return out;
}

void psp_topic_settings_free(psp_topic_settings *settings) {
  free(settings->name);
  psp_pairs_free(&settings->labels);
  free(settings->storage_policy);
  free(settings->kms_key);
  free(settings->schema);
  *settings = (psp_topic_settings){0};
}

void psp_snapshot_settings_free(psp_snapshot_settings *settings) {
  free(settings->name);
  free(settings->topic);
  psp_pairs_free(&settings->labels);
  *settings = (psp_snapshot_settings){0};
}

static void free_push(psp_push_settings *push) {
  free(push->endpoint);
  psp_pairs_free(&push->attributes);
  free(push->account);
  free(push->audience);
  *push = (psp_push_settings){0};
}

void psp_subscription_settings_free(psp_subscription_settings *settings) {
  free(settings->name);
  free(settings->topic);
  free_push(&settings->push);
  psp_pairs_free(&settings->labels);
  free(settings->filter);
  free(settings->dead_letter_topic);
  *settings = (psp_subscription_settings){0};
}

/* pubsub.proto, Topic.name: 3 to 255 characters, a letter first, not beginning "goog". */
static bool id_valid(const char *id) {
  size_t len = strlen(id);
  if (len < 3 || len > 255 || !isalpha((unsigned char)id[0]) || strncmp(id, "goog", 4) == 0)
    return false;
  for (; *id; id++)
    if (!isalnum((unsigned char)*id) && strchr("-_.~+%", *id) == NULL) return false;
  return true;
}

psprobe_code psp_resource_check(const char *kind, const char *name, psprobe_error *error) {
  const char *text = name != NULL ? name : "";
  const char *project = psp_text_starts(text, "projects/") ? text + 9 : NULL;
  const char *slash = project != NULL ? strchr(project, '/') : NULL;
  size_t kind_len = strlen(kind);
  if (slash != NULL && slash > project && strncmp(slash + 1, kind, kind_len) == 0 &&
      slash[1 + kind_len] == '/' && id_valid(slash + kind_len + 2))
    return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Invalid [%s] name: (name=%s)", kind, text);
}

static psprobe_code check_push(const psp_push_settings *push, psprobe_error *error) {
  psp_buf url = {0};
  bool fits = push->endpoint == NULL || psp_endpoint_url(&url, push->endpoint);
  psp_buf_free(&url);
  if (fits) return PSPROBE_OK;
  return psp_fail(
      error, PSPROBE_INVALID_ARGUMENT, "%s push_endpoint",
      psp_text_starts(push->endpoint, "http://") || psp_text_starts(push->endpoint, "https://")
          ? "Invalid"
          : "Unsupported");
}

static psprobe_code check_dead_letter(psp_subscription_settings *settings, psprobe_error *error) {
  if (!settings->has_dead_letter) return PSPROBE_OK;
  if (settings->max_attempts == 0) settings->max_attempts = MIN_ATTEMPTS;
  if (settings->max_attempts < MIN_ATTEMPTS)
    return psp_fail(error, PSPROBE_OUT_OF_RANGE,
                    "The value for max_delivery_attempts is too small. You passed %d in the "
                    "request, but the minimum value is %d.",
                    settings->max_attempts, MIN_ATTEMPTS);
  if (settings->max_attempts > MAX_ATTEMPTS)
    return psp_fail(error, PSPROBE_OUT_OF_RANGE,
                    "The value for max_delivery_attempts is too large. You passed %d in the "
                    "request, but the maximum value is %d.",
                    settings->max_attempts, MAX_ATTEMPTS);
  return PSPROBE_OK;
}

static psprobe_code check_backoff(const char *which, psp_span span, psprobe_error *error) {
  int64_t ns = psp_span_ns(span);
  if (ns >= 0 && ns <= MAX_BACKOFF_S * INT64_C(1000000000)) return PSPROBE_OK;
  char text[PSP_SPAN_SIZE];
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "The value for %s_backoff is out of bounds. You passed %s in the request, but "
                  "the value must be between 0s and %ds.",
                  which, psp_span_format(text, span), MAX_BACKOFF_S);
}

static psprobe_code check_retry(psp_subscription_settings *settings, psprobe_error *error) {
  if (!settings->has_retry) return PSPROBE_OK;
  psp_span *min = &settings->retry_min, *max = &settings->retry_max;
  if (!min->set) *min = (psp_span){true, 10, 0};
  if (!max->set) *max = (psp_span){true, MAX_BACKOFF_S, 0};
  psprobe_code code = check_backoff("minimum", *min, error);
  if (code == PSPROBE_OK) code = check_backoff("maximum", *max, error);
  if (code != PSPROBE_OK || psp_span_ns(*min) <= psp_span_ns(*max)) return code;
  char least[PSP_SPAN_SIZE], passed[PSP_SPAN_SIZE];
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "The value for maximum_backoff is too small. You passed %s in the request, but "
                  "the minimum value is %s.",
                  psp_span_format(passed, *max), psp_span_format(least, *min));
}

static psprobe_code check_retention(psp_span span, psprobe_error *error) {
  int64_t ns = psp_span_ns(span);
  if (ns >= MIN_RETENTION_S * INT64_C(1000000000) && ns <= MAX_RETENTION_S * INT64_C(1000000000))
    return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "message_retention_duration out of bounds");
}

static psprobe_code check_built(const char *unbuilt, psprobe_error *error) {
  if (unbuilt == NULL) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_UNIMPLEMENTED, "This stand-in has no %s.", unbuilt);
}

psprobe_code psp_topic_settings_check(const psp_topic_settings *settings, psprobe_error *error) {
  psprobe_code code = psp_resource_check("topics", settings->name, error);
  if (code == PSPROBE_OK) code = check_built(settings->unbuilt, error);
  if (code != PSPROBE_OK || !settings->retention.set) return code;
  return check_retention(settings->retention, error);
}

psprobe_code psp_subscription_settings_check(psp_subscription_settings *settings,
                                             psprobe_error *error) {
  psprobe_code code = psp_resource_check("subscriptions", settings->name, error);
  if (code == PSPROBE_OK && !psp_text_equal(settings->topic, PSP_DELETED_TOPIC))
    code = psp_resource_check("topics", settings->topic, error);
  if (code == PSPROBE_OK) code = check_built(settings->unbuilt, error);
  if (code != PSPROBE_OK) return code;
  if (settings->ack_deadline_s == 0) settings->ack_deadline_s = DEFAULT_ACK_DEADLINE_S;
  if (settings->ack_deadline_s < 0 || settings->ack_deadline_s > MAX_ACK_DEADLINE_S)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "ack_deadline_secs out of bounds");
  if (!settings->retention.set) settings->retention = (psp_span){true, DEFAULT_RETENTION_S, 0};
  code = check_retention(settings->retention, error);
  if (code == PSPROBE_OK) code = check_push(&settings->push, error);
  if (code == PSPROBE_OK) code = check_dead_letter(settings, error);
  if (code == PSPROBE_OK) code = check_retry(settings, error);
  if (code == PSPROBE_OK && settings->filter != NULL && *settings->filter != 0)
    code = psp_broker_filter_check(settings->filter, error);
  return code;
}

#define SWAP(type, a, b) \
  do {                   \
    type kept = (a);     \
    (a) = (b);           \
    (b) = kept;          \
  } while (0)

void psp_topic_settings_move(psp_topic_settings *settings, psp_topic_settings *from,
                             unsigned mask) {
  if (mask & PSP_TOPIC_LABELS) SWAP(psp_pairs, settings->labels, from->labels);
  if (mask & PSP_TOPIC_RETENTION) settings->retention = from->retention;
  if (mask & PSP_TOPIC_SCHEMA) SWAP(char *, settings->schema, from->schema);
  if (mask & PSP_TOPIC_STORAGE) SWAP(char *, settings->storage_policy, from->storage_policy);
  if (mask & PSP_TOPIC_KMS_KEY) SWAP(char *, settings->kms_key, from->kms_key);
}

void psp_subscription_settings_move(psp_subscription_settings *settings,
                                    psp_subscription_settings *from, unsigned mask) {
  if (mask & PSP_SUB_ACK_DEADLINE) settings->ack_deadline_s = from->ack_deadline_s;
  if (mask & PSP_SUB_PUSH) SWAP(psp_push_settings, settings->push, from->push);
  if (mask & PSP_SUB_RETRY) {
    settings->has_retry = from->has_retry;
    settings->retry_min = from->retry_min;
    settings->retry_max = from->retry_max;
  }
  if (mask & PSP_SUB_DEAD_LETTER) {
    settings->has_dead_letter = from->has_dead_letter;
    SWAP(char *, settings->dead_letter_topic, from->dead_letter_topic);
    settings->max_attempts = from->max_attempts;
  }
  if (mask & PSP_SUB_RETAIN) settings->retain_acked = from->retain_acked;
  if (mask & PSP_SUB_RETENTION) settings->retention = from->retention;
  if (mask & PSP_SUB_EXACTLY_ONCE) settings->exactly_once = from->exactly_once;
  if (mask & PSP_SUB_LABELS) SWAP(psp_pairs, settings->labels, from->labels);
  if (mask & PSP_SUB_EXPIRATION) {
    settings->has_expiration = from->has_expiration;
    settings->expiration = from->expiration;
  }
}
