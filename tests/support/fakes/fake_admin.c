/* SPDX-License-Identifier: MIT */
#include "fake_admin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"
#include "fake_admin_parts.h"

static bool changing(const fake_admin_request *q) {
  return strcmp(q->method, "GET") != 0 && strcmp(q->verb, "getIamPolicy") != 0;
}

/* "/v1/projects/p/topics/t:getIamPolicy" into its parts. False: no path of an API. */
static bool take_apart(fake_admin_request *q, const char *path) {
  static const char *const versions[] = {"v1", "v2", "v3"};
  psp_buf decoded = {0};
  q->version = NULL;
  for (int i = 0; i < 3; i++)
    if (strncmp(path + 1, versions[i], 2) == 0 && path[3] == '/') q->version = versions[i];
  if (q->version == NULL || !psp_percent_decode(&decoded, path + 4, strlen(path + 4))) return false;
  const char *last = strrchr(decoded.data, '/'), *colon = last != NULL ? strchr(last, ':') : NULL;
  size_t len = colon != NULL ? (size_t)(colon - decoded.data) : decoded.len;
  snprintf(q->name, sizeof q->name, "%.*s", (int)len, decoded.data);
  snprintf(q->verb, sizeof q->verb, "%s", colon != NULL ? colon + 1 : "");
  psp_buf_free(&decoded);
  return true;
}

/* Whether a name is one of a sort's list, or in it. */
static bool is_of(const fake_admin_sort *sort, const char *name, bool *list) {
  char prefix[120];
  snprintf(prefix, sizeof prefix, "projects/%s/%s%s", FAKE_ADMIN_PROJECT,
           sort->located ? "locations/europe-west1/" : "", sort->list);
  size_t len = strlen(prefix);
  *list = strcmp(name, prefix) == 0;
  return *list || (strncmp(name, prefix, len) == 0 && name[len] == '/');
}

static bool find_sort(fake_admin_request *q) {
  q->sort = NULL;
  if (strcmp(q->name, "projects/" FAKE_ADMIN_PROJECT) == 0 &&
      strcmp(q->version, strcmp(q->verb, "testIamPermissions") == 0 ? "v1" : "v3") == 0)
    q->sort = &fake_admin_project;
  /* Whatever an operation is of, it may be asked for. */
  if (strstr(q->name, "operations/") != NULL)
    q->sort = &fake_admin_sorts[strcmp(q->version, "v1") == 0 ? 4 : 5];
  for (size_t i = 0; i < FAKE_ADMIN_SORTS && q->sort == NULL; i++)
    if (strcmp(fake_admin_sorts[i].version, q->version) == 0 &&
        is_of(&fake_admin_sorts[i], q->name, &q->list))
      q->sort = &fake_admin_sorts[i];
  return q->sort != NULL;
}

/* A fault that was set for this request; true: it is not to be served. */
static bool is_faulty(fake_admin *g, const fake_admin_request *q, const char *line,
                      fake_admin_reply *r) {
  for (size_t i = 0; i < g->fault_count; i++) {
    fake_admin_fault *f = &g->faults[i];
    if (f->times == 0 || strstr(line, f->part) == NULL) continue;
    f->times--;
    if (f->done) fake_admin_serve(g, q, r);
    r->status = f->status;
    psp_buf_reset(&r->body);
    psp_buf_text(&r->body, f->body);
    return true;
  }
  if (!changing(q) || ++g->changes != g->fail_change) return false;
  g->fail_change = 0;
  if (g->fail_change_done) fake_admin_serve(g, q, r);
  fake_admin_refuse(r, 500, PSPROBE_INTERNAL, "An internal error has occurred", "");
  return true;
}

