/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_PROBE_H
#define PSPROBE_PROBE_H
/**
 * @file
 * The front door: including this is enough to run an experiment. A prober sends probes and
 * times them, a responder answers them, a registry knows those in flight.
 *
 * Ownership: as the headers say.
 * Threading: likewise.
 * Blocks: likewise.
 */
#include <psprobe/answer.h>
#include <psprobe/client.h>
#include <psprobe/firestore.h>
#include <psprobe/prober.h>
#include <psprobe/publisher.h>
#include <psprobe/pubsub_subscriptions.h>
#include <psprobe/registry.h>
#include <psprobe/responder.h>
#include <psprobe/subscriber.h>
#include <psprobe/timing.h>
#endif
