/* SPDX-License-Identifier: MIT */
/** @file Which route a request takes: the first line of the input is the method, the rest the path.
 */
#include <string.h>

#include "fuzz.h"
#include "http/server/router.h"

static const psp_route routes[] = {
    {"GET", "/", NULL, NULL},
    {"POST", "/{}/{}", NULL, NULL},
    {"GET", "/health/live", NULL, NULL},
    {"PUT", "/v1/projects/{}/topics/{}", NULL, NULL},
    {"POST", "/v1/projects/{}/databases/{}/documents:commit", NULL, NULL},
    {"GET", "/v1/projects/{}/databases/{}/documents/*", NULL, NULL},
    {"*", "/any", NULL, NULL},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  psp_router *router = psp_router_new(routes, sizeof routes / sizeof *routes);
  FUZZ_ASSERT(text != NULL && router != NULL);
  memcpy(text, data, size);
  text[size] = '\0';
  char *path = strchr(text, '\n');
  if (path != NULL) {
    *path++ = '\0';
    psp_buf scratch = {0};
    psp_match match;
    if (psp_router_find(router, text, path, &scratch, &match) == PSP_FOUND) {
      FUZZ_ASSERT(match.route != NULL && match.capture_count <= PSP_MAX_SEGMENTS);
      for (unsigned i = 0; i < match.capture_count; i++)
        FUZZ_ASSERT(strlen(match.captures[i]) <= strlen(path));
    }
    psp_buf_free(&scratch);
  }
  psp_router_free(router);
  free(text);
  return 0;
}
