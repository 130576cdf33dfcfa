/* SPDX-License-Identifier: MIT */
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

#define P       "projects/" FAKE_ADMIN_PROJECT
#define RUNNING "CONDITION_RECONCILING"
#define READY   "CONDITION_SUCCEEDED"
#define BROKEN  "CONDITION_FAILED"

const fake_admin_sort fake_admin_sorts[FAKE_ADMIN_SORTS] = {
    {"topics", "v1", "pubsub.googleapis.com", false, false},
    {"subscriptions", "v1", "pubsub.googleapis.com", false, false},
    {"serviceAccounts", "v1", "iam.googleapis.com", false, false},
    {"databases", "v1", "firestore.googleapis.com", false, true},
    {"services", "v1", "serviceusage.googleapis.com", false, true},
    {"services", "v2", "run.googleapis.com", true, true},
    {"workerPools", "v2", "run.googleapis.com", true, true},
    {"triggers", "v1", "eventarc.googleapis.com", true, true},
};
const fake_admin_sort fake_admin_project = {"projects", "v3", "cloudresourcemanager.googleapis.com",
                                            false, false};

void fake_admin_refuse(fake_admin_reply *r, int status, psprobe_code code, const char *message,
                       const char *reason) {
  r->status = status;
  psp_buf_reset(&r->body);
  psp_buf_printf(&r->body,
                 "{\"error\":{\"code\":%d,\"status\":\"%s\",\"message\":\"%s\",\"details\":[{"
                 "\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"%s\"}]}}",
                 status, psprobe_code_name(code), message, reason);
}

fake_admin_thing *fake_admin_find(fake_admin *g, const char *name) {
  for (size_t i = 0; i < g->count; i++)
    if (strcmp(g->things[i].name, name) == 0) return &g->things[i];
  return NULL;
}

fake_admin_thing *fake_admin_need(fake_admin *g, const char *name) {
  fake_admin_thing *t = fake_admin_find(g, name);
  if (t != NULL) return t;
  assert_true(g->count < FAKE_ADMIN_THINGS);
  t = &g->things[g->count++];
  memset(t, 0, sizeof *t);
  assert_true(snprintf(t->name, sizeof t->name, "%s", name) < (int)sizeof t->name);
  return t;
}

static void set_json(fake_admin *g, const char *name, char *json, const char *state) {
  fake_admin_thing *t = fake_admin_need(g, name);
  free(t->json);
  t->json = json;
  t->state = state;
}

static void drop(fake_admin *g, const char *name) {
  fake_admin_thing *t = fake_admin_find(g, name);
  if (t == NULL) return;
  free(t->json);
  free(t->policy);
  *t = g->things[--g->count];
}

bool fake_admin_is_off(const fake_admin *g, const char *api) {
  for (size_t i = 0; i < g->off_count; i++)
    if (strcmp(g->off[i], api) == 0) return true;
  return false;
}

/* ---- policies ---- */

static bool wants_conditions(const fake_admin_request *q) {
  return strstr(q->query, "requestedPolicyVersion=3") != NULL ||
         strstr(q->body, "\"requestedPolicyVersion\":3") != NULL;
}

/* Who does not ask for version 3 does not see the bindings that have conditions. */
static void put_bindings(const psp_json *policy, bool conditions, psp_json_writer *w) {
  psp_json_put_key(w, "bindings");
  psp_json_begin_array(w);
  const psp_json *b = psp_json_first(psp_json_get(policy, "bindings"));
  for (; b != NULL; b = psp_json_next(b))
    if (conditions || psp_json_get(b, "condition") == NULL) psp_json_put_json(w, b);
  psp_json_end_array(w);
}

void fake_admin_put_shown(const fake_admin_thing *t, bool conditions, psp_buf *out) {
  psp_json *policy = NULL;
  char etag[32];
  psp_json_writer w = {.buf = out};
  if (t != NULL && t->policy != NULL)
    assert_int_equal(psp_json_parse(t->policy, strlen(t->policy), "policy", &policy, NULL), 0);
  psp_json_begin_object(&w);
  const psp_json *m = psp_json_first(policy);
  for (; m != NULL; m = psp_json_next(m)) {
    if (strcmp(psp_json_key(m), "bindings") == 0 || strcmp(psp_json_key(m), "etag") == 0) continue;
    psp_json_put_key(&w, psp_json_key(m));
    psp_json_put_json(&w, m);
  }
  put_bindings(policy, conditions, &w);
  snprintf(etag, sizeof etag, "etag-%u", t != NULL ? t->etag : 0);
  psp_json_put_key(&w, "etag");
  psp_json_put_string(&w, etag);
  psp_json_end_object(&w);
  psp_json_free(policy);
}

