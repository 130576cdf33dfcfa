/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_PUBLISHER_LANES_H
#define PSP_PUBSUB_PUBLISHER_LANES_H
/**
 * @file
 * What waits to be published, in lanes: one for each ordering key, and one for all that have none.
 * Pure: the time is an argument, and nobody is called.
 *
 *   add -> waiting -> take -> under way -> landed
 *                \-> dropped       \-> (failed, with a key) paused: its lane is emptied
 *
 * A lane with a key has one call under way, that without one as many as there may be. A lane is due
 * when a whole call waits in it, or its first message has waited for as long as it may.
 */
#include <psprobe/publisher.h>

#include <stdbool.h>

#define PSP_LANE_CALLS 16 /* under way at once, of messages without a key */

typedef struct psp_outgoing_lane psp_outgoing_lane;

/** A message in memory, with all that it points to, in one block. */
typedef struct psp_outgoing {
  struct psp_outgoing *next;            /**< in its lane, or its parcel */
  struct psp_outgoing *older, *younger; /**< of all that wait */
  struct psp_outgoing *before, *behind; /**< of all that have not been told of: the publisher's */
  uint64_t number;                      /**< in the order in which they were given: likewise */
  psp_outgoing_lane *lane;
  psprobe_message message;
  size_t bytes;
  int64_t since_ns;
  psprobe_published *done;
  void *arg;
} psp_outgoing;

/** A chain of messages. Valid when zeroed. */
typedef struct psp_outgoing_list {
  psp_outgoing *first, *last;
  size_t count, bytes;
} psp_outgoing_list;

/** What goes out in one call. */
typedef struct psp_parcel {
  psp_outgoing_lane *lane; /**< NULL: nothing is due */
  psp_outgoing_list list;
} psp_parcel;

typedef struct psp_lanes {
  size_t batch_messages, batch_bytes;
  int64_t delay_ns;
  void *keyed; /**< lanes with a key: a tree of <search.h> */
  psp_outgoing_lane *plain;
  psp_outgoing_lane *due;           /**< those that wait for their time, the next first */
  psp_outgoing *oldest, *newest;    /**< of all that wait */
  size_t waiting, under_way, bytes; /**< messages, and all their bytes */
  size_t paused;                    /**< lanes */
  bool hurried;                     /**< nothing waits for company */
} psp_lanes;

/** False: no memory. */
bool psp_lanes_init(psp_lanes *lanes, size_t batch_messages, size_t batch_bytes, int64_t delay_ns);
/** Frees the lanes; the messages must have left. */
void psp_lanes_destroy(psp_lanes *lanes);

/** A copy of the message; NULL: no memory. Free it with free(). */
psp_outgoing *psp_outgoing_new(const psprobe_message *message);

typedef enum psp_lane_answer {
  PSP_LANE_OK = 0,
  PSP_LANE_PAUSED,
  PSP_LANE_NO_MEMORY
} psp_lane_answer;
/** Takes a message that is to go. Not OK: it stays the caller's. */
psp_lane_answer psp_lanes_add(psp_lanes *lanes, psp_outgoing *outgoing, int64_t now_ns);
/** The messages of the next call that is due. */
psp_parcel psp_lanes_take(psp_lanes *lanes, int64_t now_ns);
/** When the next will be; INT64_MAX: none waits. */
int64_t psp_lanes_next_ns(const psp_lanes *lanes);
/** What is under way has been answered; its messages are the caller's again. @param failed pauses a
 * lane with a key, and adds to `fallen` what waited in it */
void psp_lanes_landed(psp_lanes *lanes, const psp_parcel *parcel, bool failed,
                      psp_outgoing_list *fallen);
/** The message that waits longest, taken out; NULL: none waits. */
psp_outgoing *psp_lanes_drop_oldest(psp_lanes *lanes);
/** Whether nothing waits for company. */
void psp_lanes_hurry(psp_lanes *lanes, bool hurried);
void psp_lanes_resume(psp_lanes *lanes, const char *ordering_key);

#endif
