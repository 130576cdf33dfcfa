/* SPDX-License-Identifier: MIT */
#ifndef PSP_PROBER_SENDING_H
#define PSP_PROBER_SENDING_H
/**
 * @file
 * Publishing probes: one is prepared ahead of its time, and its outcome goes
 * to the registry. A publish call can outlive the prober (its deadline is the
 * client's), so what its callback needs is shared and freed by the last user.
 */
#include <psprobe/prober.h>

typedef struct psp_sender psp_sender;
/** A probe that is ready to be published. */
typedef struct psp_send psp_send;

/** Topics that are published to: one a psprobe_cadence. */
#define PSP_LINES 2

/**
 * Takes the registry. `topics` are full names, of a cadence that there is not NULL. A publish call
 * is tried again for the timeout of `publish`: later it is of no use to the probe. `create`: a
 * topic that a publish call does not find is made. By gRPC the connection is opened at once. NULL:
 * out of memory.
 * out of memory.
 */
psp_sender *psp_sender_new(psprobe_client *client, const char *const topics[PSP_LINES],
                           const psprobe_publish_options *publish, bool create,
                           psprobe_registry *registry);
/** No more sends will be begun. The rest goes when the last publish call has returned. */
void psp_sender_free(psp_sender *sender);

/** A message. @param id copied; NULL: a new one. @return NULL: no memory, or no random numbers */
psp_send *psp_send_new(psp_sender *sender, psprobe_cadence cadence, const char *id);
void psp_send_free(psp_send *send);
/** When a probe was sent. */
typedef struct psp_sent_at {
  int64_t intended_ns, sent_ns; /**< monotonic */
  int64_t wall_ns;
} psp_sent_at;
/**
 * Reads the clocks, begins the probe, starts to publish it.
 * @param at has intended_ns; receives the rest, just before
 * @return PSPROBE_OK, and the send is gone (whether or not the publish call could be started: its
 *         failure is counted); else nothing happened and the send can be used again:
 *         RESOURCE_EXHAUSTED at the registry's bound, ALREADY_EXISTS
 */
psprobe_code psp_send_go(psp_send *send, psp_sent_at *at);

uint64_t psp_sender_failed(const psp_sender *sender);

typedef enum psp_publish_news {
  PSP_PUBLISH_SAME,
  PSP_PUBLISH_BROKEN,
  PSP_PUBLISH_MENDED
} psp_publish_news;
/** What has changed since the last call of it: publishing began to fail (then `error` tells how),
 * or works again. The registry's waiter is woken for it. */
psp_publish_news psp_sender_news(psp_sender *sender, psprobe_error *error);

/** By which way it publishes now. */
psprobe_publish_by psp_sender_way(const psp_sender *sender);

/** Whether the topic was made since the last call of it; the registry's waiter is woken then. */
bool psp_sender_made_topic(psp_sender *sender);

/** Begins to publish a message without a probe to the steady cadence's topic. */
void psp_sender_fill(psp_sender *sender);
/** How many so far. @param failed receives how many of them could not be published */
uint64_t psp_sender_filled(const psp_sender *sender, uint64_t *failed);

#endif
