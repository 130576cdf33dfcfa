/* SPDX-License-Identifier: MIT */
#ifndef PSP_FUNCTIONS_EVENTS_UNWRAPPED_H
#define PSP_FUNCTIONS_EVENTS_UNWRAPPED_H
/**
 * @file
 * Pub/Sub's push with noWrapper: the message's data is the body, the rest is in headers, or nowhere
 * (https://cloud.google.com/pubsub/docs/payload-unwrapping). Pure.
 */
#include <psprobe/event.h>

/**
 * Its data is the body, its attributes are the headers that are nobody else's.
 * @param out receives it, also when it fails after that; psprobe_batch_free
 */
psprobe_code psp_unwrapped_message(const psprobe_event_request *request, psprobe_batch **out,
                                   psprobe_error *error);

#endif
