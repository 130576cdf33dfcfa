/* SPDX-License-Identifier: MIT */
#include "pubsub/admin/subscription.h"

#include <string.h>

#include "base/error.h"
#include "base/shown.h"
#include "http/url.h"
#include "pubsub/parts.h"

/* pubsub.proto, DeadLetterPolicy, RetryPolicy, ExpirationPolicy */
#define EXPIRATION_LEAST_NS PSP_DAY_NS
#define EXPIRATION_MOST_NS  (100 * 365 * PSP_DAY_NS)
#define ATTEMPTS_LEAST      5
#define ATTEMPTS_MOST       100
#define RETRY_MOST_NS       (600 * PSP_SECOND_NS)
#define RETRY_LEAST_NS      (10 * PSP_SECOND_NS) /* the default of its minimum */

typedef psprobe_subscription_config config_t;

/* ---- written ---- */

static void put_deadline(psp_json_writer *w, const char *name, const void *config) {
  const int seconds = ((const config_t *)config)->ack_deadline_s;
  if (seconds > 0) psp_json_put_int64_member(w, name, seconds);
}

static void put_push(psp_json_writer *w, const char *name, const void *config) {
  const config_t *c = config;
  if (c->push_endpoint == NULL) return;
  psp_json_begin_object_member(w, name);
  psp_json_put_member(w, "pushEndpoint", c->push_endpoint);
  if (c->push_account != NULL) {
    psp_json_begin_object_member(w, "oidcToken");
    psp_json_put_member(w, "serviceAccountEmail", c->push_account);
    psp_json_put_member(w, "audience", c->push_audience);
    psp_json_end_object(w);
  }
  if (c->push_no_wrapper) {
    psp_json_begin_object_member(w, "noWrapper");
    if (c->push_write_metadata) psp_json_put_bool_member(w, "writeMetadata", true);
    psp_json_end_object(w);
  }
  psp_json_end_object(w);
}

static void put_flag(psp_json_writer *w, const char *name, bool flag) {
  if (flag) psp_json_put_bool_member(w, name, true);
}

static void put_exactly_once(psp_json_writer *w, const char *name, const void *config) {
  put_flag(w, name, ((const config_t *)config)->exactly_once);
}

static void put_retain(psp_json_writer *w, const char *name, const void *config) {
  put_flag(w, name, ((const config_t *)config)->retain_acked);
}

static void put_retention(psp_json_writer *w, const char *name, const void *config) {
  psp_put_seconds(w, name, ((const config_t *)config)->retention_ns);
}

/* A policy without a time is: never. */
static void put_expiration(psp_json_writer *w, const char *name, const void *config) {
  const int64_t ns = ((const config_t *)config)->expiration_ns;
  if (ns == 0) return;
  psp_json_begin_object_member(w, name);
  psp_put_seconds(w, "ttl", ns);
  psp_json_end_object(w);
}

/* Its topic is in full here. */
static void put_dead_letter(psp_json_writer *w, const char *name, const void *config) {
  const config_t *c = config;
  if (c->dead_letter_topic == NULL) return;
  psp_json_begin_object_member(w, name);
  psp_json_put_member(w, "deadLetterTopic", c->dead_letter_topic);
  if (c->max_delivery_attempts > 0)
    psp_json_put_int64_member(w, "maxDeliveryAttempts", c->max_delivery_attempts);
  psp_json_end_object(w);
}

static void put_retry(psp_json_writer *w, const char *name, const void *config) {
  const config_t *c = config;
  if (c->retry_min_ns == 0 && c->retry_max_ns == 0) return;
  psp_json_begin_object_member(w, name);
  psp_put_seconds(w, "minimumBackoff", c->retry_min_ns);
  psp_put_seconds(w, "maximumBackoff", c->retry_max_ns);
  psp_json_end_object(w);
}

static void put_labels(psp_json_writer *w, const char *name, const void *config) {
  const config_t *c = config;
  (void)name;
  psp_put_labels(w, c->labels, c->label_count);
}

static void put_bigquery(psp_json_writer *w, const char *name, const void *config) {
  psp_put_passed(w, name, ((const config_t *)config)->bigquery);
}

static void put_cloud_storage(psp_json_writer *w, const char *name, const void *config) {
  psp_put_passed(w, name, ((const config_t *)config)->cloud_storage);
}

const psp_admin_field psp_subscription_fields[PSP_SUBSCRIPTION_FIELDS] = {
    {PSPROBE_SUBSCRIPTION_PUSH, "pushConfig", put_push},
    {PSPROBE_SUBSCRIPTION_ACK_DEADLINE, "ackDeadlineSeconds", put_deadline},
    {PSPROBE_SUBSCRIPTION_RETAIN_ACKED, "retainAckedMessages", put_retain},
    {PSPROBE_SUBSCRIPTION_RETENTION, "messageRetentionDuration", put_retention},
    {PSPROBE_SUBSCRIPTION_LABELS, "labels", put_labels},
    {PSPROBE_SUBSCRIPTION_EXPIRATION, "expirationPolicy", put_expiration},
    {PSPROBE_SUBSCRIPTION_DEAD_LETTER, "deadLetterPolicy", put_dead_letter},
    {PSPROBE_SUBSCRIPTION_RETRY, "retryPolicy", put_retry},
    {PSPROBE_SUBSCRIPTION_EXACTLY_ONCE, "enableExactlyOnceDelivery", put_exactly_once},
    {PSPROBE_SUBSCRIPTION_BIGQUERY, "bigqueryConfig", put_bigquery},
    {PSPROBE_SUBSCRIPTION_CLOUD_STORAGE, "cloudStorageConfig", put_cloud_storage},
};

