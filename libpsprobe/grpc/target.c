/* SPDX-License-Identifier: MIT */
#include "grpc/target.h"

#include <stdio.h>
#include <string.h>

#include "base/shown.h"
#include "http/url.h"

static const char *port_of(const char *target) {
  const char *colon = strrchr(target, ':');
  return colon != NULL && strchr(colon, ']') == NULL ? colon : NULL;
}

psprobe_code psp_target_check(const char *target, psprobe_error *error) {
  char url[300];
  const char *why = "must be host:port";
  bool fits = target != NULL && port_of(target) != NULL && strpbrk(target, "/?") == NULL &&
              (size_t)snprintf(url, sizeof url, "http://%s", target) < sizeof url;
  if (fits && psp_http_url_check(url, &why)) return PSPROBE_OK;
  return psp_setting_refuse(error, "gRPC server", target, "it %s", why);
}

char *psp_target_host(const char *target) {
  const char *colon = port_of(target);
  size_t len = colon != NULL ? (size_t)(colon - target) : strlen(target);
  bool bracketed = len > 1 && target[0] == '[' && target[len - 1] == ']';
  return bracketed ? strndup(target + 1, len - 2) : strndup(target, len);
}
