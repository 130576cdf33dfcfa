/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_BASE64_H
#define PSP_BASE_BASE64_H
/** @file Base64 in both alphabets (RFC 4648, 4 and 5). Pure. */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/** Room for what psp_base64_write makes of so many bytes. */
#define PSP_BASE64_SIZE(len) ((len) / 3 * 4 + 5)
/** Standard alphabet, padded, zero-terminated. @return its length */
size_t psp_base64_write(char *out, const void *data, size_t len);
/** The same at the end of a buffer. */
void psp_base64_encode(psp_buf *out, const void *data, size_t len);

/** Either alphabet, padded or not, as proto3 JSON allows. False: not base64; `out` as before. */
bool psp_base64_decode(psp_buf *out, const char *text, size_t len);
/**
 * As JWS wants it (RFC 7515, 2), strictly: URL alphabet, no padding, no other letter, no length of
 * 1 modulo 4, and the unused low bits zero, so that a text has one form only.
 * @return the length, or -1: no such text, or more than `size`
 */
long psp_base64url_decode(const char *text, size_t len, unsigned char *out, size_t size);

/** By byte: the six bits of a letter of the URL alphabet, -1 for other bytes. */
extern const signed char psp_base64url_values[256];

#endif
