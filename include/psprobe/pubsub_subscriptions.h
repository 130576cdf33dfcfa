/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_PUBSUB_SUBSCRIPTIONS_H
#define PSPROBE_PUBSUB_SUBSCRIPTIONS_H
/**
 * @file
 * Subscriptions of Cloud Pub/Sub: all their settings, their making, changing, seeking and their
 * end (https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions). What
 * receives from one is in psprobe/pubsub.h (one call) and psprobe/subscriber.h.
 *
 * What psprobe/pubsub_admin.h says of codes, ownership and threads holds here too.
 *
 * Ownership: what is given is borrowed until the call returns; what is received is the caller's.
 * Threading: any thread may call, but none may still use an object that is being freed.
 * Blocks: up to its timeout, or the client's.
 */
#include <psprobe/pubsub_admin.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A subscription that is never removed for not being used. */
#define PSPROBE_EXPIRES_NEVER INT64_C(-1)

/** A subscription's settings; valid when zeroed but for the topic. */
typedef struct psprobe_subscription_config {
  const char *topic;
  int ack_deadline_s;        /**< 10 to 600 (emulators: 1 to 600); 0: the service's default, 10 */
  const char *push_endpoint; /**< NULL: a pull subscription */
  const char *push_account;  /**< e-mail of the service account that signs pushes; NULL: none */
  const char *push_audience; /**< NULL: the endpoint */
  bool push_no_wrapper;      /**< the body is the message's data alone */
  bool push_write_metadata;  /**< without a wrapper: id, time and attributes as headers */
  bool enable_ordering;
  bool exactly_once;
  bool retain_acked;     /**< for a seek back */
  int64_t retention_ns;  /**< of messages, 10 min to 31 days; 0: the service's default, 7 days */
  int64_t expiration_ns; /**< unused for so long, it is removed: 1 day or more; 0: 31 days */
  const char *filter;    /**< over attributes, up to 256 bytes; NULL: all. Cannot be changed */
  const char *dead_letter_topic; /**< NULL: none */
  int max_delivery_attempts;     /**< until then: 5 to 100; 0: 5 */
  int64_t retry_min_ns;          /**< until a message comes again: 0 to 600 s */
  int64_t retry_max_ns;          /**< both 0: at once; else a minimum's default is 10, this 600 s */
  const psprobe_attribute *labels; /**< up to 64 */
  size_t label_count;
  const char *bigquery;      /**< bigqueryConfig, a JSON object passed on; NULL: none */
  const char *cloud_storage; /**< cloudStorageConfig, likewise */
} psprobe_subscription_config;

/** Which settings of a subscription an update changes. */
enum {
  PSPROBE_SUBSCRIPTION_ACK_DEADLINE = 1 << 0,
  PSPROBE_SUBSCRIPTION_PUSH = 1 << 1, /**< all that begins with push_ */
  PSPROBE_SUBSCRIPTION_EXACTLY_ONCE = 1 << 2,
  PSPROBE_SUBSCRIPTION_RETAIN_ACKED = 1 << 3,
  PSPROBE_SUBSCRIPTION_RETENTION = 1 << 4,
  PSPROBE_SUBSCRIPTION_EXPIRATION = 1 << 5,
  PSPROBE_SUBSCRIPTION_DEAD_LETTER = 1 << 6, /**< topic and attempts */
  PSPROBE_SUBSCRIPTION_RETRY = 1 << 7,       /**< both ends */
  PSPROBE_SUBSCRIPTION_LABELS = 1 << 8,
  PSPROBE_SUBSCRIPTION_BIGQUERY = 1 << 9,
  PSPROBE_SUBSCRIPTION_CLOUD_STORAGE = 1 << 10
};

/** What the service says of a subscription. */
typedef struct psprobe_subscription_info {
  const char *name;                   /**< in full */
  const char *state;                  /**< "ACTIVE"; NULL: not told */
  bool detached;                      /**< it receives nothing any more */
  int64_t topic_retention_ns;         /**< of its topic; 0: none */
  psprobe_subscription_config config; /**< defaults filled in */
  void *memory;                       /**< that all of it lies in */
} psprobe_subscription_info;

/**
 * Creates a subscription. One that is there already, whatever its settings, is success.
 * @param subscription its id, or its full name
 * @param config       its settings
 * @param existed      receives whether it was there already; may be NULL
 * @return PSPROBE_OK; NOT_FOUND when there is no such topic; INVALID_ARGUMENT for a setting that
 *         cannot be
 */
