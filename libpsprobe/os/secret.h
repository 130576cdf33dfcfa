/* SPDX-License-Identifier: MIT */
#ifndef PSP_OS_SECRET_H
#define PSP_OS_SECRET_H
/**
 * @file
 * Memory for private keys and tokens: in pages of its own that core dumps leave out
 * (MADV_DONTDUMP), wiped before it is given back and when it grows.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/json_view.h"

/**
 * Valid when zeroed. `data` is zero-terminated once anything was added, NULL before. As with
 * psp_buf the first failed allocation sets `failed` and later additions do nothing.
 */
typedef struct psp_secret {
  char *data;
  size_t len, cap;
  bool failed;
} psp_secret;

/** `size` bytes of such pages, zeroed; NULL: no memory. */
void *psp_secret_pages(size_t size);
/** Wipes and gives back what psp_secret_pages gave; NULL is fine. */
void psp_secret_pages_free(void *pages, size_t size);

/** Wipes and frees; the secret is valid and empty again. */
void psp_secret_free(psp_secret *secret);
/** Wipes and keeps the memory. Clears `failed`. */
void psp_secret_reset(psp_secret *secret);
bool psp_secret_reserve(psp_secret *secret, size_t more);
void psp_secret_add(psp_secret *secret, const void *data, size_t len);
void psp_secret_text(psp_secret *secret, const char *text);
/** A JSON string without its escapes. False: no string. */
bool psp_view_secret(psp_view string, psp_secret *out);
/** All but RFC 3986's unreserved characters as %XX, as form bodies and queries want it. */
void psp_secret_percent(psp_secret *secret, const char *text, size_t len);
/** Adds what psp_base64url_decode makes of a text. False: no such text, or no memory. */
bool psp_base64url_secret(const char *text, size_t len, psp_secret *out);
/** Standard base64, padded, for HTTP Basic. */
void psp_secret_base64(psp_secret *secret, const void *data, size_t len);
/** Swaps the contents of two. */
void psp_secret_swap(psp_secret *a, psp_secret *b);

#endif
