/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_PUBSUB_ADMIN_H
#define PSPROBE_PUBSUB_ADMIN_H
/**
 * @file
 * Topics, subscriptions and snapshots of Cloud Pub/Sub, and who may do what with them: all that its
 * REST interface has (https://cloud.google.com/pubsub/docs/reference/rest).
 *
 * What a call would be refused for is refused here, before it is sent, with the bound named. Where
 * Google's emulator is behind the service (docs/architecture.md), it answers UNIMPLEMENTED or
 * INVALID_ARGUMENT.
 *
 * Besides the codes that a call names it can return those that psprobe/pubsub.h names for all.
 * Every name is an id or in full, and one that cannot be is INVALID_ARGUMENT.
 *
 * Ownership: what is given is borrowed until the call returns; what is received is the caller's.
 * Threading: any thread may call, but none may still use an object that is being freed.
 * Blocks: up to its timeout, or the client's.
 */
#include <psprobe/pubsub.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One name of a listing, in full, borrowed until it returns. False ends the listing. */
typedef bool psprobe_name_each(void *arg, const char *name);

/* ---- topics ---- */

/** A topic's settings; valid when zeroed. */
typedef struct psprobe_topic_config {
  const psprobe_attribute *labels; /**< up to 64 */
  size_t label_count;
  int64_t retention_ns;        /**< of messages, for a seek: 10 min to 31 days; 0: none are kept */
  const char *schema;          /**< in full; NULL: none */
  const char *schema_encoding; /**< "JSON" or "BINARY" */
  const char *first_revision;  /**< of the schema, the oldest allowed; NULL: any */
  const char *last_revision;   /**< the newest allowed; NULL: any */
  const char *kms_key;         /**< in full; NULL: Google's own keys */
  const char *const *regions;  /**< where messages may be stored; none: anywhere */
  size_t region_count;
  bool enforce_in_transit; /**< publishing elsewhere fails */
  const char *ingestion;   /**< ingestionDataSourceSettings, a JSON object passed on; NULL: none */
} psprobe_topic_config;

/** Which settings of a topic an update changes. */
enum {
  PSPROBE_TOPIC_LABELS = 1 << 0,
  PSPROBE_TOPIC_RETENTION = 1 << 1,
  PSPROBE_TOPIC_SCHEMA = 1 << 2,
  PSPROBE_TOPIC_STORAGE = 1 << 3, /**< regions, enforce_in_transit */
  PSPROBE_TOPIC_KMS_KEY = 1 << 4,
  PSPROBE_TOPIC_INGESTION = 1 << 5
};

/** What the service says of a topic. */
typedef struct psprobe_topic_info {
  const char *name;  /**< in full */
  const char *state; /**< "ACTIVE"; NULL: not told */
  psprobe_topic_config config;
  void *memory; /**< that all of it lies in */
} psprobe_topic_info;

/**
 * Creates a topic. One that is there already, whatever its settings, is success.
 * @param topic      its id, or its full name
 * @param config     may be NULL: all defaults
 * @param timeout_ns of all attempts; 0: the client's
 * @param existed    receives whether it was there already; may be NULL
 * @return PSPROBE_OK; INVALID_ARGUMENT for a name or a setting that cannot be
 */
PSPROBE_API psprobe_code psprobe_topic_create(psprobe_client *client, const char *topic,
                                              const psprobe_topic_config *config,
                                              int64_t timeout_ns, bool *existed,
                                              psprobe_error *error);
/**
 * Asks whether a topic is there.
 * @param topic      its id, or its full name
 * @param timeout_ns of all attempts; 0: the client's
 * @return PSPROBE_OK when it is; NOT_FOUND when not
 */
PSPROBE_API psprobe_code psprobe_topic_exists(psprobe_client *client, const char *topic,
                                              int64_t timeout_ns, psprobe_error *error);
