/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_PUBLISHER_H
#define PSPROBE_PUBLISHER_H
/**
 * @file
 * Publishes many messages to a topic: gathers them into calls, keeps the order of those that share
 * an ordering key, holds no more in memory than it may, and tells of each message what became of
 * it. What publishes a single call is psprobe_publish in psprobe/pubsub.h.
 *
 * Messages of one ordering key go out one call at a time, in the order in which they were given. If
 * one of its calls fails, what waits behind it fails too, and its key takes no more until
 * psprobe_publisher_resume says so: else a later message would overtake the one that was lost.
 *
 * Ownership: what is given is borrowed until the call returns, messages are copied.
 * Threading: any thread may call, but none may still use a publisher that is being freed.
 * Blocks: not, unless a function says so.
 */
#include <psprobe/pubsub.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What becomes of a message for which there is no room. */
typedef enum psprobe_when_full {
  PSPROBE_WHEN_FULL_BLOCK = 0, /**< its caller waits for some */
  PSPROBE_WHEN_FULL_REFUSE,
  PSPROBE_WHEN_FULL_DROP_OLDEST /**< of those that wait; what is under way stays */
} psprobe_when_full;

/** Valid when zeroed but for the topic. */
typedef struct psprobe_publisher_options {
  const char *topic;     /**< its id, or its full name */
  size_t batch_messages; /**< in a call, 1 to 1000; 0: 100 */
  size_t batch_bytes; /**< in a call, up to 10,000,000; 0: 1,000,000. A longer message goes alone */
  int64_t delay_ns;   /**< how long a message waits for others to go with it; 0: not at all */
  size_t most_messages; /**< that are not yet published; 0: 1000 */
  size_t most_bytes;    /**< of these; 0: 100 MiB */
  psprobe_when_full when_full;
  int64_t timeout_ns;    /**< of a call with all its attempts; 0: the client's */
  psprobe_publish_by by; /**< 0: gRPC */
} psprobe_publisher_options;

typedef struct psprobe_publisher psprobe_publisher;

/**
 * Hears what became of a message, exactly once: the server's id, or (then NULL) what failed. On the
 * client's I/O thread, or on that of whoever published, resumed or freed: it must be short, must
 * not block, and must not call flush or free. It may publish, but for PSPROBE_WHEN_FULL_BLOCK.
 * Ownership: both are borrowed until it returns.
 */
typedef void psprobe_published(void *arg, const char *id, const psprobe_error *error);

/**
 * Makes one.
 * @param options   all but the topic may be zero
 * @param publisher receives it; untouched on failure
 * @return PSPROBE_OK; INVALID_ARGUMENT for a name or a bound that cannot be; FAILED_PRECONDITION:
 *         no project; RESOURCE_EXHAUSTED: memory, threads
 *
 * Ownership: free with psprobe_publisher_free; the client must outlive it.
 *
 * Blocks: where nobody named the project, for the metadata server, once.
 */
PSPROBE_API psprobe_code psprobe_publisher_new(psprobe_client *client,
                                               const psprobe_publisher_options *options,
                                               psprobe_publisher **publisher, psprobe_error *error);
/**
 * Ends it: what waits is CANCELLED, what is under way is waited for. NULL is fine. Not from a
 * callback.
 * Blocks: up to the options' timeout.
 */
PSPROBE_API void psprobe_publisher_free(psprobe_publisher *publisher);

/**
 * Publishes a message, now or with others that come soon.
 * @param message data, attributes and ordering_key count
 * @param done    may be NULL: nobody wants to know
 * @return PSPROBE_OK: `done` will be called, or was; else it will not. INVALID_ARGUMENT for what
 *         Google would refuse (psprobe_publish_start says what); RESOURCE_EXHAUSTED: full, or no
 *         memory; FAILED_PRECONDITION: its ordering key is paused; CANCELLED: it is being freed
 * Blocks: with PSPROBE_WHEN_FULL_BLOCK, while there is no room.
 */
PSPROBE_API psprobe_code psprobe_publisher_publish(psprobe_publisher *publisher,
                                                   const psprobe_message *message,
                                                   psprobe_published *done, void *arg,
                                                   psprobe_error *error);
/**
 * Sends what waits, without its delay, and waits until all that was given before has been told of.
 * Not from a callback.
 * @param timeout_ns how long at most; 0: without an end
 * @return PSPROBE_OK, whatever became of the messages; DEADLINE_EXCEEDED
 * Blocks: up to `timeout_ns`.
 */
PSPROBE_API psprobe_code psprobe_publisher_flush(psprobe_publisher *publisher, int64_t timeout_ns,
                                                 psprobe_error *error);
/**
 * Lets a key go on that a failure has paused.
 * @param ordering_key its name; one that is not paused is left alone
 */
PSPROBE_API void psprobe_publisher_resume(psprobe_publisher *publisher, const char *ordering_key);

/** Counts since it was made; those of now are named so. */
typedef struct psprobe_publisher_stats {
  uint64_t published, failed; /**< messages; what was dropped has failed too */
  uint64_t dropped, refused;  /**< for want of room */
  uint64_t calls;
  size_t waiting_now, under_way_now; /**< messages */
  size_t bytes_now;
  size_t paused_now; /**< ordering keys */
} psprobe_publisher_stats;
/** Reads the counts. @param stats receives them */
PSPROBE_API void psprobe_publisher_get_stats(psprobe_publisher *publisher,
                                             psprobe_publisher_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
