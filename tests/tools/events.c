/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Runs requests with known outcomes through the readers of events: events FILE.json...
 *
 * A file is one case, {"name","form","target","request","expect"}, or a list of them; what is
 * expected is a subset of what must come out. One line a case; exit status 1 when any comes to
 * something else than it should, 2 when a file cannot be read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <psprobe/event.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "files.h"
#include "http/server/gunzip.h"

#define MAX_HEADERS 64

typedef struct test_case {
  const psp_json *json, *expect;
  const char *form;
  psprobe_attribute headers[MAX_HEADERS];
  psp_buf path, body;
  psprobe_event_request request;
  char why[1200];
} test_case;

/* ---- what came out, beside what should ---- */

static bool differ(test_case *c, const char *where, const char *what) {
  if (c->why[0] == 0) snprintf(c->why, sizeof c->why, "%s: %s", where, what);
  return false;
}

static bool same_number(const psp_json *a, const psp_json *b) {
  double x = 0, y = 1;
  return psp_json_double(a, &x) && psp_json_double(b, &y) && x == y;
}

static bool same_text(const psp_json *a, const psp_json *b) {
  psp_buf x = {0}, y = {0};
  bool same = psp_json_text(a, &x) && psp_json_text(b, &y) && x.len == y.len &&
              (x.len == 0 || memcmp(x.data, y.data, x.len) == 0);
  psp_buf_free(&x);
  psp_buf_free(&y);
  return same;
}

static bool same_truth(const psp_json *a, const psp_json *b) {
  bool x = false, y = true;
  return psp_json_bool(a, &x) && psp_json_bool(b, &y) && x == y;
}

/* Every member of `want` is in `got`. */
static bool holds(test_case *c, const char *where, const psp_json *got, const psp_json *want) {
  char inner[200];
  if (got == NULL) return differ(c, where, "is missing");
  if (psp_json_is_object(want)) {
    if (!psp_json_is_object(got)) return differ(c, where, "is no object");
    for (const psp_json *m = psp_json_first(want); m != NULL; m = psp_json_next(m)) {
      snprintf(inner, sizeof inner, "%.120s.%.60s", where, psp_json_key(m));
      if (!holds(c, inner, psp_json_get(got, psp_json_key(m)), m)) return false;
    }
    return true;
  }
  if (psp_json_is_array(want)) {
    const psp_json *g = psp_json_first(got);
    if (!psp_json_is_array(got) || psp_json_count(got) != psp_json_count(want))
      return differ(c, where, "is not as long");
    for (const psp_json *w = psp_json_first(want); w != NULL;
         w = psp_json_next(w), g = psp_json_next(g))
      if (!holds(c, where, g, w)) return false;
    return true;
  }
  bool same = (psp_json_is_null(want) && psp_json_is_null(got)) || same_number(got, want) ||
              same_text(got, want) || same_truth(got, want);
  return same || differ(c, where, "is another");
}

static bool holds_text(test_case *c, const char *where, const char *got, const psp_json *want) {
  psp_json *json = NULL;
  if (got == NULL || psp_json_parse(got, strlen(got), where, &json, NULL) != PSPROBE_OK)
    return differ(c, where, "is no JSON");
  bool good = holds(c, where, json, want);
  psp_json_free(json);
  return good;
}

/* ---- a message ---- */

static void put(psp_json_writer *w, const char *key, const char *value) {
  psp_json_put_key(w, key);
  psp_json_put_string(w, value);
}

static void put_time(psp_json_writer *w, const psprobe_message *m, const psp_json *want) {
  const char *text = psp_json_string(psp_json_get(want, "publishTime"));
  char written[PSP_TIMESTAMP_SIZE];
  int64_t seconds = 0;
  int32_t nanos = 0;
  psp_timestamp_format(written, m->publish_time.seconds, m->publish_time.nanos);
  /* The text as it was sent is not kept; the instant is. */
  bool same = text != NULL && psp_timestamp_parse(text, strlen(text), &seconds, &nanos) &&
              seconds == m->publish_time.seconds && nanos == m->publish_time.nanos;
  put(w, "publishTime", same ? text : written);
  psp_json_put_key(w, "publishTimeNs");
  psp_json_put_int64_text(w, m->publish_time.seconds * 1000000000 + m->publish_time.nanos);
}

