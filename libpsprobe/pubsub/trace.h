/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_TRACE_H
#define PSP_PUBSUB_TRACE_H
/**
 * @file
 * The context of a trace in a message's attributes, as Google's clients carry it. Pure.
 * https://www.w3.org/TR/trace-context/
 */
#include <psprobe/pubsub.h>

#define PSP_TRACEPARENT "googclient_traceparent"
#define PSP_TRACESTATE  "googclient_tracestate"

/** The attributes that a message's context is sent as: none where it has none that is valid. They
 * borrow from it. @return how many of the two */
size_t psp_trace_attributes(const psprobe_message *message, psprobe_attribute out[2]);
/** Finds it in the attributes of a received message; what is not valid is as good as absent. */
void psp_trace_read(psprobe_message *message);

#endif
