/* SPDX-License-Identifier: MIT */
/** @file Publishing by gRPC, and by REST where nobody speaks it. */
/* threads meet here */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <psprobe/local.h>
#include <psprobe/pubsub_admin.h>

#include "os/latch.h"
#include "pubsub/publishing.h"
#include "raw_http.h"
#include "raw_server.h"
#include "rpc_stage.h"

static const psprobe_publish_options by_grpc = {.by = PSPROBE_PUBLISH_BY_GRPC};
static const psprobe_attribute attribute = {"k", "v"};
static const psprobe_message hello = {
    .data = "hello", .data_len = 5, .attributes = &attribute, .attribute_count = 1};

static psprobe_client *client_of(const char *host, const psprobe_logger *logger) {
  psprobe_client *client = NULL;
  const psprobe_client_options options = {
      .project = "demo-p", .pubsub_emulator = host, .logger = logger};
  assert_int_equal(psprobe_client_new(&options, &client, NULL), PSPROBE_OK);
  return client;
}

/* ---- at a broker ---- */

typedef struct outcome {
  psp_latch done;
  char ids[64];
  psprobe_error error;
} outcome;

static void on_done(void *arg, const char *const *ids, size_t count, const psprobe_error *error) {
  outcome *o = arg;
  for (size_t i = 0; ids != NULL && i < count; i++)
    strcat(strcat(o->ids, ids[i]), " ");
  if (error != NULL) o->error = *error;
  psp_latch_post(&o->done);
}

