/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_URL_H
#define PSP_AUTH_URL_H
/** @file Where secrets may be sent. Pure. A URL that psp_http_url_check refuses is refused here. */
#include <stdbool.h>

/** https anywhere, or http to loopback. */
bool psp_url_is_safe(const char *url);
bool psp_url_is_https(const char *url);
/** 169.254.0.0/16 or fd00:ec2::254, where clouds have their metadata servers. */
bool psp_url_is_link_local(const char *url);
/** The host is `domain` or ends in ".domain", whole labels, any case; the port is 443 or not given.
 */
bool psp_url_is_within(const char *url, const char *domain);

#endif
