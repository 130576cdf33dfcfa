/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_CLIENT_DATE_H
#define PSP_HTTP_CLIENT_DATE_H
/** @file The dates and waits that answers name. Pure. */
#include <stdint.h>

/**
 * An HTTP date in any of the three forms of RFC 9110, 5.6.7, as Unix seconds; 0: none. `now_s`
 * places the two-digit years of the obsolete form.
 */
int64_t psp_http_date(const char *value, int64_t now_s);

/** No server makes us wait longer, whatever it asks: we would rather ask once too often than be
 * silent for hours because of a wrong number. */
#define PSP_RETRY_AFTER_MOST_NS INT64_C(60000000000)
/** Retry-After: seconds or an HTTP date (RFC 9110, 10.2.3), as ns from `now_s`, at most
 * PSP_RETRY_AFTER_MOST_NS. 0: none, broken. */
int64_t psp_http_retry_after(const char *value, int64_t now_s);

#endif
