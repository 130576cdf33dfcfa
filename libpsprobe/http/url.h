/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_URL_H
#define PSP_HTTP_URL_H
/** @file The check of a URL, and parts of one that has passed it. Pure. */
#include <stdbool.h>
#include <stddef.h>

/**
 * True for an absolute http or https URL with a host, without user name, password or fragment, in
 * printable ASCII. `why` (may be NULL) receives the rule it breaks: "must begin with http:// or
 * https://".
 */
bool psp_http_url_check(const char *url, const char **why);

/** "host:port" inside `url`, `len` bytes; empty when there is none. */
const char *psp_http_url_authority(const char *url, size_t *len);
/** Bytes of "scheme://host:port", the part that Cloud Run takes as a service's audience. */
size_t psp_http_url_origin_len(const char *url);
/** Names this machine: localhost, a name below it, 127.0.0.0/8, ::1, or an address of all (0.0.0.0,
 * ::); IPv4 in any spelling, also as IPv6. */
bool psp_http_url_is_loopback(const char *url);

#endif
