/* SPDX-License-Identifier: MIT */
#include "http/server/router.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

typedef struct pattern {
  psp_route route;
  char *text;                          /* the method, then the pattern's parts */
  const char *parts[PSP_MAX_SEGMENTS]; /* NULL: "{}" */
  size_t count;
  bool rest; /* a "*" follows the parts */
} pattern;

struct psp_router {
  size_t count;
  pattern patterns[];
};

/* A path cut at its slashes. */
typedef struct path_parts {
  const char *decoded[PSP_MAX_SEGMENTS];
  const char *raw[PSP_MAX_SEGMENTS]; /* each reaches to the end of the path */
  size_t count;
} path_parts;

static bool compile(pattern *p, const psp_route *route) {
  size_t method_len = strlen(route->method) + 1, len = strlen(route->pattern) + 1;
  p->route = *route;
  p->text = malloc(method_len + len);
  if (p->text == NULL || *route->pattern != '/') return false;
  memcpy(p->text, route->method, method_len);
  memcpy(p->text + method_len, route->pattern, len);
  p->route.method = p->text;
  p->route.pattern = NULL; /* it stands in parts now */
  char *part = p->text + method_len + 1;
  for (;;) {
    char *slash = strchr(part, '/');
    if (slash != NULL) *slash = 0;
    if (slash == NULL && strcmp(part, "*") == 0) {
      p->rest = true;
      return true;
    }
    if (p->count == PSP_MAX_SEGMENTS) return false;
    p->parts[p->count++] = strcmp(part, "{}") == 0 ? NULL : part;
    if (slash == NULL) return true;
    part = slash + 1;
  }
}

psp_router *psp_router_new(const psp_route *routes, size_t count) {
  psp_router *router = calloc(1, sizeof *router + count * sizeof *router->patterns);
  if (router == NULL) return NULL;
  for (size_t i = 0; i < count; i++) {
    router->count++;
    if (!compile(&router->patterns[i], &routes[i])) {
      psp_router_free(router);
      return NULL;
    }
  }
  return router;
}

void psp_router_free(psp_router *router) {
  if (router == NULL) return;
  for (size_t i = 0; i < router->count; i++)
    free(router->patterns[i].text);
  free(router);
}

/* Cuts `path` into parts, decoded in a copy: decoding never makes a part longer. */
static psp_route_match cut(const char *path, psp_buf *scratch, path_parts *out) {
  size_t len = strlen(path);
  out->count = 0;
  if (*path != '/') return PSP_NOT_FOUND;
  psp_buf_reset(scratch);
  if (!psp_buf_reserve(scratch, len + 1)) return PSP_NO_MEMORY;
  const char *part = path + 1;
  for (;;) {
    size_t part_len = strcspn(part, "/");
    if (out->count == PSP_MAX_SEGMENTS) return PSP_FOUND; /* only a "*" reaches further */
    size_t at = scratch->len;
    if (memchr(part, '%', part_len) == NULL)
      psp_buf_add(scratch, part, part_len);
    else if (!psp_percent_decode(scratch, part, part_len))
      return PSP_BAD_PATH;
    psp_buf_char(scratch, 0);
    out->raw[out->count] = part;
    out->decoded[out->count++] = scratch->data + at;
    if (!part[part_len]) return scratch->failed ? PSP_NO_MEMORY : PSP_FOUND;
    part += part_len + 1;
  }
}

static bool fits(const pattern *p, const path_parts *parts, bool overlong, psp_match *match) {
  if (p->rest ? parts->count <= p->count : parts->count != p->count || overlong) return false;
  unsigned captured = 0;
  for (size_t i = 0; i < p->count; i++) {
    const char *part = parts->decoded[i];
    if (p->parts[i] != NULL ? strcmp(p->parts[i], part) != 0 : !*part) return false;
    if (p->parts[i] == NULL) match->captures[captured++] = part;
  }
  if (p->rest) match->captures[captured++] = parts->raw[p->count];
  match->capture_count = captured;
  return true;
}

static bool serves(const char *route, const char *method) {
  return strcmp(route, "*") == 0 || strcmp(route, method) == 0 ||
         (strcmp(route, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void allow(psp_match *match, const char *method) {
  size_t used = strlen(match->allow), len = strlen(method);
  for (const char *at = match->allow; (at = strstr(at, method)) != NULL; at += len) {
    if ((at == match->allow || at[-1] == ' ') && (at[len] == ',' || !at[len])) return;
  }
  if (used + len + 3 > sizeof match->allow) return;
  if (used > 0) {
    memcpy(match->allow + used, ", ", 2);
    used += 2;
  }
  memcpy(match->allow + used, method, len + 1);
}

psp_route_match psp_router_find(const psp_router *router, const char *method, const char *path,
                                psp_buf *scratch, psp_match *match) {
  path_parts parts;
  match->route = NULL;
  match->capture_count = 0;
  match->allow[0] = 0;
  psp_route_match found = cut(path, scratch, &parts);
  if (found != PSP_FOUND) return found;
  bool overlong =
      parts.count == PSP_MAX_SEGMENTS && strchr(parts.raw[parts.count - 1], '/') != NULL;
  for (size_t i = 0; i < router->count; i++) {
    const pattern *p = &router->patterns[i];
    if (!fits(p, &parts, overlong, match)) continue;
    if (serves(p->route.method, method)) {
      match->route = &p->route;
      return PSP_FOUND;
    }
    allow(match, p->route.method);
    if (strcmp(p->route.method, "GET") == 0) allow(match, "HEAD");
  }
  match->capture_count = 0;
  if (!match->allow[0]) return PSP_NOT_FOUND;
  allow(match, "OPTIONS");
  return PSP_OTHER_METHODS;
}
