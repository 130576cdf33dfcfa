/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_WIRE_H
#define PSPROBE_WIRE_H
/**
 * @file
 * What a responder and a prober tell each other in HTTP headers, beside an answer: facts of the
 * function's instance and of the message, and the stamps of both clocks. All are optional; one that
 * is not of its form is as if it had not come.
 *
 * Ownership: none. Threading: none. Blocks: no; there are no functions here.
 */
#include <stdint.h>

/* ---- with POST /{source}/{probe_id}, of the responder ---- */

/** "1" for the first event of the process. */
#define PSPROBE_HEADER_COLD "Psprobe-Cold"
/** From having the message to sending the answer, ns, by the responder's clock. */
#define PSPROBE_HEADER_HANDLED "Psprobe-Handled-Ns"
/** Which process answers: at most PSPROBE_INSTANCE_LENGTH of [A-Za-z0-9._-]. */
#define PSPROBE_HEADER_INSTANCE "Psprobe-Instance"
/** How many events that process has had, this one included: decimal, from 1. */
#define PSPROBE_HEADER_INVOCATION "Psprobe-Invocation"
/** From the process's start to this event's arrival, ns. */
#define PSPROBE_HEADER_AGE "Psprobe-Age-Ns"
/** From the process's start until it listened, ns. */
#define PSPROBE_HEADER_READY "Psprobe-Ready-Ns"
/** Which delivery of the message this was, as Pub/Sub told: decimal, from 1. */
#define PSPROBE_HEADER_ATTEMPT "Psprobe-Delivery-Attempt"
/** The message's publishTime: RFC 3339, UTC, up to nine decimals. */
#define PSPROBE_HEADER_PUBLISHED "Psprobe-Published"
/** The responder's wall clock when the event arrived, ns since 1970. */
#define PSPROBE_HEADER_ARRIVED "Psprobe-Arrived-Ns"
/** The responder's wall clock when it sent this answer, ns since 1970. */
#define PSPROBE_HEADER_SENT "Psprobe-Sent-Ns"
/** The four stamps of the last exchange that the same instance finished, ns since 1970, with a
 * blank between them: its SENT, the prober's RECEIVED and ANSWERED, and when the answer to it was
 * back at the responder. */
#define PSPROBE_HEADER_EXCHANGE "Psprobe-Exchange"

/** Most characters of an instance's id. */
#define PSPROBE_INSTANCE_LENGTH 64

/* ---- with its 2xx answer, of the prober, where the POST had PSPROBE_HEADER_SENT ---- */

/** The prober's wall clock when the POST arrived, ns since 1970. */
#define PSPROBE_HEADER_RECEIVED "Psprobe-Received-Ns"
/** The prober's wall clock when it answered, ns since 1970. */
#define PSPROBE_HEADER_ANSWERED "Psprobe-Answered-Ns"

/* ---- what was told ---- */

#define PSPROBE_INSTANCE_SIZE (PSPROBE_INSTANCE_LENGTH + 1)
/** Stamps of an exchange: sent, received there, answered there, received. */
#define PSPROBE_STAMPS 4

/** What a responder told with an answer; zeroed: nothing. What it did not tell is 0, or "": none of
 * these can be. Of an exchange all stamps are there or none. */
typedef struct psprobe_facts {
  char instance[PSPROBE_INSTANCE_SIZE];
  uint32_t invocation, delivery_attempt; /**< from 1 */
  int64_t age_ns, ready_ns;
  int64_t published_wall_ns;             /**< by the broker's clock */
  int64_t arrived_wall_ns, sent_wall_ns; /**< by the responder's */
  /** The first and the last by the responder's clock, the others by the prober's. */
  int64_t exchange_wall_ns[PSPROBE_STAMPS];
} psprobe_facts;

#endif
