/* SPDX-License-Identifier: MIT */
#include "rpc_stage.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "raw_http.h"

struct rpc_stage {
  psp_rpc_server *server;
  int listener, port;
  pthread_t door;
  _Atomic unsigned connections, held, failed;
};

typedef struct served {
  rpc_stage *stage;
  uint64_t id;
  char path[32];
} served;

static void on_message(void *arg, const void *data, size_t len) {
  const served *s = arg;
  int times = strcmp(s->path, "/echo") == 0 || strncmp(s->path, "/fail/", 6) == 0 ? 1 : 0;
  char text[32] = "";
  memcpy(text, data, len < 31 ? len : 31);
  if (strcmp(s->path, "/flood") == 0) times = atoi(text);
  if (strcmp(s->path, "/twice") == 0) times = 2;
  while (times-- > 0)
    assert_int_equal(psp_rpc_server_send(s->stage->server, s->id, data, len), PSPROBE_OK);
}

static void on_half_closed(void *arg) {
  const served *s = arg;
  if (strcmp(s->path, "/hold") != 0) psp_rpc_server_finish(s->stage->server, s->id, PSPROBE_OK, "");
}

static void on_end(void *arg, const psp_rpc_status *status) {
  served *s = arg;
  (void)status;
  if (strcmp(s->path, "/hold") == 0) atomic_fetch_sub(&s->stage->held, 1);
  free(s);
}

static const psp_rpc_events events = {
    .message = on_message, .half_closed = on_half_closed, .end = on_end};

static void on_accept(void *arg, psp_rpc *rpc, const char *path) {
  rpc_stage *stage = arg;
  served *s = calloc(1, sizeof *s);
  assert_non_null(s);
  s->stage = stage;
  s->id = psp_rpc_id(rpc);
  strncpy(s->path, path, sizeof s->path - 1);
  psp_rpc_set_events(rpc, &events, s);
  if (strcmp(path, "/hold") == 0) atomic_fetch_add(&stage->held, 1);
  if (strcmp(path, "/refuse") == 0)
    psp_rpc_server_finish(stage->server, s->id, PSPROBE_NOT_FOUND, "no such thing");
  unsigned code, times;
  if (sscanf(path, "/fail/%u/%u", &code, &times) != 2 || atomic_load(&stage->failed) >= times)
    return;
  atomic_fetch_add(&stage->failed, 1);
  psp_rpc_server_finish(stage->server, s->id, (psprobe_code)code, "as it was told to");
}

static void *let_in(void *arg) {
  rpc_stage *stage = arg;
  for (int fd; (fd = accept4(stage->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;) {
    atomic_fetch_add(&stage->connections, 1);
    psp_rpc_server_take(stage->server, fd, NULL);
  }
  return NULL;
}

rpc_stage *rpc_stage_start(void) {
  rpc_stage *stage = calloc(1, sizeof *stage);
  assert_non_null(stage);
  const psp_rpc_server_options options = {.accept = on_accept, .arg = stage};
  assert_int_equal(psp_rpc_server_new(&options, &stage->server, NULL), PSPROBE_OK);
  stage->listener = raw_listen(&stage->port);
  assert_int_equal(pthread_create(&stage->door, NULL, let_in, stage), 0);
  return stage;
}

void rpc_stage_stop(rpc_stage *stage) {
  shutdown(stage->listener, SHUT_RDWR);
  pthread_join(stage->door, NULL);
  close(stage->listener);
  psp_rpc_server_free(stage->server);
  free(stage);
}

int rpc_stage_port(const rpc_stage *stage) {
  return stage->port;
}
unsigned rpc_stage_connections(rpc_stage *stage) {
  return atomic_load(&stage->connections);
}
unsigned rpc_stage_failed(rpc_stage *stage) {
  return atomic_load(&stage->failed);
}
unsigned rpc_stage_held(rpc_stage *stage) {
  return atomic_load(&stage->held);
}
