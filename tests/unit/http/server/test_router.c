/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/server/router.h"

static const psp_route routes[] = {
    {"GET", "/", NULL, (void *)"root"},
    {"POST", "/{}/{}", NULL, (void *)"answer"},
    {"GET", "/health/live", NULL, (void *)"live"},
    {"PUT", "/v1/projects/{}/topics/{}", NULL, (void *)"put topic"},
    {"GET", "/v1/projects/{}/topics/{}", NULL, (void *)"get topic"},
    {"DELETE", "/v1/projects/{}/topics/{}", NULL, (void *)"delete topic"},
    {"GET", "/v1/projects/{}/databases/{}/documents/*", NULL, (void *)"documents"},
    {"*", "/any", NULL, (void *)"any"},
    {"OPTIONS", "/options", NULL, (void *)"options"},
    {"POST", "/options", NULL, (void *)"post"},
};

/* "name(capture,capture)", or what was found instead of a route. */
static const char *find(psp_router *router, const char *method, const char *path) {
  static char out[512];
  static psp_buf scratch;
  psp_match match;
  switch (psp_router_find(router, method, path, &scratch, &match)) {
    case PSP_FOUND:
      break;
    case PSP_NOT_FOUND:
      snprintf(out, sizeof out, "404");
      psp_buf_free(&scratch);
      return out;
    case PSP_BAD_PATH:
      snprintf(out, sizeof out, "400");
      psp_buf_free(&scratch);
      return out;
    default:
      snprintf(out, sizeof out, "405 %s", match.allow);
      psp_buf_free(&scratch);
      return out;
  }
  int used = snprintf(out, sizeof out, "%s(", (const char *)match.route->arg);
  for (unsigned i = 0; i < match.capture_count; i++)
    used +=
        snprintf(out + used, sizeof out - (size_t)used, "%s%s", i ? "," : "", match.captures[i]);
  snprintf(out + used, sizeof out - (size_t)used, ")");
  psp_buf_free(&scratch);
  return out;
}

static void test_matching(void **state) {
  (void)state;
  psp_router *router = psp_router_new(routes, sizeof routes / sizeof *routes);
  assert_non_null(router);
  static const struct {
    const char *method, *path, *want;
  } cases[] = {
      {"GET", "/", "root()"},
      {"HEAD", "/", "root()"},
      {"POST", "/cloud_function/abc", "answer(cloud_function,abc)"},
      {"POST", "/cloud%5ffunction/a%2Fb%20c+d", "answer(cloud_function,a/b c+d)"},
      {"POST", "/a/b/", "404"},
      {"POST", "/a//", "404"},
      {"POST", "//b", "404"},
      {"POST", "/a", "404"},
      {"POST", "", "404"},
      {"POST", "*", "404"},
      {"POST", "a/b", "404"},
      {"GET", "/health/live", "live()"},
      {"GET", "/he%61lth/live", "live()"},
      {"POST", "/health/live", "answer(health,live)"},
      {"DELETE", "/health/live", "405 POST, GET, HEAD, OPTIONS"},
      {"GET", "/a/b", "405 POST, OPTIONS"},
      {"get", "/", "405 GET, HEAD, OPTIONS"},
      {"PUT", "/v1/projects/p/topics/t", "put topic(p,t)"},
      {"GET", "/v1/projects/p/topics/t:publish", "get topic(p,t:publish)"},
      {"POST", "/v1/projects/p/topics/t", "405 PUT, GET, HEAD, DELETE, OPTIONS"},
      {"GET", "/v1/projects/p/databases/(default)/documents/", "documents(p,(default),)"},
      {"GET", "/v1/projects/p/databases/(default)/documents/a/b%2fc//d",
       "documents(p,(default),a/b%2fc//d)"},
      {"GET", "/v1/projects/p/databases/(default)/documents", "404"},
      {"PATCH", "/any", "any()"},
      {"OPTIONS", "/any", "any()"},
      {"OPTIONS", "/options", "options()"},
      {"OPTIONS", "/", "405 GET, HEAD, OPTIONS"},
      {"GET", "/%", "400"},
      {"GET", "/a/%zz", "400"},
      {"GET", "/a/%00", "400"},
      {"GET", "/a/b%2", "400"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *got = find(router, cases[i].method, cases[i].path);
    if (strcmp(got, cases[i].want) != 0)
      fail_msg("%s %s gives %s, not %s", cases[i].method, cases[i].path, got, cases[i].want);
  }
  psp_router_free(router);
}

static void test_many_segments(void **state) {
  (void)state;
  const psp_route all[] = {{"GET", "/*", NULL, (void *)"rest"},
                           {"GET", "/a/a", NULL, (void *)"two"}};
  psp_router *router = psp_router_new(all, 2), *two = psp_router_new(all + 1, 1);
  char path[401] = "", want[512];
  for (int i = 0; i < 200; i++)
    strcat(path, "/a");
  snprintf(want, sizeof want, "rest(%s)", path + 1);
  assert_string_equal(find(router, "GET", path), want);
  assert_string_equal(find(two, "GET", path), "404");
  psp_router_free(router);
  psp_router_free(two);

  /* As many as there is room for, one more, and none at all. */
  char pattern[256] = "";
  for (int i = 0; i < PSP_MAX_SEGMENTS; i++)
    strcat(pattern, "/{}");
  psp_route full = {"GET", pattern, NULL, (void *)"full"};
  router = psp_router_new(&full, 1);
  path[PSP_MAX_SEGMENTS * 2] = 0;
  assert_non_null(strstr(find(router, "GET", path), "full(a,a,"));
  strcat(path, "/a");
  assert_string_equal(find(router, "GET", path), "404");
  psp_router_free(router);
  strcat(pattern, "/{}");
  assert_null(psp_router_new(&full, 1));
  assert_null(psp_router_new(&(psp_route){"GET", "no-slash", NULL, NULL}, 1));
  router = psp_router_new(NULL, 0);
  assert_string_equal(find(router, "GET", "/"), "404");
  psp_router_free(router);
  psp_router_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_matching),
                                     cmocka_unit_test(test_many_segments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