static void set_policy(fake_admin *g, const fake_admin_request *q, fake_admin_reply *r) {
  psp_json *body = NULL;
  char etag[32];
  const fake_admin_thing *before = fake_admin_find(g, q->name);
  snprintf(etag, sizeof etag, "etag-%u", before != NULL ? before->etag : 0);
  assert_int_equal(psp_json_parse(q->body, q->body_len, "body", &body, NULL), 0);
  const psp_json *policy = psp_json_get(body, "policy");
  const char *given = psp_json_string(psp_json_get(policy, "etag"));
  if (given != NULL && strcmp(given, etag) != 0) {
    fake_admin_refuse(r, 409, PSPROBE_ABORTED, "There were concurrent policy changes.", "");
  } else {
    fake_admin_thing *t = fake_admin_need(g, q->name);
    psp_buf text = {0};
    psp_json_writer w = {.buf = &text};
    psp_json_put_json(&w, policy);
    free(t->policy);
    t->policy = psp_buf_take(&text, NULL);
    t->etag++;
    fake_admin_put_shown(t, true, &r->body);
  }
  psp_json_free(body);
}

/* ---- things ---- */

/* What is kept of a body: of an account's the account, of a PATCH's the thing. */
static char *kept(const fake_admin_request *q, const char *name) {
  psp_json *body = NULL;
  psp_buf text = {0};
  psp_json_writer w = {.buf = &text};
  assert_int_equal(psp_json_parse(q->body, q->body_len, "body", &body, NULL), 0);
  const psp_json *inner = psp_json_get2(body, "serviceAccount", "subscription");
  if (!psp_json_is_object(inner)) inner = body;
  psp_json_begin_object(&w);
  psp_json_put_key(&w, "name");
  psp_json_put_string(&w, name);
  for (const psp_json *m = psp_json_first(inner); m != NULL; m = psp_json_next(m)) {
    if (strcmp(psp_json_key(m), "name") == 0) continue;
    psp_json_put_key(&w, psp_json_key(m));
    psp_json_put_json(&w, m);
  }
  psp_json_end_object(&w);
  psp_json_free(body);
  return psp_buf_take(&text, NULL);
}

static void show(const fake_admin_request *q, const fake_admin_thing *t, psp_buf *out) {
  if (strcmp(q->sort->version, "v2") != 0) {
    psp_buf_text(out, t->json);
    return;
  }
  psp_buf_printf(out, "%.*s,\"terminalCondition\":{\"type\":\"Ready\",\"state\":\"%s\"}}",
                 (int)strlen(t->json) - 1, t->json, t->state);
}

static void put_operation(const fake_admin_operation *o, bool failed, int code, const char *message,
                          psp_buf *out) {
  psp_buf_printf(out, "{\"name\":\"%s\"", o->name);
  if (o->polls == 0) psp_buf_text(out, ",\"done\":true");
  if (o->polls == 0 && failed)
    psp_buf_printf(out, ",\"error\":{\"code\":%d,\"message\":\"%s\"}", code, message);
  if (o->polls == 0 && !failed) psp_buf_text(out, ",\"response\":{}");
  psp_buf_char(out, '}');
}

/* It is done: then what it was for is there, or gone, or broken. */
static void end_operation(fake_admin *g, fake_admin_operation *o) {
  fake_admin_thing *t = fake_admin_find(g, o->target);
  if (strncmp(o->target, "api:", 4) == 0) {
    for (size_t i = 0; i < g->off_count && !o->fails; i++)
      if (strcmp(g->off[i], o->target + 4) == 0) g->off[i][0] = 0;
  } else if (o->deletes && !o->fails) {
    drop(g, o->target);
  } else if (o->json != NULL && !o->fails) {
    set_json(g, o->target, o->json, READY);
    o->json = NULL;
  } else if (t != NULL && !o->deletes) {
    t->state = o->fails ? BROKEN : READY;
  }
}

