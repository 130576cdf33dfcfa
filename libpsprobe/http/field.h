/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_FIELD_H
#define PSP_HTTP_FIELD_H
/** @file What the lines of a head are made of (RFC 9110, 5.5 and 5.6.2). Pure. */
#include <stdbool.h>
#include <stddef.h>

/** A method or a field's name: not empty, letters, digits and !#$%&'*+-.^_`|~ */
bool psp_http_is_token(const char *text, size_t len);
/** No control characters: a line break in a value would be a field of its own. */
bool psp_http_is_value(const char *text, size_t len);

#endif