static void test_a_broker(void **state) {
  (void)state;
  psprobe_local *local = NULL;
  outcome o = {.ids = ""};
  psprobe_error error = {0};
  assert_int_equal(psprobe_local_new(NULL, &local, NULL), PSPROBE_OK);
  psprobe_client *client = client_of(psprobe_local_pubsub_host(local), NULL);
  const psprobe_message two[] = {hello, hello};
  psp_latch_init(&o.done);
  assert_int_equal(psprobe_topic_create(client, "probes", NULL, 0, NULL, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_publish_start(client, "probes", two, 2, &by_grpc, on_done, &o, NULL),
                   PSPROBE_OK);
  psp_latch_wait(&o.done);
  assert_int_equal(o.error.code, PSPROBE_OK);
  assert_string_equal(o.ids, "1 2 ");
  assert_int_equal(psprobe_publish(client, "nowhere", &hello, 1, &by_grpc, &error),
                   PSPROBE_NOT_FOUND);
  assert_true(error.from_service);
  assert_non_null(strstr(error.message, "publish to topic nowhere: NOT_FOUND"));
  psp_latch_destroy(&o.done);
  psprobe_client_free(client);
  psprobe_local_free(local);
}

static void test_refused(void **state) {
  (void)state;
  psprobe_error error = {0};
  const psprobe_message empty = {0};
  psprobe_client *client = client_of("127.0.0.1:1", NULL);
  assert_int_equal(psprobe_publish(client, "probes", &empty, 1, &by_grpc, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_string_equal(error.message,
                      "publish to topic probes: message 0: neither data nor attributes");
  psprobe_client_free(client);
}

/* ---- where nobody speaks it ---- */

typedef struct server {
  bool hangs_up; /* on who begins with HTTP/2's preface; else it says what it knows */
  atomic_uint prefaces, published;
  char log[1024];
  unsigned warnings;
} server;

static void answer(server *s, int fd) {
  psp_buf head = {0}, body = {0};
  while (raw_read_request(fd, &head, &body)) {
    assert_string_equal(body.data,
                        "{\"messages\":[{\"data\":\"aGVsbG8=\",\"attributes\":{\"k\":\"v\"}}]}");
    atomic_fetch_add(&s->published, 1);
    raw_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"messageIds\":[\"7\"]}");
  }
  psp_buf_free(&head);
  psp_buf_free(&body);
}

static void talk(void *arg, int fd, int nth) {
  server *s = arg;
  char first[3] = "";
  (void)nth;
  if (recv(fd, first, sizeof first, MSG_PEEK | MSG_WAITALL) != 3) return;
  if (memcmp(first, "PRI", 3) != 0) {
    answer(s, fd);
    return;
  }
  atomic_fetch_add(&s->prefaces, 1);
  if (!s->hangs_up) raw_send(fd, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
}

static void on_log(void *arg, psprobe_log_level level, const char *line) {
  server *s = arg;
  if (level != PSPROBE_LOG_WARNING) return;
  s->warnings++;
  snprintf(s->log, sizeof s->log, "%s", line);
}

static void publish(psprobe_client *client) {
  psprobe_error error = {0};
  if (psprobe_publish(client, "probes", &hello, 1, &by_grpc, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
}

/* `most`: how often gRPC is tried, with 6 messages. */
static void fall_back(bool hangs_up, unsigned most) {
  server s = {.hangs_up = hangs_up};
  char host[32];
  const psprobe_logger logger = {.sink = on_log, .arg = &s, .level = PSPROBE_LOG_INFO};
  raw_server *raw = raw_server_start(talk, &s);
  snprintf(host, sizeof host, "127.0.0.1:%d", raw_server_port(raw));
  psprobe_client *client = client_of(host, &logger);
  for (int i = 0; i < 6; i++)
    publish(client);
  assert_int_equal(atomic_load(&s.published), 6);
  assert_int_equal(atomic_load(&s.prefaces), most);
  assert_int_equal(s.warnings, 1);
  assert_non_null(strstr(s.log, "no_grpc_here"));
  psprobe_client_free(client);
  raw_server_stop(raw);
}

static void test_who_says_so(void **state) {
  (void)state;
  fall_back(false, 1);
}

/* Twice each, until REST has answered three times. */
static void test_who_hangs_up(void **state) {
  (void)state;
  fall_back(true, 6);
}

/* ---- before the first ---- */

static void on_warm(void *arg) {
  psp_latch_post(arg);
}

static void warm(psprobe_client *client) {
  psp_target target;
  psp_latch done;
  psp_latch_init(&done);
  assert_int_equal(
      psp_target_init(&target, client, PSP_TOPIC, "probes", ":publish", "publish to", NULL),
      PSPROBE_OK);
  assert_int_equal(psp_publishing_warm(client, &target, on_warm, &done, NULL), PSPROBE_OK);
  psp_latch_wait(&done);
  psp_target_free(&target);
  psp_latch_destroy(&done);
}

/* The connection is there for what is published then; whatever the answer was. */
static void test_warm(void **state) {
  (void)state;
  char host[32];
  rpc_stage *stage = rpc_stage_start();
  snprintf(host, sizeof host, "127.0.0.1:%d", rpc_stage_port(stage));
  psprobe_client *client = client_of(host, NULL);
  warm(client);
  assert_int_equal(rpc_stage_connections(stage), 1);
  assert_int_equal(psprobe_publish(client, "probes", &hello, 1, &by_grpc, NULL), PSPROBE_INTERNAL);
  assert_int_equal(rpc_stage_connections(stage), 1);
  psprobe_client_free(client);
  rpc_stage_stop(stage);
}

/* What there is to know of the endpoint is known then; and nobody there is no failure. */
static void test_warm_elsewhere(void **state) {
  (void)state;
  server s = {.hangs_up = false};
  char host[32];
  raw_server *raw = raw_server_start(talk, &s);
  snprintf(host, sizeof host, "127.0.0.1:%d", raw_server_port(raw));
  psprobe_client *client = client_of(host, NULL);
  warm(client);
  publish(client);
  assert_int_equal(atomic_load(&s.prefaces), 1);
  assert_int_equal(atomic_load(&s.published), 1);
  psprobe_client_free(client);
  raw_server_stop(raw);
  client = client_of(host, NULL);
  warm(client);
  psprobe_client_free(client);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_broker),    cmocka_unit_test(test_refused),
      cmocka_unit_test(test_who_says_so), cmocka_unit_test(test_who_hangs_up),
      cmocka_unit_test(test_warm),        cmocka_unit_test(test_warm_elsewhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
