/* SPDX-License-Identifier: MIT */
#include "local/documents/rest.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/text.h"
#include "http/server/server.h"
#include "os/limit.h"

struct psp_documents_host {
  psp_documents *documents;
  psp_transactions *transactions; /* guarded by the documents' lock */
  psp_server *server;
};

/* ---- who asks ---- */

/* As Google's emulator judges an Authorization header: "owner" and Google's access tokens may do
 * everything, no header nearly so. False: answered with the error. */
static bool authorize(psp_documents_request *request) {
  const char *header = psp_exchange_header(request->exchange, "Authorization");
  if (header == NULL) return true;
  if (strncasecmp(header, "Bearer ", 7) != 0 || !header[7]) {
    psp_rest_error(request->exchange, PSPROBE_UNKNOWN, NULL);
    return false;
  }
  const char *token = header + 7;
  request->admin = strcmp(token, "owner") == 0 || psp_text_starts(token, "ya29.");
  if (request->admin || psp_text_starts(token, "eyJ")) return true; /* a user's, unsigned */
  psp_rest_error(request->exchange, PSPROBE_INVALID_ARGUMENT, "invalid jwt");
  return false;
}

static void need_admin(psp_documents_request *request, const char *what,
                       psp_documents_route *handler) {
  psp_buf text = {0};
  psp_buf_printf(&text, "%s require admin authentication.", what);
  if (request->admin)
    handler(request);
  else
    psp_rest_error(request->exchange, PSPROBE_PERMISSION_DENIED, text.data);
  psp_buf_free(&text);
}

static void batch_write(psp_documents_request *request) {
  need_admin(request, "Batch writes", psp_documents_batch_write);
}
static void list_collections(psp_documents_request *request) {
  need_admin(request, "Metadata operations", psp_documents_list_collections);
}
static void partition(psp_documents_request *request) {
  psp_rest_error(request->exchange, PSPROBE_UNIMPLEMENTED,
                 "Method google.firestore.v1.Firestore/PartitionQuery is unimplemented");
}

/* ---- which of them ---- */

/* Also those that a path does not fit, whose handlers say how. Those with a verb come first: to the
 * others it is the end of an id. */

typedef enum shape { ROOT = 1, COLLECTION = 2, DOCUMENT = 4 } shape;

static const struct route {
  const char *method, *verb;
  int of;
  psp_documents_route *handler;
} routes[] = {
    {"POST", "commit", ROOT, psp_documents_commit},
    {"POST", "batchWrite", ROOT, batch_write},
    {"POST", "batchGet", ROOT, psp_documents_batch_get},
    {"POST", "runQuery", ROOT | COLLECTION | DOCUMENT, psp_documents_run_query},
    {"POST", "listCollectionIds", ROOT | COLLECTION | DOCUMENT, list_collections},
    {"POST", "runAggregationQuery", ROOT | COLLECTION | DOCUMENT, psp_documents_run_aggregation},
    {"POST", "partitionQuery", ROOT | DOCUMENT, partition},
    {"POST", "beginTransaction", ROOT, psp_documents_begin_transaction},
    {"POST", "rollback", ROOT, psp_documents_rollback},
    {"POST", NULL, COLLECTION | DOCUMENT, psp_documents_create},
    {"GET", NULL, DOCUMENT, psp_documents_read},
    {"GET", NULL, COLLECTION, psp_documents_list},
    {"PATCH", NULL, COLLECTION | DOCUMENT, psp_documents_patch},
    {"DELETE", NULL, COLLECTION | DOCUMENT, psp_documents_delete},
};

/* v1/projects/P/databases/D/documents/…, or with "emulator" before it. */
#define ROOT_SEGMENTS 6

static bool is_below_root(const psp_rest_path *path, size_t first) {
  char **at = path->segments + first;
  if (path->count < first + ROOT_SEGMENTS - 1) return false;
  bool last = path->count == first + ROOT_SEGMENTS - 1; /* then a verb may stand behind it */
  size_t len = last ? strcspn(at[4], ":") : strlen(at[4]);
  return strcmp(at[0], "projects") == 0 && strcmp(at[2], "databases") == 0 &&
         len == strlen("documents") && psp_text_starts(at[4], "documents");
}

/* The emulator's own: DELETE clears a database. */
static psp_documents_route *find_own_route(const char *method, const psp_rest_path *path) {
  bool fits = path->count == ROOT_SEGMENTS + 1 && strcmp(path->segments[1], "v1") == 0 &&
              is_below_root(path, 2) && psp_text_equal(path->segments[6], "documents") &&
              strcmp(method, "DELETE") == 0;
  return fits ? psp_documents_clear : NULL;
}