static void begin_operation(fake_admin *g, const fake_admin_request *q, const char *target,
                            bool deletes, char *json, fake_admin_reply *r) {
  assert_true(g->operation_count < FAKE_ADMIN_THINGS);
  fake_admin_operation *o = &g->operations[g->operation_count++];
  memset(o, 0, sizeof *o);
  bool database = strcmp(q->sort->list, "databases") == 0, api = strncmp(target, "api:", 4) == 0;
  snprintf(o->name, sizeof o->name, "%s%soperations/op-%zu",
           api        ? ""
           : database ? target
                      : P "/locations/europe-west1",
           api ? "" : "/", g->operation_count);
  snprintf(o->target, sizeof o->target, "%s", target);
  o->version = q->sort->version;
  o->polls = g->polls;
  o->deletes = deletes;
  o->json = json;
  o->fails = g->fail_target[0] != 0 && strstr(target, g->fail_target) != NULL;
  if (o->fails) g->fail_target[0] = 0;
  if (o->polls == 0) end_operation(g, o);
  put_operation(o, o->fails, g->fail_code, g->fail_message, &r->body);
}

static void look_at_operation(fake_admin *g, const fake_admin_request *q, fake_admin_reply *r) {
  for (size_t i = 0; i < g->operation_count; i++) {
    fake_admin_operation *o = &g->operations[i];
    if (strcmp(o->name, q->name) != 0 || strcmp(o->version, q->version) != 0) continue;
    if (o->polls > 0 && --o->polls == 0) end_operation(g, o);
    put_operation(o, o->fails, g->fail_code, g->fail_message, &r->body);
    return;
  }
  fake_admin_refuse(r, 404, PSPROBE_NOT_FOUND, "Operation not found", "");
}

/* The member of a body by a path, "template.serviceAccount". */
static bool names(const psp_json *body, const char *path, char *out, size_t size) {
  char key[32];
  while (body != NULL && *path != 0) {
    size_t len = strcspn(path, ".");
    snprintf(key, sizeof key, "%.*s", (int)len, path);
    body = psp_json_get(body, key);
    path += len + (path[len] == '.');
  }
  snprintf(out, size, "%s", psp_json_is_string(body) ? psp_json_string(body) : "");
  return out[0] != 0;
}

/* What a thing is made of must be there before it. */
static bool lacks(fake_admin *g, const fake_admin_request *q, fake_admin_reply *r) {
  static const struct {
    const char *list, *path, *prefix;
  } needs[] = {{"subscriptions", "topic", ""},
               {"services", "template.serviceAccount", P "/serviceAccounts/"},
               {"workerPools", "template.serviceAccount", P "/serviceAccounts/"},
               {"triggers", "serviceAccount", P "/serviceAccounts/"},
               {"triggers", "transport.pubsub.topic", ""},
               {"triggers", "destination.cloudRun.service", P "/locations/europe-west1/services/"}};
  psp_json *body = NULL;
  char value[200], name[400];
  bool lacking = false;
  assert_int_equal(psp_json_parse(q->body, q->body_len, "body", &body, NULL), 0);
  for (size_t i = 0; !lacking && i < sizeof needs / sizeof *needs; i++) {
    if (strcmp(needs[i].list, q->sort->list) != 0) continue;
    lacking = !names(body, needs[i].path, value, sizeof value);
    snprintf(name, sizeof name, "%s%s", needs[i].prefix, value);
    lacking = lacking || fake_admin_find(g, name) == NULL;
  }
  psp_json_free(body);
  snprintf(value, sizeof value, "%.120s does not exist.", name);
  if (lacking) fake_admin_refuse(r, 404, PSPROBE_NOT_FOUND, value, "");
  return lacking;
}

static void make(fake_admin *g, const fake_admin_request *q, const char *name,
                 fake_admin_reply *r) {
  fake_admin_thing *there = fake_admin_find(g, name);
  if (there != NULL && there->json != NULL) {
    fake_admin_refuse(r, 409, PSPROBE_ALREADY_EXISTS, "Resource already exists", "");
    return;
  }
  if (lacks(g, q, r)) return;
  char *json = kept(q, name);
  bool run = strcmp(q->sort->version, "v2") == 0;
  if (!q->sort->slow || run) {
    set_json(g, name, json, RUNNING);
    json = NULL;
  }
  if (q->sort->slow)
    begin_operation(g, q, name, false, json, r);
  else
    show(q, fake_admin_find(g, name), &r->body);
}

