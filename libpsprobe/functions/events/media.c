/* SPDX-License-Identifier: MIT */
#include "functions/events/media.h"

#include <string.h>
#include <strings.h>

/* Its essence, without parameters and blanks. */
static size_t essence(const char *type) {
  size_t len = strcspn(type, ";");
  while (len > 0 && (type[len - 1] == ' ' || type[len - 1] == '\t'))
    len--;
  return len;
}

bool psp_media_is(const char *type, const char *name) {
  return type != NULL && essence(type) == strlen(name) &&
         strncasecmp(type, name, strlen(name)) == 0;
}

bool psp_media_starts(const char *type, const char *prefix) {
  return type != NULL && strncasecmp(type, prefix, strlen(prefix)) == 0;
}

bool psp_media_is_json(const char *type) {
  if (psp_media_is(type, "application/json") || psp_media_is(type, "text/json")) return true;
  size_t len = type != NULL ? essence(type) : 0;
  return len > 5 && strncasecmp(type + len - 5, "+json", 5) == 0;
}

/* The value of its charset parameter, without quotes; NULL: it has none. */
static const char *charset(const char *type, size_t *len) {
  for (const char *at = strchr(type, ';'); at != NULL; at = strchr(at, ';')) {
    at += 1 + strspn(at + 1, " \t");
    if (strncasecmp(at, "charset=", 8) != 0) continue;
    at += 8;
    if (*at == '"') at++;
    *len = strcspn(at, "\"; \t");
    return at;
  }
  return NULL;
}

bool psp_media_is_utf8(const char *type) {
  static const char *const known[] = {"utf-8", "utf8", "us-ascii"};
  size_t len = 0;
  const char *name = type != NULL ? charset(type, &len) : NULL;
  if (name == NULL) return true;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strlen(known[i]) == len && strncasecmp(name, known[i], len) == 0) return true;
  return false;
}
