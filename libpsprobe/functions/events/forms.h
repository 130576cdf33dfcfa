/* SPDX-License-Identifier: MIT */
#ifndef PSP_FUNCTIONS_EVENTS_FORMS_H
#define PSP_FUNCTIONS_EVENTS_FORMS_H
/** @file Which form a request's events have. Pure. */
#include "functions/events/parts.h"

/** What the head alone says; *reader NULL: nothing. INVALID_ARGUMENT: it contradicts itself. */
psprobe_code psp_form_by_head(const psprobe_event_request *request, psp_form_reader **reader,
                              psprobe_error *error);
/** What the JSON says. INVALID_ARGUMENT: no event, or two at once. */
psprobe_code psp_form_by_body(const psprobe_event_request *request, const psp_json *body,
                              psp_form_reader **reader, psprobe_error *error);
/** The head says that the body is one of a CloudEvent's JSON formats. */
bool psp_form_is_structured(const psprobe_event_request *request);

#endif