/**
 * Asks what a topic is like.
 * @param topic      its id, or its full name
 * @param timeout_ns of all attempts; 0: the client's
 * @param info       receives it; untouched on failure
 * @return PSPROBE_OK; NOT_FOUND when it is not there
 * Ownership: free `info` with psprobe_topic_info_free.
 */
PSPROBE_API psprobe_code psprobe_topic_get(psprobe_client *client, const char *topic,
                                           int64_t timeout_ns, psprobe_topic_info *info,
                                           psprobe_error *error);
/** Frees what is in `info` (may be NULL), not `info` itself, and zeroes it. */
PSPROBE_API void psprobe_topic_info_free(psprobe_topic_info *info);
/**
 * Changes some settings of a topic, and leaves the others as they are.
 * @param topic  its id, or its full name
 * @param config has what they are to be; one that is zero there goes back to its default
 * @param fields which: PSPROBE_TOPIC_LABELS and others, or-ed
 * @return PSPROBE_OK; NOT_FOUND when it is not there; INVALID_ARGUMENT for a setting that cannot
 *         be, and for no field
 */
PSPROBE_API psprobe_code psprobe_topic_update(psprobe_client *client, const char *topic,
                                              const psprobe_topic_config *config, unsigned fields,
                                              psprobe_error *error);
/**
 * Deletes a topic. Its subscriptions stay, and receive no more.
 * @param topic its id, or its full name
 * @return PSPROBE_OK; NOT_FOUND when it is not there
 */
PSPROBE_API psprobe_code psprobe_topic_delete(psprobe_client *client, const char *topic,
                                              psprobe_error *error);
/**
 * Lists every topic of the project, over all pages.
 * @param each is called for each, on this thread
 * @return PSPROBE_OK, also when `each` ended it; INTERNAL when the service's pages go in a circle
 * Blocks: up to the client's timeout for each page.
 */
PSPROBE_API psprobe_code psprobe_topic_list(psprobe_client *client, psprobe_name_each *each,
                                            void *arg, psprobe_error *error);
/** Lists the subscriptions of a topic. As psprobe_topic_list.
 * @param topic its id, or its full name
 * @param each is called for each
 * @return as psprobe_topic_list; NOT_FOUND when it is not there */
PSPROBE_API psprobe_code psprobe_topic_subscriptions(psprobe_client *client, const char *topic,
                                                     psprobe_name_each *each, void *arg,
                                                     psprobe_error *error);
/** Lists the snapshots of a topic. As psprobe_topic_subscriptions.
 * @param topic its id, or its full name
 * @param each is called for each
 * @return as psprobe_topic_subscriptions */
PSPROBE_API psprobe_code psprobe_topic_snapshots(psprobe_client *client, const char *topic,
                                                 psprobe_name_each *each, void *arg,
                                                 psprobe_error *error);

/* ---- snapshots ---- */

/** What the service says of a snapshot. */
typedef struct psprobe_snapshot_info {
  const char *name;              /**< in full */
  const char *topic;             /**< in full */
  psprobe_timestamp expire_time; /**< {0, 0}: not told */
  const psprobe_attribute *labels;
  size_t label_count;
  void *memory; /**< that all of it lies in */
} psprobe_snapshot_info;

/**
 * Keeps what a subscription has not acknowledged, and what is published from now on, for a seek.
 * @param snapshot     its id, or its full name
 * @param subscription of which
 * @param labels, count may be none
 * @return PSPROBE_OK; ALREADY_EXISTS: one is called so; NOT_FOUND when there is no such
 *         subscription; INVALID_ARGUMENT for a label that cannot be
 */
PSPROBE_API psprobe_code psprobe_snapshot_create(psprobe_client *client, const char *snapshot,
                                                 const char *subscription,
                                                 const psprobe_attribute *labels, size_t count,
                                                 psprobe_error *error);
/**
 * Asks what a snapshot is like.
 * @param snapshot its id, or its full name
 * @param info     receives it; untouched on failure
 * @return PSPROBE_OK; NOT_FOUND when it is not there
 * Ownership: free `info` with psprobe_snapshot_info_free.
 */
