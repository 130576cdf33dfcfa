/* SPDX-License-Identifier: MIT */
#ifndef PSP_FUNCTIONS_EVENTS_PUBLISHED_H
#define PSP_FUNCTIONS_EVENTS_PUBLISHED_H
/** @file A message of Pub/Sub's as the CloudEvent that Eventarc would send of it. Pure. */
#include "functions/events/parts.h"

/** Ends the object that `message` is already written into: its subscription, its attempt. */
void psp_published_end(psp_json_writer *writer, const psprobe_message *message);
/**
 * Makes the event of its message, which is there, as is its data where it is wanted.
 * @param time the message's publish time, as it came; may be NULL
 */
psprobe_code psp_published(psprobe_events *events, psp_event *event, const char *time,
                           psprobe_error *error);

#endif