static psp_documents_route *find_route(const char *method, psp_rest_path *path) {
  const char *version = path->segments[0];
  if (strcmp(version, "emulator") == 0) return find_own_route(method, path);
  if ((strcmp(version, "v1") != 0 && strcmp(version, "v1beta1") != 0) || !is_below_root(path, 1))
    return NULL;
  size_t below = path->count - ROOT_SEGMENTS;
  int of = below == 0 ? ROOT : below % 2 ? COLLECTION : DOCUMENT;
  for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
    if ((routes[i].of & of) == 0 || strcmp(routes[i].method, method) != 0 ||
        !psp_rest_path_has_verb(path, routes[i].verb))
      continue;
    psp_rest_path_cut_verb(path, routes[i].verb);
    return routes[i].handler;
  }
  return NULL;
}

/* On a body with a Content-Type that is not JSON, Google's emulator knows no route. */
static bool type_fits(const psp_exchange *exchange) {
  const char *type = psp_exchange_header(exchange, "Content-Type");
  return type == NULL || strncasecmp(type, "application/json", strlen("application/json")) == 0;
}

static void call(psp_documents_request *request, psp_documents_route *handler) {
  bool emulator = strcmp(request->path.segments[0], "emulator") == 0;
  size_t len, first = emulator ? 2 : 1;
  const char *body = psp_exchange_body(request->exchange, &len);
  psprobe_error error = {0};
  request->name = psp_rest_path_join(&request->path, first, request->path.count);
  request->root = psp_rest_path_join(&request->path, first, first + 5);
  if (request->name == NULL || request->root == NULL)
    psp_rest_error(request->exchange, PSPROBE_RESOURCE_EXHAUSTED, "out of memory");
  else if ((len && psp_json_parse(body, len, "body", &request->json, NULL) != PSPROBE_OK) ||
           (request->json != NULL && !psp_json_is_object(request->json)))
    psp_rest_error(request->exchange, psp_documents_payload_invalid(&error), error.message);
  else if (authorize(request))
    handler(request);
  psp_json_free(request->json);
  free(request->name);
  free(request->root);
}

static void handle(void *arg, psp_exchange *exchange) {
  psp_documents_host *host = arg;
  psp_documents_request request = {
      .documents = host->documents, .transactions = host->transactions, .exchange = exchange};
  const char *method = psp_exchange_method(exchange);
  psp_documents_route *handler = NULL;
  if (strcmp(method, "OPTIONS") == 0) {
    psp_exchange_reply(exchange, 200, NULL, "", 0);
    return;
  }
  if (strcmp(method, "GET") == 0 && strcmp(psp_exchange_path(exchange), "/") == 0) {
    psp_exchange_reply(exchange, 200, NULL, "Ok\n", 3); /* "are you there?" */
    return;
  }
  if (psp_rest_path_parse(psp_exchange_path(exchange), &request.path))
    handler = find_route(method, &request.path);
  if (handler != NULL && strcmp(method, "GET") != 0 && !type_fits(exchange)) handler = NULL;
  if (handler != NULL)
    call(&request, handler);
  else
    psp_rest_not_found(exchange);
  psp_rest_path_free(&request.path);
}

psprobe_code psp_documents_host_new(const char *listen, const char *path,
                                    const psprobe_logger *logger, psp_documents_host **out,
                                    psprobe_error *error) {
  psp_documents_host *host = calloc(1, sizeof *host);
  if (host == NULL) return psp_fail_memory(error, "documents");
  psp_route all = {.method = "*", .pattern = "/*", .handler = handle, .arg = host};
  psp_server_options options = {
      .listen = listen != NULL ? listen : "127.0.0.1:0",
      .what = "the address of the Firestore stand-in",
      .routes = &all,
      .route_count = 1,
      .max_body = PSP_LOCAL_BODY,
      .max_connections = (unsigned)psp_limit_files_share(PSP_FILES_MINOR, PSP_LOCAL_CONNECTIONS),
      .logger = logger};
  host->transactions = psp_transactions_new();
  psprobe_code code = host->transactions != NULL ? psp_documents_new(path, &host->documents, error)
                                                 : psp_fail_memory(error, "documents");
  if (code == PSPROBE_OK) code = psp_server_new(&options, &host->server, error);
  if (code != PSPROBE_OK)
    psp_documents_host_free(host);
  else
    *out = host;
  return code;
}

void psp_documents_host_free(psp_documents_host *host) {
  if (host == NULL) return;
  psp_server_free(host->server);
  psp_documents_free(host->documents);
  psp_transactions_free(host->transactions);
  free(host);
}

int psp_documents_host_port(const psp_documents_host *host) {
  return psp_server_port(host->server);
}