static void put_message(psp_buf *out, const psprobe_event *event, const psp_json *want) {
  const psprobe_message *m = event->message;
  psp_json_writer w = {.buf = out};
  psp_json_begin_object(&w);
  psp_json_put_key(&w, "data_base64");
  psp_json_put_base64(&w, m->data, m->data_len);
  psp_json_put_key(&w, "attributes");
  psp_json_begin_object(&w);
  for (size_t i = 0; i < m->attribute_count; i++)
    put(&w, m->attributes[i].key, m->attributes[i].value);
  psp_json_end_object(&w);
  put(&w, "messageId", m->message_id);
  put_time(&w, m, want);
  put(&w, "orderingKey", m->ordering_key != NULL ? m->ordering_key : "");
  put(&w, "subscription", m->subscription);
  put(&w, "topic", event->topic);
  psp_json_put_key(&w, "deliveryAttempt");
  psp_json_put_int64(&w, m->delivery_attempt);
  psp_json_end_object(&w);
}

/* ---- one case ---- */

/* The status that a function answers when its request came to `code`. */
static int status_of(psprobe_code code, const psprobe_error *error) {
  if (code == PSPROBE_OK || code == PSPROBE_UNIMPLEMENTED) return 204;
  if (code != PSPROBE_INVALID_ARGUMENT) return 503;
  return error->http_status != 0 ? error->http_status : 400;
}

static bool is_allowed(const test_case *c, int status) {
  int64_t wanted = 204, other = 0;
  psp_json_int64(psp_json_get(c->expect, "status"), &wanted);
  if (status == wanted) return true;
  const psp_json *list = psp_json_get(c->expect, "also_ok");
  for (const psp_json *i = psp_json_first(list); i != NULL; i = psp_json_next(i))
    if (psp_json_int64(i, &other) && status == other) return true;
  return false;
}

static bool check_event(test_case *c, const psprobe_event *event, psprobe_event_want want,
                        const psp_json *expected) {
  bool good = false;
  if (want == PSPROBE_WANT_CLOUDEVENT) {
    char *text = psprobe_event_json(event, NULL);
    good = holds_text(c, "cloudevent", text, expected);
    free(text);
  } else if (want == PSPROBE_WANT_MESSAGE) {
    psp_buf text = {0};
    if (event->message == NULL) return differ(c, "message", "is missing");
    put_message(&text, event, expected);
    good = holds_text(c, "message", text.data, expected);
    psp_buf_free(&text);
  } else {
    psprobe_legacy_event legacy = {0};
    psprobe_error error = {0};
    if (psprobe_event_legacy(event, &legacy, &error) != PSPROBE_OK)
      return differ(c, "legacy", error.message);
    good = holds_text(c, "context", legacy.context, psp_json_get(expected, "context")) &&
           holds_text(c, "data", legacy.data, psp_json_get(expected, "data"));
    psprobe_legacy_event_free(&legacy);
  }
  return good;
}

/* Reads the request once more for what is expected of it under `one`, or as a list under `many`. */
static bool check_want(test_case *c, psprobe_event_want want, const char *one, const char *many) {
  const psp_json *expected = psp_json_get(c->expect, one);
  const psp_json *list = many != NULL ? psp_json_get(c->expect, many) : NULL;
  psprobe_events *events = NULL;
  psprobe_error error = {0};
  if (expected == NULL && list == NULL) return true;
  c->request.want = want;
  c->request.plain = want == PSPROBE_WANT_MESSAGE && strcmp(c->form, "push-unwrapped") == 0;
  psprobe_code code = psprobe_events_decode(&c->request, &events, &error);
  int status = status_of(code, &error);
  if (code != PSPROBE_OK)
    return (is_allowed(c, status) && status != 204) || differ(c, one, error.message);
  bool good = psprobe_events_count(events) == (list != NULL ? psp_json_count(list) : 1) ||
              differ(c, one, "not as many");
  if (list != NULL) expected = psp_json_first(list);
  for (size_t i = 0; good && i < psprobe_events_count(events); i++) {
    good = check_event(c, psprobe_events_get(events, i), want, expected);
    expected = psp_json_next(expected);
  }
  psprobe_events_free(events);
  return good;
}

static bool check_error(test_case *c) {
  psprobe_events *events = NULL;
  psprobe_error error = {0};
  c->request.plain = false;
  psprobe_code code = psprobe_events_decode(&c->request, &events, &error);
  psprobe_events_free(events);
  if (!is_allowed(c, status_of(code, &error)))
    return differ(c, "error", code == PSPROBE_OK ? "it was taken" : error.message);
  snprintf(c->why, sizeof c->why, "%.390s",
           code == PSPROBE_OK ? "taken, which may be" : error.message);
  return true;
}