/* The name of what a POST to a list makes. */
static void name_made(const fake_admin_request *q, char *name, size_t size) {
  psp_json *body = NULL;
  const char *at = strchr(q->query, '=');
  if (strcmp(q->sort->list, "serviceAccounts") != 0) {
    psp_buf decoded = {0};
    psp_percent_decode(&decoded, at != NULL ? at + 1 : "", at != NULL ? strlen(at + 1) : 0);
    snprintf(name, size, "%s/%s", q->name, decoded.data != NULL ? decoded.data : "");
    psp_buf_free(&decoded);
    return;
  }
  assert_int_equal(psp_json_parse(q->body, q->body_len, "body", &body, NULL), 0);
  snprintf(name, size, "%s/%s@" FAKE_ADMIN_PROJECT ".iam.gserviceaccount.com", q->name,
           psp_json_string(psp_json_get(body, "accountId")));
  psp_json_free(body);
}

static void patch(fake_admin *g, const fake_admin_request *q, fake_admin_reply *r) {
  set_json(g, q->name, kept(q, q->name), RUNNING);
  if (q->sort->slow)
    begin_operation(g, q, q->name, false, NULL, r);
  else
    show(q, fake_admin_find(g, q->name), &r->body);
}

static void remove_thing(fake_admin *g, const fake_admin_request *q, fake_admin_reply *r) {
  if (q->sort->slow) {
    begin_operation(g, q, q->name, true, NULL, r);
  } else {
    drop(g, q->name);
    psp_buf_text(&r->body, "{}");
  }
}

static void serve_api(fake_admin *g, const fake_admin_request *q, fake_admin_reply *r) {
  const char *api = strrchr(q->name, '/') + 1;
  char target[200];
  snprintf(target, sizeof target, "api:%s", api);
  if (strcmp(q->verb, "enable") == 0)
    begin_operation(g, q, target, false, NULL, r);
  else
    psp_buf_printf(&r->body,
                   "{\"name\":\"projects/" FAKE_ADMIN_NUMBER
                   "/services/%s\",\"parent\":\"projects/" FAKE_ADMIN_NUMBER "\",\"state\":\"%s\"}",
                   api, fake_admin_is_off(g, api) ? "DISABLED" : "ENABLED");
}

void fake_admin_serve(fake_admin *g, const fake_admin_request *q, fake_admin_reply *r) {
  const fake_admin_thing *t = fake_admin_find(g, q->name);
  bool there = (t != NULL && t->json != NULL) || q->sort == &fake_admin_project;
  char name[400];
  if (strstr(q->name, "operations/") != NULL) {
    look_at_operation(g, q, r);
  } else if (q->sort == &fake_admin_sorts[4]) {
    serve_api(g, q, r);
  } else if (strcmp(q->verb, "testIamPermissions") == 0) {
    psp_buf_add(&r->body, q->body, q->body_len); /* everything is granted */
  } else if (strstr(q->name, "/documents/") != NULL) {
    psp_buf_text(&r->body, t != NULL ? t->json : "{}"); /* a page of a collection */
  } else if (strcmp(q->method, "PUT") == 0) {
    make(g, q, q->name, r);
  } else if (q->list && strcmp(q->method, "POST") == 0) {
    name_made(q, name, sizeof name);
    make(g, q, name, r);
  } else if (!there) {
    fake_admin_refuse(r, 404, PSPROBE_NOT_FOUND, "Resource not found", "");
  } else if (strcmp(q->verb, "getIamPolicy") == 0) {
    fake_admin_put_shown(t, wants_conditions(q), &r->body);
  } else if (strcmp(q->verb, "setIamPolicy") == 0) {
    set_policy(g, q, r);
  } else if (strcmp(q->method, "PATCH") == 0) {
    patch(g, q, r);
  } else if (strcmp(q->method, "DELETE") == 0) {
    remove_thing(g, q, r);
  } else {
    show(q, t, &r->body);
  }
}
