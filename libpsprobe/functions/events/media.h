/* SPDX-License-Identifier: MIT */
#ifndef PSP_FUNCTIONS_EVENTS_MEDIA_H
#define PSP_FUNCTIONS_EVENTS_MEDIA_H
/** @file Media types (RFC 9110, 8.3.1). Pure. */
#include <stdbool.h>
#include <stddef.h>

/** `type` is that media type, whatever its parameters and its case. NULL is none. */
bool psp_media_is(const char *type, const char *name);
/** It begins with that: "application/cloudevents", "text/". */
bool psp_media_starts(const char *type, const char *prefix);
/** application/json, text/json or anything that ends with +json. */
bool psp_media_is_json(const char *type);
/** Its text can be read as UTF-8: it names no charset, or one that is or lies in UTF-8. */
bool psp_media_is_utf8(const char *type);

#endif
