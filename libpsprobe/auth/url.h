/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_URL_H
#define PSP_AUTH_URL_H
/** @file Where secrets may be sent. Pure. */
#include <stdbool.h>
#include <stddef.h>

/** The parts of an absolute http or https URL; host without brackets, in place. */
typedef struct psp_url_parts {
  bool https;
  const char *host;
  size_t host_len;
  bool user;        /**< there is a user part */
  bool fragment;    /**< there is a '#' */
  int port;         /**< 0: not given */
  const char *path; /**< from '/', '?' or the end */
} psp_url_parts;

/** False: no absolute http or https URL, or one with bytes that none has. */
bool psp_url_split(const char *url, psp_url_parts *parts);
/** 127.0.0.0/8, ::1 or localhost, as literals: no name is looked up. */
bool psp_url_is_loopback(const psp_url_parts *parts);
/** 169.254.0.0/16 or fd00:ec2::254, where clouds have their metadata servers. */
bool psp_url_is_link_local(const psp_url_parts *parts);
/** https anywhere, or http to loopback, without a user part. */
bool psp_url_is_safe(const char *url);
/** The host is `domain` or ends in ".domain", whole labels, any case. */
bool psp_url_host_within(const psp_url_parts *parts, const char *domain);

#endif
