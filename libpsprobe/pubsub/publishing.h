/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_PUBLISHING_H
#define PSP_PUBSUB_PUBLISHING_H
/**
 * @file
 * One publish call that is made ready before its time, by gRPC or by REST. An endpoint that turns
 * out to know no gRPC is asked by REST, once it is known without trying: a message that nobody has
 * begun with goes out again, one that somebody may have stored does not. By gRPC it goes over a
 * connection that receives nothing: what comes in must not hold up what is measured.
 */
#include "pubsub/calls.h"

typedef struct psp_publishing psp_publishing;

/**
 * Writes the request; the messages are not needed any more. `target` has the verb ":publish", and
 * stays until `done` was called.
 */
psprobe_code psp_publishing_new(psprobe_client *client, const psp_target *target,
                                const psprobe_message *messages, size_t count,
                                const psprobe_publish_options *options, psprobe_publish_done *done,
                                void *arg, psp_publishing **publishing, psprobe_error *error);
/** Takes the target, which need not stay then. */
void psp_publishing_own(psp_publishing *publishing, psp_target *target);
/** One that was not started. NULL is fine. */
void psp_publishing_free(psp_publishing *publishing);
/** Starts it. It is gone, whatever comes. @return PSPROBE_OK: `done` is called; else it is not */
psprobe_code psp_publishing_go(psp_publishing *publishing, psprobe_error *error);

/**
 * Opens the connection for publishing before it is needed, by asking for the topic, and learns
 * whether gRPC is spoken; what the answer says does not matter. `target` stays until `done`.
 * @return PSPROBE_OK: `done` is called, once; else it is not
 */
psprobe_code psp_publishing_warm(psprobe_client *client, const psp_target *target,
                                 void (*done)(void *arg), void *arg, psprobe_error *error);

#endif