static bool check_case(test_case *c) {
  const char *target = psp_json_string(psp_json_get(c->json, "target"));
  bool legacy = psp_text_equal(target, "event");
  c->request.want = legacy ? PSPROBE_WANT_LEGACY : PSPROBE_WANT_CLOUDEVENT;
  if (psp_json_get(c->expect, "error") != NULL) return check_error(c);
  if (psp_json_get(c->expect, "cloudevent") == NULL &&
      psp_json_get(c->expect, "cloudevents") == NULL &&
      psp_json_get(c->expect, "message") == NULL && psp_json_get(c->expect, "messages") == NULL &&
      psp_json_get(c->expect, "legacy") == NULL)
    return differ(c, "expect", "nothing is expected");
  return check_want(c, PSPROBE_WANT_CLOUDEVENT, "cloudevent", "cloudevents") &&
         check_want(c, PSPROBE_WANT_MESSAGE, "message", "messages") &&
         check_want(c, PSPROBE_WANT_LEGACY, "legacy", NULL);
}

/* ---- reading ---- */

/* The server unpacks what is gzip'd before anybody reads it. */
static bool unpack(test_case *c) {
  psp_buf out = {0};
  psp_gunzip *gunzip = psp_gunzip_new();
  bool good = gunzip != NULL && psp_gunzip_add(gunzip, c->body.data, c->body.len, (size_t)1 << 24,
                                               &out) == PSP_GUNZIP_OK;
  psp_gunzip_free(gunzip);
  psp_buf_free(&c->body);
  c->body = out;
  return good;
}

static bool read_request(test_case *c, const psp_json *request) {
  const char *path = psp_json_string(psp_json_get(request, "path"));
  const char *base64 = psp_json_string(psp_json_get(request, "body_base64"));
  psp_buf_text(&c->path, path != NULL ? path : "/");
  char *query = strchr(c->path.data, '?');
  if (query != NULL) *query++ = 0;
  bool whole = base64 != NULL ? psp_base64_decode(&c->body, base64, strlen(base64))
                              : psp_json_text(psp_json_get(request, "body"), &c->body) ||
                                    psp_json_get(request, "body") == NULL;
  size_t count = 0;
  const psp_json *headers = psp_json_get(request, "headers");
  for (const psp_json *h = psp_json_first(headers); h != NULL; h = psp_json_next(h)) {
    if (count == MAX_HEADERS || psp_json_string(h) == NULL) return false;
    if (psp_text_equal(psp_json_key(h), "Content-Encoding") &&
        psp_text_equal(psp_json_string(h), "gzip"))
      whole = whole && unpack(c);
    else
      c->headers[count++] = (psprobe_attribute){psp_json_key(h), psp_json_string(h)};
  }
  c->request = (psprobe_event_request){.path = c->path.data,
                                       .query = query,
                                       .headers = c->headers,
                                       .header_count = count,
                                       .body = c->body.data,
                                       .body_len = c->body.len};
  return whole && !c->body.failed;
}

/* 0: as it should be, 1: not. */
static int run_case(const psp_json *json) {
  test_case c = {.json = json,
                 .expect = psp_json_get(json, "expect"),
                 .form = psp_json_string(psp_json_get(json, "form"))};
  const char *name = psp_json_string(psp_json_get(json, "name"));
  bool whole = name != NULL && c.form != NULL && psp_json_is_object(c.expect) &&
               read_request(&c, psp_json_get(json, "request"));
  bool good = whole && check_case(&c);
  printf("%s %s%s%s\n",
         good    ? "ok      "
         : whole ? "MISMATCH"
                 : "BROKEN  ",
         name != NULL ? name : "(no name)", c.why[0] != 0 ? ": " : "", c.why);
  psp_buf_free(&c.path);
  psp_buf_free(&c.body);
  return good ? 0 : 1;
}

static int run_file(const char *path) {
  psp_buf text = {0};
  psp_json *json = NULL;
  psprobe_error error = {0};
  int status = 0;
  if (!test_read_file(path, &text) ||
      psp_json_parse(text.data, text.len, path, &json, &error) != PSPROBE_OK) {
    fprintf(stderr, "%s: cannot be read: %s\n", path, error.message);
    psp_buf_free(&text);
    return 2;
  }
  if (psp_json_is_array(json)) {
    for (const psp_json *c = psp_json_first(json); c != NULL; c = psp_json_next(c))
      status |= run_case(c);
  } else {
    status = run_case(json);
  }
  psp_json_free(json);
  psp_buf_free(&text);
  return status;
}

int main(int argc, char **argv) {
  int status = 0;
  if (argc < 2) {
    fprintf(stderr, "usage: %s FILE.json...\n", argv[0]);
    return 2;
  }
  for (int i = 1; i < argc; i++) {
    int one = run_file(argv[i]);
    if (one > status) status = one;
  }
  return status;
}
