/* SPDX-License-Identifier: MIT */
#include "local/broker/shapes.h"

#define STRING(number, name) \
  { number, name, PSP_PROTO_STRING, NULL, false }
#define STRINGS(number, name) \
  { number, name, PSP_PROTO_STRING, NULL, true }
#define INT(number, name) \
  { number, name, PSP_PROTO_INT, NULL, false }
#define BOOL(number, name) \
  { number, name, PSP_PROTO_BOOL, NULL, false }
#define PAIRS(number, name) \
  { number, name, PSP_PROTO_PAIRS, NULL, false }
#define DURATION(number, name) \
  { number, name, PSP_PROTO_DURATION, NULL, false }
#define MASK(number, name) \
  { number, name, PSP_PROTO_MASK, NULL, false }
#define PART(number, name, of) \
  { number, name, PSP_PROTO_MESSAGE, of, false }
#define PARTS(number, name, of) \
  { number, name, PSP_PROTO_MESSAGE, of, true }

/* ---- topics ---- */

const psp_proto_field psp_shape_empty[] = {{0}};
static const psp_proto_field storage_policy[] = {
    STRINGS(1, "allowedPersistenceRegions"), BOOL(2, "enforceInTransit"), {0}};
const psp_proto_field psp_shape_topic[] = {STRING(1, "name"),
                                           PAIRS(2, "labels"),
                                           PART(3, "messageStoragePolicy", storage_policy),
                                           STRING(5, "kmsKeyName"),
                                           DURATION(8, "messageRetentionDuration"),
                                           {0}};
const psp_proto_field psp_shape_update_topic[] = {
    PART(1, "topic", psp_shape_topic), MASK(2, "updateMask"), {0}};
const psp_proto_field psp_shape_get_topic[] = {STRING(1, "topic"), {0}};
const psp_proto_field psp_shape_list_topics[] = {
    STRING(1, "project"), INT(2, "pageSize"), STRING(3, "pageToken"), {0}};
const psp_proto_field psp_shape_topics[] = {
    PARTS(1, "topics", psp_shape_topic), STRING(2, "nextPageToken"), {0}};
const psp_proto_field psp_shape_list_topic_subscriptions[] = {
    STRING(1, "topic"), INT(2, "pageSize"), STRING(3, "pageToken"), {0}};
const psp_proto_field psp_shape_names[] = {
    STRINGS(1, "subscriptions"), STRING(2, "nextPageToken"), {0}};

/* ---- messages ---- */

static const psp_proto_field message[] = {{1, "data", PSP_PROTO_BYTES, NULL, false},
                                          PAIRS(2, "attributes"),
                                          STRING(3, "messageId"),
                                          {4, "publishTime", PSP_PROTO_TIME, NULL, false},
                                          STRING(5, "orderingKey"),
                                          {0}};
static const psp_proto_field received[] = {
    STRING(1, "ackId"), PART(2, "message", message), INT(3, "deliveryAttempt"), {0}};
const psp_proto_field psp_shape_publish[] = {
    STRING(1, "topic"), PARTS(2, "messages", message), {0}};
const psp_proto_field psp_shape_published[] = {STRINGS(1, "messageIds"), {0}};
const psp_proto_field psp_shape_pull[] = {
    STRING(1, "subscription"), BOOL(2, "returnImmediately"), INT(3, "maxMessages"), {0}};
const psp_proto_field psp_shape_pulled[] = {PARTS(1, "receivedMessages", received), {0}};
const psp_proto_field psp_shape_acknowledge[] = {
    STRING(1, "subscription"), STRINGS(2, "ackIds"), {0}};
const psp_proto_field psp_shape_modify[] = {
    STRING(1, "subscription"), INT(3, "ackDeadlineSeconds"), STRINGS(4, "ackIds"), {0}};

/* ---- subscriptions ---- */

static const psp_proto_field oidc[] = {
    STRING(1, "serviceAccountEmail"), STRING(2, "audience"), {0}};
static const psp_proto_field no_wrapper[] = {BOOL(1, "writeMetadata"), {0}};
static const psp_proto_field push[] = {
    STRING(1, "pushEndpoint"),        PAIRS(2, "attributes"),
    PART(3, "oidcToken", oidc),       PART(4, "pubsubWrapper", psp_shape_empty),
    PART(5, "noWrapper", no_wrapper), {0}};
static const psp_proto_field expiration[] = {DURATION(1, "ttl"), {0}};
static const psp_proto_field dead_letter[] = {
    STRING(1, "deadLetterTopic"), INT(2, "maxDeliveryAttempts"), {0}};
static const psp_proto_field retry[] = {
    DURATION(1, "minimumBackoff"), DURATION(2, "maximumBackoff"), {0}};
const psp_proto_field psp_shape_subscription[] = {STRING(1, "name"),
                                                  STRING(2, "topic"),
                                                  PART(4, "pushConfig", push),
                                                  INT(5, "ackDeadlineSeconds"),
                                                  BOOL(7, "retainAckedMessages"),
                                                  DURATION(8, "messageRetentionDuration"),
                                                  PAIRS(9, "labels"),
                                                  BOOL(10, "enableMessageOrdering"),
                                                  PART(11, "expirationPolicy", expiration),
                                                  STRING(12, "filter"),
                                                  PART(13, "deadLetterPolicy", dead_letter),
                                                  PART(14, "retryPolicy", retry),
                                                  BOOL(16, "enableExactlyOnceDelivery"),
                                                  {0}};
const psp_proto_field psp_shape_update_subscription[] = {
    PART(1, "subscription", psp_shape_subscription), MASK(2, "updateMask"), {0}};
const psp_proto_field psp_shape_get_subscription[] = {STRING(1, "subscription"), {0}};
const psp_proto_field psp_shape_list_subscriptions[] = {
    STRING(1, "project"), INT(2, "pageSize"), STRING(3, "pageToken"), {0}};
const psp_proto_field psp_shape_subscriptions[] = {
    PARTS(1, "subscriptions", psp_shape_subscription), STRING(2, "nextPageToken"), {0}};
const psp_proto_field psp_shape_push[] = {
    STRING(1, "subscription"), PART(2, "pushConfig", push), {0}};
