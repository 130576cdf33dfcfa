/* SPDX-License-Identifier: MIT */
/** @file HTTP/2 and gRPC frames from a peer. The input's first byte says of which side (even: a
 * server's, to a client with two calls; odd: a client's, after its preface), the second how large
 * the pieces are that it comes in. */
#include <string.h>

#include "fuzz.h"
#include "grpc/session.h"

static unsigned ends, begun;

static void on_message(void *arg, const void *data, size_t len) {
  const char *bytes = data;
  volatile char last = 0;
  (void)arg;
  for (size_t i = 0; i < len; i++)
    last = bytes[i];
  (void)last;
}

static void on_end(void *arg, const psp_rpc_status *status) {
  (void)arg;
  FUZZ_ASSERT(status->message != NULL && strlen(status->message) < (1 << 20));
  ends++;
}

static const psp_rpc_events events = {.message = on_message, .end = on_end};

static void on_accept(void *arg, psp_rpc *rpc, const char *path) {
  (void)arg;
  begun++;
  psp_rpc_set_events(rpc, &events, rpc);
  psp_rpc_send(rpc, path, strlen(path));
  if (strlen(path) % 2 == 0) psp_rpc_finish(rpc, PSPROBE_ABORTED, path);
}

static void begin(psp_session *session, bool only) {
  psp_rpc *rpc = psp_rpc_new(&(psp_rpc_request){.path = "/a/b",
                                                .deadline_ns = 1000,
                                                .message = "x",
                                                .len = 1,
                                                .only = only,
                                                .events = &events});
  FUZZ_ASSERT(rpc != NULL && psp_session_begin(session, rpc, 0));
  begun++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", settings[] = "\0\0\0\4\0\0\0\0";
  if (size < 2) return 0;
  bool server = data[0] % 2 == 1;
  size_t piece = (size_t)data[1] + 1;
  psp_buf out = {0};
  ends = begun = 0;
  psp_session *session = psp_session_new(&(psp_session_options){
      .server = server, .authority = "a", .max_message = 1000, .accept = on_accept});
  FUZZ_ASSERT(session != NULL);
  if (server) FUZZ_ASSERT(psp_session_take(session, preface, sizeof preface - 1, 0));
  FUZZ_ASSERT(psp_session_take(session, settings, 9, 0));
  if (!server) begin(session, true);
  if (!server) begin(session, false);
  FUZZ_ASSERT(psp_session_give(session, &out, 1 << 20));
  for (size_t at = 2; at < size; at += piece) {
    size_t n = size - at < piece ? size - at : piece;
    char *copy = malloc(n);
    FUZZ_ASSERT(copy != NULL);
    memcpy(copy, data + at, n);
    bool ok = psp_session_take(session, copy, n, (int64_t)at);
    free(copy);
    psp_buf_reset(&out);
    if (!ok || !psp_session_give(session, &out, 1 << 20)) break;
    psp_session_tick(session, (int64_t)at);
  }
  psp_session_free(session);
  FUZZ_ASSERT(ends == begun);
  psp_buf_free(&out);
  return 0;
}