void psp_subscription_encode(psp_buf *out, const char *topic, const char *dead_letter_topic,
                             const psprobe_subscription_config *config) {
  psprobe_subscription_config full = *config;
  psp_json_writer w = {.buf = out};
  full.dead_letter_topic = dead_letter_topic;
  psp_json_begin_object(&w);
  psp_json_put_member(&w, "topic", topic);
  psp_admin_fields_put(psp_subscription_fields, PSP_SUBSCRIPTION_FIELDS, ~0U, &full, &w);
  put_flag(&w, "enableMessageOrdering", config->enable_ordering);
  psp_json_put_member(&w, "filter", config->filter);
  psp_json_end_object(&w);
}

void psp_push_config_encode(psp_buf *out, const psprobe_subscription_config *config) {
  psp_json_writer w = {.buf = out};
  psp_json_begin_object(&w);
  if (config->push_endpoint != NULL) {
    put_push(&w, "pushConfig", config);
  } else {
    psp_json_begin_object_member(&w, "pushConfig");
    psp_json_end_object(&w);
  }
  psp_json_end_object(&w);
}

/* ---- checked ---- */

psprobe_code psp_push_check(const psprobe_subscription_config *c, psprobe_error *error) {
  const char *why = NULL;
  if (c->push_endpoint != NULL && !psp_http_url_check(c->push_endpoint, &why))
    return psp_setting_refuse(error, "push endpoint", c->push_endpoint, "%s", why);
  if (c->push_endpoint == NULL && (c->push_account != NULL || c->push_audience != NULL))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "a push account or audience is given, and no push endpoint");
  if (c->push_account == NULL && c->push_audience != NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "a push audience is given, and no push account that would sign for it");
  if ((c->push_no_wrapper && c->push_endpoint == NULL) ||
      (c->push_write_metadata && !c->push_no_wrapper))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "no wrapper is of a push endpoint, and metadata as headers of no wrapper");
  return PSPROBE_OK;
}

static psprobe_code check_retry(const psprobe_subscription_config *c, psprobe_error *error) {
  const int64_t least = c->retry_min_ns != 0 ? c->retry_min_ns : RETRY_LEAST_NS;
  psprobe_code code =
      psp_seconds_check("minimum backoff", c->retry_min_ns, 1, RETRY_MOST_NS, error);
  if (code == PSPROBE_OK)
    code = psp_seconds_check("maximum backoff", c->retry_max_ns, least, RETRY_MOST_NS, error);
  return code;
}

static psprobe_code check_dead_letter(const psprobe_subscription_config *c, psprobe_error *error) {
  const int attempts = c->max_delivery_attempts;
  if (attempts == 0) return PSPROBE_OK;
  if (c->dead_letter_topic == NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "delivery attempts are bounded, and no dead letter topic is named");
  if (attempts >= ATTEMPTS_LEAST && attempts <= ATTEMPTS_MOST) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%d to %d delivery attempts, not %d",
                  ATTEMPTS_LEAST, ATTEMPTS_MOST, attempts);
}

static psprobe_code check_times(const psprobe_subscription_config *c, bool emulator,
                                psprobe_error *error) {
  if (!psp_ack_deadline_check(c->ack_deadline_s, emulator))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "an ack deadline has %d to %d s, not %d",
                    PSP_DEADLINE_MIN_S, PSP_DEADLINE_MAX_S, c->ack_deadline_s);
  psprobe_code code = psp_seconds_check("retention", c->retention_ns, PSP_RETENTION_LEAST_NS,
                                        PSP_RETENTION_MOST_NS, error);
  if (code == PSPROBE_OK && c->expiration_ns != PSPROBE_EXPIRES_NEVER)
    code = psp_seconds_check("expiration", c->expiration_ns, EXPIRATION_LEAST_NS,
                             EXPIRATION_MOST_NS, error);
  return code == PSPROBE_OK ? check_retry(c, error) : code;
}

psprobe_code psp_subscription_check(const psprobe_subscription_config *c, bool emulator,
                                    psprobe_error *error) {
  psprobe_code code = psp_push_check(c, error);
  if (code == PSPROBE_OK) code = check_times(c, emulator, error);
  if (code == PSPROBE_OK) code = check_dead_letter(c, error);
  if (code == PSPROBE_OK) code = psp_labels_check(c->labels, c->label_count, error);
  if (code == PSPROBE_OK && c->filter != NULL && strlen(c->filter) > PSP_FILTER_BYTES)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a filter has at most %d bytes, not %zu",
                    PSP_FILTER_BYTES, strlen(c->filter));
  if (code == PSPROBE_OK) code = psp_passed_check("bigquery", c->bigquery, error);
  if (code == PSPROBE_OK) code = psp_passed_check("cloud_storage", c->cloud_storage, error);
  return code;
}
