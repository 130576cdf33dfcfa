/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_SERVER_ROUTER_H
#define PSP_HTTP_SERVER_ROUTER_H
/** @file Which route a request takes. Pure. */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "http/server/server.h"

#define PSP_MAX_SEGMENTS 32

typedef struct psp_router psp_router;

/** Copies the routes. NULL: no memory, or a pattern that has no "/" in front or too many parts. */
psp_router *psp_router_new(const psp_route *routes, size_t count);
void psp_router_free(psp_router *router);

typedef enum psp_route_match {
  PSP_FOUND,
  PSP_NOT_FOUND,
  PSP_BAD_PATH,      /**< a broken percent-escape */
  PSP_OTHER_METHODS, /**< the path is known, under the methods in `allow` */
  PSP_NO_MEMORY
} psp_route_match;

typedef struct psp_match {
  const psp_route *route;
  const char *captures[PSP_MAX_SEGMENTS]; /**< in `scratch`; the rest of a "*" in `path` */
  unsigned capture_count;
  char allow[128]; /**< "GET, HEAD, POST, OPTIONS" */
} psp_match;

/** `scratch` is kept by the caller as long as the match. */
psp_route_match psp_router_find(const psp_router *router, const char *method, const char *path,
                                psp_buf *scratch, psp_match *match);

#endif
