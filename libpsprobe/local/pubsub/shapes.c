/* SPDX-License-Identifier: MIT */
#include "local/pubsub/shapes.h"

#define STRING(number, name) \
  { number, name, PSP_PROTO_STRING, NULL, false, NULL }
#define STRINGS(number, name) \
  { number, name, PSP_PROTO_STRING, NULL, true, NULL }
#define INT(number, name) \
  { number, name, PSP_PROTO_INT, NULL, false, NULL }
#define BOOL(number, name) \
  { number, name, PSP_PROTO_BOOL, NULL, false, NULL }
#define PAIRS(number, name) \
  { number, name, PSP_PROTO_PAIRS, NULL, false, NULL }
#define DURATION(number, name) \
  { number, name, PSP_PROTO_DURATION, NULL, false, NULL }
#define TIME(number, name) \
  { number, name, PSP_PROTO_TIME, NULL, false, NULL }
#define MASK(number, name) \
  { number, name, PSP_PROTO_MASK, NULL, false, NULL }
#define PART(number, name, of) \
  { number, name, PSP_PROTO_MESSAGE, of, false, NULL }
#define PARTS(number, name, of) \
  { number, name, PSP_PROTO_MESSAGE, of, true, NULL }

/* ---- topics ---- */

const psp_proto_field psp_shape_empty[] = {{0}};
static const psp_proto_field storage_policy[] = {
    STRINGS(1, "allowedPersistenceRegions"), BOOL(2, "enforceInTransit"), {0}};
static const char *const encodings[] = {"ENCODING_UNSPECIFIED", "JSON", "BINARY", NULL};
static const psp_proto_field schema[] = {STRING(1, "schema"),
                                         {2, "encoding", PSP_PROTO_ENUM, NULL, false, encodings},
                                         STRING(3, "firstRevisionId"),
                                         STRING(4, "lastRevisionId"),
                                         {0}};
/* Only that they are asked for is seen. */
#define UNBUILT(number, name) PART(number, name, psp_shape_empty)
const psp_proto_field psp_shape_topic[] = {STRING(1, "name"),
                                           PAIRS(2, "labels"),
                                           PART(3, "messageStoragePolicy", storage_policy),
                                           STRING(5, "kmsKeyName"),
                                           PART(6, "schemaSettings", schema),
                                           DURATION(8, "messageRetentionDuration"),
                                           UNBUILT(10, "ingestionDataSourceSettings"),
                                           PARTS(13, "messageTransforms", psp_shape_empty),
                                           {0}};
const psp_proto_field psp_shape_update_topic[] = {
    PART(1, "topic", psp_shape_topic), MASK(2, "updateMask"), {0}};
const psp_proto_field psp_shape_get_topic[] = {STRING(1, "topic"), {0}};
const psp_proto_field psp_shape_list[] = {
    STRING(1, "project"), INT(2, "pageSize"), STRING(3, "pageToken"), {0}};
const psp_proto_field psp_shape_topics[] = {
    PARTS(1, "topics", psp_shape_topic), STRING(2, "nextPageToken"), {0}};
const psp_proto_field psp_shape_list_of_topic[] = {
    STRING(1, "topic"), INT(2, "pageSize"), STRING(3, "pageToken"), {0}};
const psp_proto_field psp_shape_names[] = {
    STRINGS(1, "subscriptions"), STRING(2, "nextPageToken"), {0}};

/* ---- messages ---- */

static const psp_proto_field message[] = {{1, "data", PSP_PROTO_BYTES, NULL, false, NULL},
                                          PAIRS(2, "attributes"),
                                          STRING(3, "messageId"),
                                          TIME(4, "publishTime"),
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
                                                  BOOL(15, "detached"),
                                                  BOOL(16, "enableExactlyOnceDelivery"),
                                                  UNBUILT(18, "bigqueryConfig"),
                                                  UNBUILT(22, "cloudStorageConfig"),
                                                  PARTS(25, "messageTransforms", psp_shape_empty),
                                                  {0}};
const psp_proto_field psp_shape_update_subscription[] = {
    PART(1, "subscription", psp_shape_subscription), MASK(2, "updateMask"), {0}};
const psp_proto_field psp_shape_get_subscription[] = {STRING(1, "subscription"), {0}};
const psp_proto_field psp_shape_subscriptions[] = {
    PARTS(1, "subscriptions", psp_shape_subscription), STRING(2, "nextPageToken"), {0}};
const psp_proto_field psp_shape_push[] = {
    STRING(1, "subscription"), PART(2, "pushConfig", push), {0}};

/* ---- snapshots ---- */

const psp_proto_field psp_shape_snapshot[] = {
    STRING(1, "name"), STRING(2, "topic"), TIME(3, "expireTime"), PAIRS(4, "labels"), {0}};
const psp_proto_field psp_shape_create_snapshot[] = {
    STRING(1, "name"), STRING(2, "subscription"), PAIRS(3, "labels"), {0}};
const psp_proto_field psp_shape_update_snapshot[] = {
    PART(1, "snapshot", psp_shape_snapshot), MASK(2, "updateMask"), {0}};
const psp_proto_field psp_shape_get_snapshot[] = {STRING(1, "snapshot"), {0}};
const psp_proto_field psp_shape_snapshots[] = {
    PARTS(1, "snapshots", psp_shape_snapshot), STRING(2, "nextPageToken"), {0}};
const psp_proto_field psp_shape_snapshot_names[] = {
    STRINGS(1, "snapshots"), STRING(2, "nextPageToken"), {0}};
const psp_proto_field psp_shape_seek[] = {
    STRING(1, "subscription"), TIME(2, "time"), STRING(3, "snapshot"), {0}};

/* ---- policies (google/iam/v1) ---- */

static const psp_proto_field condition[] = {STRING(1, "expression"),
                                            STRING(2, "title"),
                                            STRING(3, "description"),
                                            STRING(4, "location"),
                                            {0}};
static const psp_proto_field binding[] = {
    STRING(1, "role"), STRINGS(2, "members"), PART(3, "condition", condition), {0}};
static const char *const log_types[] = {"LOG_TYPE_UNSPECIFIED", "ADMIN_READ", "DATA_WRITE",
                                        "DATA_READ", NULL};
static const psp_proto_field audit_log[] = {
    {1, "logType", PSP_PROTO_ENUM, NULL, false, log_types}, STRINGS(2, "exemptedMembers"), {0}};
static const psp_proto_field audit[] = {
    STRING(1, "service"), PARTS(3, "auditLogConfigs", audit_log), {0}};
const psp_proto_field psp_shape_policy[] = {INT(1, "version"),
                                            PARTS(4, "bindings", binding),
                                            PARTS(6, "auditConfigs", audit),
                                            {3, "etag", PSP_PROTO_BYTES, NULL, false, NULL},
                                            {0}};
const psp_proto_field psp_shape_get_policy[] = {STRING(1, "resource"), {0}};
const psp_proto_field psp_shape_set_policy[] = {
    STRING(1, "resource"), PART(2, "policy", psp_shape_policy), MASK(3, "updateMask"), {0}};
const psp_proto_field psp_shape_test_policy[] = {
    STRING(1, "resource"), STRINGS(2, "permissions"), {0}};
const psp_proto_field psp_shape_granted[] = {STRINGS(1, "permissions"), {0}};

/* google/rpc/error_details.proto */
const psp_proto_field psp_shape_error_info[] = {
    STRING(1, "reason"), STRING(2, "domain"), PAIRS(3, "metadata"), {0}};