static void record(fake_admin *g, const fake_admin_request *q, const char *path) {
  psp_json_writer w = {.buf = &g->record};
  psp_json_begin_object(&w);
  psp_json_put_key(&w, "method");
  psp_json_put_string(&w, q->method);
  psp_json_put_key(&w, "path");
  psp_json_put_string(&w, path);
  psp_json_put_key(&w, "query");
  psp_json_put_string(&w, q->query);
  psp_json_put_key(&w, "body");
  if (q->body_len > 0)
    psp_json_put_raw(&w, q->body, q->body_len);
  else
    psp_json_put_null(&w);
  psp_json_end_object(&w);
  psp_buf_char(&g->record, '\n');
}

static void answer(fake_admin *g, psp_exchange *exchange, fake_admin_request *q,
                   fake_admin_reply *r) {
  char line[600];
  const char *path = psp_exchange_path(exchange);
  const char *token = psp_exchange_header(exchange, "authorization");
  snprintf(line, sizeof line, "%s %s%s%s", q->method, path, q->query[0] != 0 ? "?" : "", q->query);
  psp_buf_printf(&g->lines, "%s\n", line);
  if (strcmp(path, "/token") == 0) {
    psp_buf_text(&r->body,
                 "{\"access_token\":\"ya29.fake\",\"expires_in\":3599,\"token_type\":"
                 "\"Bearer\"}");
    return;
  }
  record(g, q, path);
  if (!take_apart(q, path)) {
    fake_admin_refuse(r, 404, PSPROBE_NOT_FOUND, "no such path", "");
  } else if (token == NULL || strncmp(token, "Bearer ", 7) != 0) {
    fake_admin_refuse(r, 401, PSPROBE_UNAUTHENTICATED, "credentials are missing", "");
  } else if (!find_sort(q)) {
    fake_admin_refuse(r, 403, PSPROBE_PERMISSION_DENIED,
                      "Permission denied on resource (or it may not exist)", "");
  } else if (fake_admin_is_off(g, q->sort->api)) {
    fake_admin_refuse(r, 403, PSPROBE_PERMISSION_DENIED, "The API has not been used before",
                      "SERVICE_DISABLED");
  } else if (!is_faulty(g, q, line, r)) {
    fake_admin_serve(g, q, r);
  }
}

static void handle(void *arg, psp_exchange *exchange) {
  fake_admin *g = arg;
  fake_admin_request q = {.method = psp_exchange_method(exchange),
                          .query = psp_exchange_raw_query(exchange)};
  fake_admin_reply r = {.status = 200};
  q.body = psp_exchange_body(exchange, &q.body_len);
  pthread_mutex_lock(&g->lock);
  answer(g, exchange, &q, &r);
  pthread_mutex_unlock(&g->lock);
  psp_exchange_reply(exchange, r.status, "application/json", r.body.data != NULL ? r.body.data : "",
                     r.body.len);
  psp_buf_free(&r.body);
}

/* ---- for the tests ---- */

fake_admin *fake_admin_start(void) {
  fake_admin *g = calloc(1, sizeof *g);
  assert_non_null(g);
  pthread_mutex_init(&g->lock, NULL);
  const psp_route routes[] = {{"*", "/*", handle, g}};
  const psp_server_options options = {.listen = "127.0.0.1:0", .routes = routes, .route_count = 1};
  assert_int_equal(psp_server_new(&options, &g->server, NULL), PSPROBE_OK);
  return g;
}

void fake_admin_stop(fake_admin *g) {
  psp_server_free(g->server);
  for (size_t i = 0; i < g->count; i++) {
    free(g->things[i].json);
    free(g->things[i].policy);
  }
  for (size_t i = 0; i < g->operation_count; i++)
    free(g->operations[i].json);
  pthread_mutex_destroy(&g->lock);
  psp_buf_free(&g->record);
  psp_buf_free(&g->lines);
  free(g);
}

const char *fake_admin_url(const fake_admin *g) {
  return psp_server_url(g->server);
}

void fake_admin_turn_off(fake_admin *g, const char *api) {
  pthread_mutex_lock(&g->lock);
  assert_true(g->off_count < sizeof g->off / sizeof *g->off);
  snprintf(g->off[g->off_count++], sizeof *g->off, "%s", api);
  pthread_mutex_unlock(&g->lock);
}

