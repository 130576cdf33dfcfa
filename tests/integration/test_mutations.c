/* SPDX-License-Identifier: MIT */
/** @file Ten thousand requests that went wrong on their way, to the prober, a responder and the
 * stand-in: each that is whole is answered or refused, nothing crashes, and who asks properly
 * afterwards is served. The seeds are fixed, so that a failure comes again. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <psprobe/local.h>
#include <psprobe/probe.h>

#include "fake_prober.h"
#include "raw_http.h"

#define EACH        2500
#define PATIENCE_MS 10000
#define ID          "0123456789abcdef0123456789abcdef"
#define PUBSUB      "/v1/projects/demo-project/"
#define DOCUMENTS   "/v1/projects/demo-project/databases/(default)/documents"

/* A request as it should be. */
typedef struct sample {
  const char *line, *headers, *body;
} sample;

/* ---- chance ---- */

static uint64_t chance_state;

/* xorshift64*, https://doi.org/10.18637/jss.v008.i14 */
static uint32_t chance(uint32_t below) {
  chance_state ^= chance_state >> 12;
  chance_state ^= chance_state << 25;
  chance_state ^= chance_state >> 27;
  return (uint32_t)((chance_state * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % below;
}

static const char *const words[] = {"\"",
                                    "{",
                                    "}",
                                    "[",
                                    "]",
                                    ":",
                                    ",",
                                    "null",
                                    "1e999",
                                    "-0",
                                    "\\u0000",
                                    "\\ud800",
                                    "%2F",
                                    "%00",
                                    "%zz",
                                    "..",
                                    "//",
                                    "\r\n",
                                    "\r\n\r\n",
                                    " ",
                                    "\t",
                                    "\xff\xfe",
                                    "\xc3",
                                    "=",
                                    "&",
                                    "?",
                                    "#",
                                    "99999999999999999999",
                                    "Content-Length: 5\r\n",
                                    "Transfer-Encoding: chunked\r\n",
                                    "Content-Encoding: gzip\r\n",
                                    "Host: x\r\n",
                                    "\x1b[31m",
                                    "`"};

static void insert(psp_buf *text, size_t at, const char *what, size_t len) {
  psp_buf out = {0};
  psp_buf_add(&out, text->data, at);
  psp_buf_add(&out, what, len);
  psp_buf_add(&out, text->data + at, text->len - at);
  psp_buf_free(text);
  *text = out;
}

static void drop(psp_buf *text, size_t at, size_t len) {
  memmove(text->data + at, text->data + at + len, text->len - at - len);
  text->len -= len;
}

/* One step away from what it was. */
static void mutate(psp_buf *text) {
  if (text->len == 0) return;
  size_t at = chance((uint32_t)text->len), len = 1 + chance(16);
  if (len > text->len - at) len = text->len - at;
  const char *word = words[chance(sizeof words / sizeof *words)];
  char part[16];
  memcpy(part, text->data + at, len);
  switch (chance(6)) {
    case 0:
      text->data[at] = (char)(text->data[at] ^ (1 << chance(8)));
      break;
    case 1:
      text->data[at] = (char)chance(256);
      break;
    case 2:
      drop(text, at, len);
      break;
    case 3:
      for (uint32_t times = 1 + chance(40); times > 0; times--)
        insert(text, at, part, len);
      break;
    case 4:
      insert(text, at, word, strlen(word));
      break;
    default:
      if (chance(4) == 0) drop(text, at, text->len - at); /* cut off */
  }
}

/* ---- requests ---- */

static void put_head(psp_buf *out, const sample *s, size_t len) {
  psp_buf_printf(out, "%s HTTP/1.1\r\nHost: 127.0.0.1\r\n%sContent-Length: %zu\r\n\r\n", s->line,
                 s->headers, len);
}

/* In one of three, anything may have gone wrong, and it may not be whole; in the others the body
 * alone, so that it is read. */
static psp_buf make_request(const sample *s, bool *is_whole) {
  psp_buf whole = {0}, body = {0};
  bool anywhere = *s->body == '\0' || chance(3) == 0;
  *is_whole = !anywhere;
  uint32_t steps = 1 + chance(4);
  psp_buf_text(&body, s->body);
  for (uint32_t i = 0; !anywhere && i < steps; i++)
    mutate(&body);
  put_head(&whole, s, body.len);
  psp_buf_add(&whole, body.data, body.len);
  for (uint32_t i = 0; anywhere && i < steps; i++)
    mutate(&whole);
  psp_buf_free(&body);
  return whole;
}

/* Sends it, and waits for an answer or for the connection's end. */
static void ask(int port, const psp_buf *request, bool must_be_answered, uint32_t number) {
  int fd = raw_connect(port);
  struct pollfd at = {.fd = fd, .events = POLLIN};
  raw_send_bytes(fd, request->data, request->len);
  if (poll(&at, 1, must_be_answered ? PATIENCE_MS : 2) == 0 && must_be_answered)
    fail_msg("request %u was neither answered nor refused:\n%.*s", number, (int)request->len,
             request->data);
  close(fd);
}

static void expect_good(int port, const sample *s, int status) {
  psp_buf request = {0};
  raw_answer answer = {0};
  put_head(&request, s, strlen(s->body));
  psp_buf_text(&request, s->body);
  int fd = raw_connect(port), got = raw_ask(fd, request.data, &answer);
  if (got != status) fail_msg("%s: %d", s->line, got);
  raw_free(&answer);
  psp_buf_free(&request);
  close(fd);
}

static void batter(int port, const sample *samples, size_t count, uint64_t seed) {
  chance_state = seed;
  for (uint32_t i = 0; i < EACH; i++) {
    const sample *s = &samples[chance((uint32_t)count)];
    bool whole;
    psp_buf request = make_request(s, &whole);
    /* A pull may wait, by right. */
    ask(port, &request, whole && strstr(s->line, ":pull") == NULL, i);
    psp_buf_free(&request);
  }
}

static int port_of(const char *address) {
  return atoi(strrchr(address, ':') + 1);
}

#define COUNT(samples) (sizeof(samples) / sizeof *(samples))
#define JSON           "Content-Type: application/json\r\n"

/* ---- the stand-in ---- */

static psprobe_local *local;

static int set_up_local(void **state) {
  (void)state;
  psprobe_error error = {0};
  if (psprobe_local_new(NULL, &local, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  return 0;
}

static int tear_down_local(void **state) {
  (void)state;
  psprobe_local_free(local);
  return 0;
}

static void test_broker(void **state) {
  (void)state;
  static const sample samples[] = {
      {"PUT " PUBSUB "topics/topic", JSON, "{\"labels\":{\"a\":\"b\"}}"},
      {"PUT " PUBSUB "subscriptions/sub", JSON,
       "{\"topic\":\"projects/demo-project/topics/topic\",\"ackDeadlineSeconds\":10,"
       "\"retryPolicy\":{\"minimumBackoff\":\"1s\",\"maximumBackoff\":\"10.5s\"},"
       "\"enableMessageOrdering\":true}"},
      {"POST " PUBSUB "topics/topic:publish", JSON,
       "{\"messages\":[{\"data\":\"aGVsbG8=\",\"attributes\":{\"k\":\"v\"},\"orderingKey\":\"o\"},"
       "{\"data\":\"YQ==\"}]}"},
      {"POST " PUBSUB "subscriptions/sub:pull", JSON,
       "{\"maxMessages\":10,\"returnImmediately\":true}"},
      {"POST " PUBSUB "subscriptions/sub:acknowledge", JSON,
       "{\"ackIds\":[\"projects/demo-project/subscriptions/sub:4294967296\"]}"},
      {"POST " PUBSUB "subscriptions/sub:modifyAckDeadline", JSON,
       "{\"ackIds\":[\"projects/demo-project/subscriptions/sub:4294967296\"],"
       "\"ackDeadlineSeconds\":0}"},
      {"PATCH " PUBSUB "subscriptions/sub", JSON,
       "{\"subscription\":{\"ackDeadlineSeconds\":20},\"updateMask\":\"ackDeadlineSeconds\"}"},
      {"GET " PUBSUB "subscriptions?pageSize=1&pageToken=a%20b", "", ""},
      {"DELETE " PUBSUB "subscriptions/sub", "", ""},
  };
  int port = port_of(psprobe_local_pubsub_host(local));
  batter(port, samples, COUNT(samples), 1);
  expect_good(port, &(sample){"PUT " PUBSUB "topics/after", JSON, "{}"}, 200);
  expect_good(port,
              &(sample){"POST " PUBSUB "topics/after:publish", JSON,
                        "{\"messages\":[{\"data\":\"YQ==\"}]}"},
              200);
}

static void test_documents(void **state) {
  (void)state;
#define OWNER JSON "Authorization: Bearer owner\r\n"
  static const sample samples[] = {
      {"POST " DOCUMENTS "/c?documentId=x", OWNER,
       "{\"fields\":{\"a\":{\"integerValue\":\"1\"},\"m\":{\"mapValue\":{\"fields\":{\"k\":"
       "{\"stringValue\":\"v\"}}}},\"t\":{\"timestampValue\":\"2026-01-01T00:00:00Z\"}}}"},
      {"PATCH " DOCUMENTS "/c/x?updateMask.fieldPaths=a&updateMask.fieldPaths=%60b-c%60", OWNER,
       "{\"fields\":{\"a\":{\"doubleValue\":1.5},\"b-c\":{\"arrayValue\":{\"values\":["
       "{\"nullValue\":null},{\"bytesValue\":\"YQ==\"},{\"geoPointValue\":{\"latitude\":1}}]}}}}"},
      {"GET " DOCUMENTS "/c?pageSize=2&orderBy=a%20desc&pageToken=abc", OWNER, ""},
      {"POST " DOCUMENTS ":commit", OWNER,
       "{\"writes\":[{\"update\":{\"name\":\"projects/demo-project/databases/(default)/documents/"
       "c/y\",\"fields\":{}},\"currentDocument\":{\"exists\":false},\"updateTransforms\":[{"
       "\"fieldPath\":\"n\",\"increment\":{\"integerValue\":\"1\"}}]}]}"},
      {"POST " DOCUMENTS ":runQuery", OWNER,
       "{\"structuredQuery\":{\"from\":[{\"collectionId\":\"c\"}],\"where\":{\"fieldFilter\":{"
       "\"field\":{\"fieldPath\":\"a\"},\"op\":\"GREATER_THAN\",\"value\":{\"integerValue\":"
       "\"0\"}}},\"orderBy\":[{\"field\":{\"fieldPath\":\"a\"}}],\"limit\":2}}"},
      {"POST " DOCUMENTS ":batchGet", OWNER,
       "{\"documents\":[\"projects/demo-project/databases/(default)/documents/c/x\"]}"},
      {"DELETE " DOCUMENTS "/c/x?currentDocument.exists=true", OWNER, ""},
  };
  int port = port_of(psprobe_local_firestore_host(local));
  batter(port, samples, COUNT(samples), 2);
  expect_good(port, &(sample){"PATCH " DOCUMENTS "/c/after", OWNER, "{\"fields\":{}}"}, 200);
  expect_good(port, &(sample){"GET " DOCUMENTS "/c/after", OWNER, ""}, 200);
}

/* ---- prober and responder ---- */

static psprobe_client *client;
static psprobe_prober *prober;

static int set_up_prober(void **state) {
  (void)state;
  psprobe_error error = {0};
  psprobe_prober_options options = {.topic = "projects/demo-project/topics/topic",
                                    .listen = "127.0.0.1:0"};
  client = fake_prober_client();
  if (psprobe_prober_new(client, &options, &prober, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return 0;
}

static int tear_down_prober(void **state) {
  (void)state;
  psprobe_prober_free(prober);
  psprobe_client_free(client);
  return 0;
}

static void test_prober(void **state) {
  (void)state;
  static const sample samples[] = {
      {"POST /cloud_function/" ID, PSPROBE_HEADER_COLD ": 1\r\n" PSPROBE_HEADER_HANDLED ": 12\r\n",
       "{}"},
      {"POST /regular_service/" ID, "Authorization: Bearer x\r\n", "hello"},
      {"GET /health", "", ""},
  };
  int port = port_of(psprobe_prober_url(prober));
  batter(port, samples, COUNT(samples), 3);
  expect_good(port, &(sample){"POST /cloud_function/" ID, "", ""}, 404); /* as nobody sent it */
}

static void test_responder(void **state) {
  (void)state;
  static const sample samples[] = {
      {"POST /push?token=abc", JSON,
       "{\"subscription\":\"projects\\/p\\/subscriptions\\/s\",\"message\":{\"publishTime\":"
       "\"2026-11-24T22:18:50.328Z\",\"data\":\"eyJwcm9iZSI6MX0=\",\"messageId\":\"5\","
       "\"attributes\":{\"probe_id\":\"" ID "\"},\"message_id\":\"5\"}}"},
      {"POST /", JSON, "{\"message\":{\"attributes\":{\"probe_id\":\"" ID "\"}}}"},
      {"GET /health", "", ""},
  };
  psprobe_responder *responder;
  psprobe_error error = {0};
  psprobe_responder_options options = {.prober = psprobe_prober_url(prober),
                                       .timeout_ns = 500000000};
  int port = 0;
  if (psprobe_responder_new(client, &options, &responder, &error) != PSPROBE_OK ||
      psprobe_responder_listen(responder, "127.0.0.1:0", &port, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  batter(port, samples, COUNT(samples), 4);
  expect_good(port, &samples[0], 204);
  psprobe_responder_free(responder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_broker, set_up_local, tear_down_local),
      cmocka_unit_test_setup_teardown(test_documents, set_up_local, tear_down_local),
      cmocka_unit_test_setup_teardown(test_prober, set_up_prober, tear_down_prober),
      cmocka_unit_test_setup_teardown(test_responder, set_up_prober, tear_down_prober),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