PSPROBE_API psprobe_code psprobe_subscription_create(psprobe_client *client,
                                                     const char *subscription,
                                                     const psprobe_subscription_config *config,
                                                     bool *existed, psprobe_error *error);
/**
 * Asks what a subscription is like.
 * @param subscription its id, or its full name
 * @param timeout_ns   of all attempts; 0: the client's
 * @param info         receives it; untouched on failure
 * @return PSPROBE_OK; NOT_FOUND when it is not there
 * Ownership: free `info` with psprobe_subscription_info_free.
 */
PSPROBE_API psprobe_code psprobe_subscription_get(psprobe_client *client, const char *subscription,
                                                  int64_t timeout_ns,
                                                  psprobe_subscription_info *info,
                                                  psprobe_error *error);
/** Frees what is in `info` (may be NULL), not `info` itself, and zeroes it. */
PSPROBE_API void psprobe_subscription_info_free(psprobe_subscription_info *info);
/**
 * Changes some settings of a subscription, and leaves the others as they are.
 * @param subscription its id, or its full name
 * @param config has what they are to be; one that is zero there goes back to its default
 * @param fields which: PSPROBE_SUBSCRIPTION_LABELS and others, or-ed
 * @return PSPROBE_OK; NOT_FOUND when it is not there; INVALID_ARGUMENT for a setting that cannot
 *         be, and for no field
 */
PSPROBE_API psprobe_code psprobe_subscription_update(psprobe_client *client,
                                                     const char *subscription,
                                                     const psprobe_subscription_config *config,
                                                     unsigned fields, psprobe_error *error);
/**
 * Turns a subscription to push or to pull, at once.
 * @param subscription its id, or its full name
 * @param config of which what begins with push_ counts; no endpoint: pull
 * @return PSPROBE_OK; NOT_FOUND when it is not there; INVALID_ARGUMENT for a URL that cannot be, an
 *         account without an endpoint, an audience without an account
 */
PSPROBE_API psprobe_code psprobe_subscription_set_push(psprobe_client *client,
                                                       const char *subscription,
                                                       const psprobe_subscription_config *config,
                                                       psprobe_error *error);
/**
 * Takes a subscription from its topic, for good: what it holds is dropped, pulls and pushes fail
 * with FAILED_PRECONDITION.
 * @param subscription its id, or its full name
 * @return PSPROBE_OK; NOT_FOUND when it is not there; UNIMPLEMENTED on Google's emulator
 */
PSPROBE_API psprobe_code psprobe_subscription_detach(psprobe_client *client,
                                                     const char *subscription,
                                                     psprobe_error *error);
/**
 * Acknowledges all that was published before a time, and takes back the acknowledgment of what came
 * later, as far as it is retained.
 * @param subscription its id, or its full name
 * @param time         also one that is to come
 * @return PSPROBE_OK; NOT_FOUND when it is not there; INVALID_ARGUMENT for a time before the year 1
 *         or after 9999
 */
PSPROBE_API psprobe_code psprobe_subscription_seek(psprobe_client *client, const char *subscription,
                                                   psprobe_timestamp time, psprobe_error *error);
/**
 * Brings a subscription to the state that a snapshot of its topic has kept.
 * @param subscription its id, or its full name
 * @param snapshot     its id, or its full name
 * @return PSPROBE_OK; NOT_FOUND when either is not there; FAILED_PRECONDITION: of another topic
 */
PSPROBE_API psprobe_code psprobe_subscription_seek_snapshot(psprobe_client *client,
                                                            const char *subscription,
                                                            const char *snapshot,
                                                            psprobe_error *error);
/**
 * Deletes a subscription, with the messages that wait in it.
 * @param subscription its id, or its full name
 * @return PSPROBE_OK; NOT_FOUND when it is not there
 */
PSPROBE_API psprobe_code psprobe_subscription_delete(psprobe_client *client,
                                                     const char *subscription,
                                                     psprobe_error *error);
/** Lists every subscription of the project. As psprobe_topic_list. */
PSPROBE_API psprobe_code psprobe_subscription_list(psprobe_client *client, psprobe_name_each *each,
                                                   void *arg, psprobe_error *error);

#ifdef __cplusplus
}
#endif
#endif
