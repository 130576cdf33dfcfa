/* SPDX-License-Identifier: MIT */
#include "grpc/server.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "grpc/loop.h"

#define DEFAULT_BYTES ((size_t)256 << 20)

struct psp_rpc_server {
  psp_loop *loop;
  psp_rpc_server_options options;
  uint64_t ids; /* the thread's own */
};

static void on_accept(void *arg, psp_rpc *rpc, const char *path) {
  psp_rpc_server *server = arg;
  psp_rpc_set_id(rpc, ++server->ids);
  psp_rpc_set_meter(rpc, &psp_loop_words(server->loop)->meter);
  if (psp_words_reserve(psp_loop_words(server->loop)))
    server->options.accept(server->options.arg, rpc, path);
  else
    psp_rpc_finish(rpc, PSPROBE_RESOURCE_EXHAUSTED, "out of memory: a call");
}

static psp_rpc_connection *on_greet(void *arg, psp_link *link, int64_t now_ns) {
  psp_rpc_server *server = arg;
  const psp_session_options session = {.server = true,
                                       .max_message = server->options.max_message,
                                       .max_calls = server->options.max_calls,
                                       .accept = on_accept,
                                       .arg = server};
  /* Who is silent too long is the host's to see to. */
  const psp_patience patience = {INT64_MAX, INT64_MAX, INT64_MAX, NULL};
  return psp_connection_new(link, &session, &patience, now_ns);
}

psprobe_code psp_rpc_server_new(const psp_rpc_server_options *options, psp_rpc_server **server,
                                psprobe_error *error) {
  psp_rpc_server *made = calloc(1, sizeof *made);
  if (made == NULL) return psp_fail_memory(error, "gRPC server");
  made->options = *options;
  const psp_loop_owner owner = {
      .name = "psp-grpc-serve",
      .max_unsent = options->max_unsent != 0 ? options->max_unsent : DEFAULT_BYTES,
      .greet = on_greet,
      .arg = made};
  made->loop = psp_loop_new(&owner);
  if (made->loop != NULL && psp_loop_start(made->loop)) {
    *server = made;
    return PSPROBE_OK;
  }
  psp_rpc_server_free(made);
  return psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "gRPC server: no memory or thread is left");
}

void psp_rpc_server_free(psp_rpc_server *server) {
  if (server == NULL) return;
  psp_loop_free(server->loop);
  free(server);
}

void psp_rpc_server_take(psp_rpc_server *server, int fd, const psp_link_host *host) {
  psp_link *link = psp_link_plain(fd);
  if (link != NULL && host != NULL) link->host = *host;
  if (link != NULL && !psp_words_add(psp_loop_words(server->loop), link)) psp_link_free(link);
}

psprobe_code psp_rpc_server_send(psp_rpc_server *server, uint64_t id, const void *message,
                                 size_t len) {
  return psp_words_tell(psp_loop_words(server->loop), PSP_WORD_SEND, id, PSPROBE_OK, message, len);
}

void psp_rpc_server_finish(psp_rpc_server *server, uint64_t id, psprobe_code code,
                           const char *message) {
  psp_words_tell(psp_loop_words(server->loop), PSP_WORD_FINISH, id, code, message, strlen(message));
}

void psp_rpc_server_detail(psp_rpc_server *server, uint64_t id, const void *status, size_t len) {
  psp_words_tell(psp_loop_words(server->loop), PSP_WORD_DETAIL, id, PSPROBE_OK, status, len);
}