PSPROBE_API psprobe_code psprobe_snapshot_get(psprobe_client *client, const char *snapshot,
                                              psprobe_snapshot_info *info, psprobe_error *error);
/** Frees what is in `info` (may be NULL), not `info` itself, and zeroes it. */
PSPROBE_API void psprobe_snapshot_info_free(psprobe_snapshot_info *info);
/** What of a snapshot can change; valid when zeroed. */
typedef struct psprobe_snapshot_config {
  const psprobe_attribute *labels; /**< up to 64 */
  size_t label_count;
  psprobe_timestamp expire_time; /**< in the future, by 7 days at most */
} psprobe_snapshot_config;

/** Which settings of a snapshot an update changes. */
enum { PSPROBE_SNAPSHOT_LABELS = 1 << 0, PSPROBE_SNAPSHOT_EXPIRE_TIME = 1 << 1 };

/**
 * Changes some settings of a snapshot, and leaves the others as they are.
 * @param snapshot its id, or its full name
 * @param config has what they are to be
 * @param fields which: PSPROBE_SNAPSHOT_LABELS and others, or-ed
 * @return PSPROBE_OK; NOT_FOUND when it is not there; INVALID_ARGUMENT for a label or a time that
 *         cannot be, and for no field; UNIMPLEMENTED on Google's emulator
 */
PSPROBE_API psprobe_code psprobe_snapshot_update(psprobe_client *client, const char *snapshot,
                                                 const psprobe_snapshot_config *config,
                                                 unsigned fields, psprobe_error *error);
/** Deletes a snapshot.
 * @param snapshot its id, or its full name
 * @return PSPROBE_OK; NOT_FOUND when it is not there */
PSPROBE_API psprobe_code psprobe_snapshot_delete(psprobe_client *client, const char *snapshot,
                                                 psprobe_error *error);
/** Lists every snapshot of the project. As psprobe_topic_list. */
PSPROBE_API psprobe_code psprobe_snapshot_list(psprobe_client *client, psprobe_name_each *each,
                                               void *arg, psprobe_error *error);

/* ---- who may do what (IAM) ---- */

/** What a policy is of. */
typedef enum psprobe_policy_of {
  PSPROBE_POLICY_TOPIC = 0,
  PSPROBE_POLICY_SUBSCRIPTION,
  PSPROBE_POLICY_SNAPSHOT
} psprobe_policy_of;

/**
 * Reads a policy, with its conditions (version 3).
 * @param of, name of what
 * @param policy   receives it as JSON: bindings, etag, version; untouched on failure
 * @return PSPROBE_OK; NOT_FOUND when it is not there
 * Ownership: free `policy` with free().
 */
PSPROBE_API psprobe_code psprobe_policy_get(psprobe_client *client, psprobe_policy_of of,
                                            const char *name, char **policy, psprobe_error *error);
/**
 * Replaces a policy. One that was read, changed and is written back has its etag in it, and is
 * refused when somebody else was faster: read it again then.
 * @param of, name of what
 * @param policy   a JSON object, passed on as it is
 * @return PSPROBE_OK; ABORTED: the etag is not that of the policy any more; NOT_FOUND;
 *         INVALID_ARGUMENT: no JSON object, or what the service says
 */
PSPROBE_API psprobe_code psprobe_policy_set(psprobe_client *client, psprobe_policy_of of,
                                            const char *name, const char *policy,
                                            psprobe_error *error);
/**
 * Asks which permissions the caller has.
 * @param of, name of what; of what is not there none are granted
 * @param permissions, count 1 to 100, as "pubsub.topics.publish"
 * @param granted  receives for each whether it is
 * @return PSPROBE_OK; INVALID_ARGUMENT for a number that cannot be
 */
PSPROBE_API psprobe_code psprobe_policy_test(psprobe_client *client, psprobe_policy_of of,
                                             const char *name, const char *const *permissions,
                                             size_t count, bool *granted, psprobe_error *error);

#ifdef __cplusplus
}
#endif
#endif
