/* SPDX-License-Identifier: MIT */
#include "local/rest.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Cuts ":verb" off the end of the last segment, if it is one of `verbs`. */
static char *cut_verb(char *raw, const char *const *verbs) {
  char *colon = strrchr(raw, ':');
  if (!colon || strchr(colon, '/')) return NULL;
  for (; *verbs; verbs++) {
    if (strcmp(colon + 1, *verbs) != 0) continue;
    *colon = '\0';
    return colon + 1;
  }
  return NULL;
}

/* Decoded text is never longer, so it goes where the encoded was. */
static bool decode(char *segment) {
  if (!strchr(segment, '%')) return true;
  psp_buf out = {0};
  bool ok = psp_percent_decode(&out, segment, strlen(segment)) && !out.failed;
  if (ok && (!out.data || strchr(out.data, '/'))) ok = false;
  if (ok) memcpy(segment, out.data, out.len + 1);
  psp_buf_free(&out);
  return ok;
}

bool psp_rest_path_parse(const char *raw, const char *const *verbs, psp_rest_path *path) {
  *path = (psp_rest_path){0};
  if (*raw == '/') raw++;
  size_t count = 1;
  for (const char *at = raw; *at; at++)
    count += *at == '/';
  path->memory = psp_strdup(raw);
  path->segments = calloc(count, sizeof *path->segments);
  bool ok = path->memory && path->segments;
  if (ok) path->verb = cut_verb(path->memory, verbs);
  for (char *at = path->memory; ok && at;) {
    char *slash = strchr(at, '/');
    if (slash) *slash++ = '\0';
    ok = decode(at);
    path->segments[path->count++] = at;
    at = slash;
  }
  if (!ok) psp_rest_path_free(path);
  return ok;
}

void psp_rest_path_free(psp_rest_path *path) {
  free(path->segments);
  free(path->memory);
  *path = (psp_rest_path){0};
}

char *psp_rest_path_join(const psp_rest_path *path, size_t first, size_t end) {
  psp_buf out = {0};
  for (size_t i = first; i < end && i < path->count; i++) {
    if (i > first) psp_buf_char(&out, '/');
    psp_buf_text(&out, path->segments[i]);
  }
  char *text = psp_buf_take(&out, NULL);
  psp_buf_free(&out);
  return text;
}
