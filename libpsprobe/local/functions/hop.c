/* SPDX-License-Identifier: MIT */
#include "local/functions/hop.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static bool is_named(const char *name, const char *list) {
  static const char between[] = ", \t";
  for (list += strspn(list, between); *list != '\0'; list += strspn(list, between)) {
    size_t len = strcspn(list, between);
    if (strlen(name) == len && strncasecmp(list, name, len) == 0) return true;
    list += len;
  }
  return false;
}

bool psp_hop_ends(const char *name, const char *connection) {
  static const char ours[] =
      "Connection, Proxy-Connection, Keep-Alive, TE, Trailer, Transfer-Encoding, Upgrade, "
      "Content-Length, Expect";
  return is_named(name, ours) || (connection != NULL && is_named(name, connection));
}
