/* SPDX-License-Identifier: MIT */
/** @file What may stand in the options of a client. */
#include <string.h>

#include "auth/url.h"
#include "base/shown.h"
#include "base/text.h"
#include "client/parts.h"
#include "http/url.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

bool psp_project_check(const char *text, const char **why) {
  /* Google's own rule is in the message. It is not enforced: emulators take any id, old projects
   * are domain-scoped ("example.com:pp"), and a name that only Google refuses, Google explains. */
  static const char rule[] =
      "a project id is 6 to 30 lower-case letters, digits and hyphens, begins with a letter and "
      "does not end with a hyphen (emulators also take others, without spaces and slashes)";
  size_t len = strlen(text);
  if (len == 0) {
    *why = "it is empty; a project id is 6 to 30 lower-case letters, digits and hyphens";
    return false;
  }
  if (len > 128 || strspn(text, LETTERS DIGITS "-_.:~") != len) {
    *why = rule;
    return false;
  }
  return true;
}

psprobe_code psp_project_named(const char *text, psprobe_error *error) {
  const char *why = NULL;
  if (psp_project_check(text, &why)) return PSPROBE_OK;
  return psp_setting_refuse(error, "project", text, "%s", why);
}

bool psp_database_check(const char *text, const char **why) {
  if (psp_text_equal(text, "(default)")) return true;
  size_t len = strlen(text);
  if (len == 0 || len > 63 || strspn(text, LETTERS DIGITS "-_") != len) {
    *why =
        "a database id is \"(default)\", or 4 to 63 lower-case letters, digits and hyphens, a "
        "letter first";
    return false;
  }
  return true;
}

static const char emulator_rule[] = "it must be host:port, as 127.0.0.1:8085 or [::1]:8085";

bool psp_emulator_host_check(const char *text, const char **why) {
  *why = emulator_rule;
  if (strstr(text, "://") != NULL) {
    *why = "it must be host:port alone, without http:// before it";
    return false;
  }
  const char *colon = strrchr(text, ':');
  if (colon == NULL) {
    *why = "the port is missing: it must be host:port";
    return false;
  }
  size_t host = (size_t)(colon - text);
  int64_t port;
  if (!psp_parse_int64(colon + 1, 1, 65535, &port)) {
    *why = strchr(colon, '/') != NULL ? "it must be host:port alone, without a path"
                                      : "the port must be a number from 1 to 65535";
    return false;
  }
  if (text[0] == '[') {
    return host > 3 && text[host - 1] == ']' &&
           strspn(text + 1, DIGITS "abcdefABCDEF:.") == host - 2;
  }
  return host > 0 && strspn(text, LETTERS DIGITS "-_.") == host;
}

bool psp_endpoint_check(const char *text, const char **why) {
  if (!psp_http_url_check(text, why)) return false;
  if (strpbrk(text, "?#") != NULL) {
    *why = "a base URL has no query and no fragment";
    return false;
  }
  if (!psp_url_is_safe(text)) {
    *why =
        "it must be https, without a user part: access tokens are sent there (http is for this "
        "machine's loopback addresses only)";
    return false;
  }
  return true;
}
