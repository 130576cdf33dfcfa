/* SPDX-License-Identifier: MIT */
/** @file Who may ask: names that are ours, in a request's Host. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "report/live/parts.h"

static bool is_address(const char *host) {
  struct in_addr four;
  struct in6_addr six;
  return inet_pton(AF_INET, host, &four) == 1 || inet_pton(AF_INET6, host, &six) == 1;
}

static bool is_here(const char *host) {
  return strcmp(host, "::1") == 0 || strcasecmp(host, "localhost") == 0 ||
         (is_address(host) && strncmp(host, "127.", 4) == 0);
}

bool psp_dashboard_host_ok(const psprobe_dashboard *d, const char *host) {
  psp_listen_address at = {.port = 0};
  char text[PSP_LISTEN_HOST + 8];
  const char *why;
  /* Only what is older than HTTP/1.1, and no browser, does without. */
  if (host == NULL) return true;
  bool port = strrchr(host, ':') != NULL && strrchr(host, ':') > strchr(host, ']');
  if ((size_t)snprintf(text, sizeof text, port ? "%s" : "%s:80", host) >= sizeof text) return false;
  if (!psp_listen_parse(text, &at, &why)) return false;
  bool any = d->host[0] == '\0' || strcmp(d->host, "0.0.0.0") == 0 || strcmp(d->host, "::") == 0;
  if (is_here(at.host) || strcasecmp(at.host, d->host) == 0) return true;
  /* An address leads nowhere else, so nobody else's page can be behind it. */
  if (any && is_address(at.host)) return true;
  for (size_t i = 0; d->hosts[i] != NULL; i++)
    if (strcasecmp(d->hosts[i], at.host) == 0) return true;
  return false;
}

bool psp_dashboard_set_hosts(psprobe_dashboard *d, const psprobe_dashboard_options *options) {
  psp_listen_address at;
  const char *why;
  bool ok = true;
  if (psp_listen_parse(options->listen != NULL ? options->listen : PSP_DASHBOARD_LISTEN, &at, &why))
    memcpy(d->host, at.host, sizeof d->host);
  for (size_t i = 0; i < options->host_count && i < PSP_DASHBOARD_HOSTS; i++)
    ok &= (d->hosts[i] = psp_strdup(options->hosts[i])) != NULL;
  return ok;
}