void fake_admin_put(fake_admin *g, const char *name, const char *json) {
  pthread_mutex_lock(&g->lock);
  fake_admin_thing *t = fake_admin_need(g, name);
  free(t->json);
  t->json = psp_strdup(json);
  t->state = "CONDITION_SUCCEEDED";
  pthread_mutex_unlock(&g->lock);
}

void fake_admin_put_policy(fake_admin *g, const char *name, const char *json) {
  pthread_mutex_lock(&g->lock);
  fake_admin_thing *t = fake_admin_need(g, name);
  free(t->policy);
  t->policy = psp_strdup(json);
  t->etag++;
  pthread_mutex_unlock(&g->lock);
}

char *fake_admin_get(fake_admin *g, const char *name) {
  pthread_mutex_lock(&g->lock);
  const fake_admin_thing *t = fake_admin_find(g, name);
  char *json = t != NULL ? psp_strdup(t->json) : NULL;
  pthread_mutex_unlock(&g->lock);
  return json;
}

char *fake_admin_get_policy(fake_admin *g, const char *name) {
  psp_buf out = {0};
  pthread_mutex_lock(&g->lock);
  fake_admin_put_shown(fake_admin_find(g, name), true, &out);
  pthread_mutex_unlock(&g->lock);
  return psp_buf_take(&out, NULL);
}

size_t fake_admin_count(fake_admin *g, const char *part) {
  size_t count = 0;
  pthread_mutex_lock(&g->lock);
  for (size_t i = 0; i < g->count; i++)
    count += g->things[i].json != NULL && strstr(g->things[i].name, part) != NULL;
  pthread_mutex_unlock(&g->lock);
  return count;
}

void fake_admin_set_polls(fake_admin *g, unsigned polls) {
  g->polls = polls;
}

void fake_admin_fail(fake_admin *g, const char *part, unsigned times, int status, const char *body,
                     bool done) {
  pthread_mutex_lock(&g->lock);
  assert_true(g->fault_count < FAKE_ADMIN_FAULTS);
  fake_admin_fault *f = &g->faults[g->fault_count++];
  *f = (fake_admin_fault){.times = times, .status = status, .done = done};
  snprintf(f->part, sizeof f->part, "%s", part);
  snprintf(f->body, sizeof f->body, "%s", body);
  pthread_mutex_unlock(&g->lock);
}

void fake_admin_fail_change(fake_admin *g, unsigned nth, bool done) {
  pthread_mutex_lock(&g->lock);
  g->fail_change = g->changes + nth;
  g->fail_change_done = done;
  pthread_mutex_unlock(&g->lock);
}

void fake_admin_fail_operation(fake_admin *g, const char *part, int code, const char *message) {
  pthread_mutex_lock(&g->lock);
  snprintf(g->fail_target, sizeof g->fail_target, "%s", part);
  snprintf(g->fail_message, sizeof g->fail_message, "%s", message);
  g->fail_code = code;
  pthread_mutex_unlock(&g->lock);
}

unsigned fake_admin_requests(fake_admin *g, const char *part) {
  unsigned count = 0;
  pthread_mutex_lock(&g->lock);
  for (const char *line = g->lines.data; line != NULL && *line != 0;) {
    const char *end = strchr(line, '\n'), *at = strstr(line, part);
    if (at != NULL && at < end) count++;
    line = end + 1;
  }
  pthread_mutex_unlock(&g->lock);
  return count;
}

unsigned fake_admin_changes(fake_admin *g) {
  pthread_mutex_lock(&g->lock);
  unsigned changes = g->changes;
  pthread_mutex_unlock(&g->lock);
  return changes;
}

char *fake_admin_record(fake_admin *g) {
  pthread_mutex_lock(&g->lock);
  char *text = psp_strdup(g->record.data);
  pthread_mutex_unlock(&g->lock);
  return text;
}
