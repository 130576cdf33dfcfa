/* SPDX-License-Identifier: MIT */
/** @file The stand-in as a whole: broker, documents and functions behind one address each. */
#include <psprobe/local.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "local/documents/rest.h"
#include "local/functions/host.h"
#include "local/pubsub/grpc.h"
#include "local/pubsub/rest.h"

#define HOST_SIZE 300

struct psprobe_local {
  psprobe_logger logger;
  psp_broker_host *broker;
  psp_documents_host *documents;
  pthread_mutex_t lock;
  psp_function_host *functions; /* NULL until there is one */
  char *functions_listen;
  char pubsub_host[HOST_SIZE], firestore_host[HOST_SIZE];
};

/* "host:port" by which clients reach what listens on `listen`, whose port may have been 0. */
static void name_host(char *out, const char *listen, int port) {
  const char *colon = listen != NULL ? strrchr(listen, ':') : NULL;
  int len = colon != NULL ? (int)(colon - listen) : 0;
  bool any = len == 0 || strncmp(listen, "0.0.0.0", (size_t)len) == 0 ||
             strncmp(listen, "[::]", (size_t)len) == 0;
  snprintf(out, HOST_SIZE, "%.*s:%d", any ? 9 : len, any ? "127.0.0.1" : listen, port);
}

static psprobe_code start(psprobe_local *local, const psprobe_local_options *options,
                          psprobe_error *error) {
  const psp_broker_faces faces = {psp_broker_rest_handle, psp_broker_grpc_accept};
  psprobe_code code =
      psp_broker_host_new(options->pubsub_listen, &faces, &local->logger, &local->broker, error);
  if (code == PSPROBE_OK)
    code = psp_documents_host_new(options->firestore_listen, options->documents, &local->logger,
                                  &local->documents, error);
  if (code != PSPROBE_OK) return code;
  name_host(local->pubsub_host, options->pubsub_listen, psp_broker_host_port(local->broker));
  name_host(local->firestore_host, options->firestore_listen,
            psp_documents_host_port(local->documents));
  return PSPROBE_OK;
}

psprobe_code psprobe_local_new(const psprobe_local_options *options, psprobe_local **out,
                               psprobe_error *error) {
  static const psprobe_local_options defaults;
  if (options == NULL) options = &defaults;
  psprobe_local *local = calloc(1, sizeof *local);
  if (local == NULL) return psp_fail_memory(error, "local stand-in");
  pthread_mutex_init(&local->lock, NULL);
  if (options->logger != NULL) local->logger = *options->logger;
  local->functions_listen = psp_strdup(options->functions_listen);
  psprobe_code code = local->functions_listen == NULL && options->functions_listen != NULL
                          ? psp_fail_memory(error, "local stand-in")
                          : start(local, options, error);
  if (code != PSPROBE_OK) {
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
  if (local == NULL) return;
  psp_function_host_free(local->functions);
  psp_broker_host_free(local->broker);
  psp_documents_host_free(local->documents);
  pthread_mutex_destroy(&local->lock);
  free(local->functions_listen);
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

psprobe_code psprobe_local_function_add(psprobe_local *local,
                                        const psprobe_local_function_options *options,
                                        const char **url, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  pthread_mutex_lock(&local->lock);
  if (local->functions == NULL)
    code = psp_function_host_new(local->functions_listen, &local->logger, &local->functions, error);
  psp_function_host *functions = local->functions;
  pthread_mutex_unlock(&local->lock);
  return code != PSPROBE_OK ? code : psp_function_host_add(functions, options, url, error);
}

bool psprobe_local_function_get_stats(psprobe_local *local, const char *url,
                                      psprobe_local_function_stats *stats) {
  *stats = (psprobe_local_function_stats){0};
  pthread_mutex_lock(&local->lock);
  psp_function_host *functions = local->functions;
  pthread_mutex_unlock(&local->lock);
  return functions != NULL ? psp_function_host_stats(functions, url, stats) : url == NULL;
}
