/* SPDX-License-Identifier: MIT */
#include <psprobe/local.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "local/broker_host.h"
#include "local/documents_rest.h"

enum { HOST_SIZE = 300 };

struct psprobe_local {
  psprobe_logger logger;
  psp_broker_host *broker;
  psp_documents_host *documents;
  char pubsub_host[HOST_SIZE], firestore_host[HOST_SIZE];
};

/* "host:port" by which clients reach what listens on `listen`, whose port may have been 0. */
static void name_host(char *out, const char *listen, int port) {
  const char *colon = listen ? strrchr(listen, ':') : NULL;
  int len = colon ? (int)(colon - listen) : 0;
  bool any = len == 0 || strncmp(listen, "0.0.0.0", (size_t)len) == 0 ||
             strncmp(listen, "[::]", (size_t)len) == 0;
  snprintf(out, HOST_SIZE, "%.*s:%d", any ? 9 : len, any ? "127.0.0.1" : listen, port);
}

static psprobe_code start(psprobe_local *local, const psprobe_local_options *options,
                          psprobe_error *error) {
  psprobe_code code =
      psp_broker_host_new(options->pubsub_listen, &local->logger, &local->broker, error);
  if (!code)
    code = psp_documents_host_new(options->firestore_listen, options->documents, &local->logger,
                                  &local->documents, error);
  if (code) return code;
  name_host(local->pubsub_host, options->pubsub_listen, psp_broker_host_port(local->broker));
  name_host(local->firestore_host, options->firestore_listen,
            psp_documents_host_port(local->documents));
  return PSPROBE_OK;
}

psprobe_code psprobe_local_new(const psprobe_local_options *options, psprobe_local **out,
                               psprobe_error *error) {
  static const psprobe_local_options defaults;
  if (!options) options = &defaults;
  psprobe_local *local = calloc(1, sizeof *local);
  if (!local) return psp_fail_memory(error, "local stand-in");
  if (options->logger) local->logger = *options->logger;
  psprobe_code code = start(local, options, error);
  if (code) {
    psprobe_local_free(local);
    return code;
  }
  psp_log_line line;
  if (psp_log_begin(&line, &local->logger, PSPROBE_LOG_INFO, "local_ready")) {
    psp_log_text(&line, "pubsub", local->pubsub_host);
    psp_log_text(&line, "firestore", local->firestore_host);
    psp_log_end(&line);
  }
  *out = local;
  return PSPROBE_OK;
}

void psprobe_local_free(psprobe_local *local) {
  if (!local) return;
  psp_broker_host_free(local->broker);
  psp_documents_host_free(local->documents);
  free(local);
}

const char *psprobe_local_pubsub_host(const psprobe_local *local) {
  return local->pubsub_host;
}
const char *psprobe_local_firestore_host(const psprobe_local *local) {
  return local->firestore_host;
}

bool psprobe_local_held(psprobe_local *local, const char *subscription, size_t *held,
                        size_t *leased) {
  psp_broker *broker = psp_broker_host_lock(local->broker);
  bool known = psp_broker_held(broker, subscription, held, leased);
  psp_broker_host_unlock(local->broker);
  return known;
}

psprobe_code psprobe_local_add_function(psprobe_local *local,
                                        const psprobe_function_options *options, const char **url,
                                        psprobe_error *error) {
  (void)local, (void)options, (void)url;
  return psp_fail(error, PSPROBE_UNIMPLEMENTED, "the function host is not there yet");
}

void psprobe_local_instances(const psprobe_local *local, int *running, uint64_t *started) {
  (void)local;
  *running = 0;
  *started = 0;
}
