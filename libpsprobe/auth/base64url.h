/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_BASE64URL_H
#define PSP_AUTH_BASE64URL_H
/**
 * @file
 * base64url as JWS wants it (RFC 7515, 2), strictly: no padding, no other letter, no length of 1
 * modulo 4, and the unused low bits zero, so that a text has one form only.
 */
#include <stdbool.h>
#include <stddef.h>

#include "os/secret.h"

/** By byte: the six bits of a letter of the alphabet, -1 for other bytes. */
extern const signed char psp_base64url_values[256];

/** Decodes into `out`; @return the length, or -1: no such text, or more than `size`. */
long psp_base64url_decode(const char *text, size_t len, unsigned char *out, size_t size);
/** The same, added to a secret. */
bool psp_base64url_secret(const char *text, size_t len, psp_secret *out);

#endif
