/* SPDX-License-Identifier: MIT */
/** @file Making and freeing a client, and what it finds once: the project, the URLs. */
#include <psprobe/client.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"
#include "client/parts.h"

#define DEFAULT_TIMEOUT_NS INT64_C(60000000000)

/* A variable that is set to nothing counts as not set, as with every Google client. */
static void fill(const char **option, const char *name) {
  if (*option != NULL) return;
  const char *value = getenv(name);
  if (value != NULL && value[0] != 0) *option = value;
}

void psprobe_client_options_from_environment(psprobe_client_options *options) {
  fill(&options->pubsub_emulator, "PUBSUB_EMULATOR_HOST");
  fill(&options->firestore_emulator, "FIRESTORE_EMULATOR_HOST");
  fill(&options->project, "GOOGLE_CLOUD_PROJECT");
  fill(&options->project, "GCLOUD_PROJECT");
  fill(&options->project, "CLOUDSDK_CORE_PROJECT");
  fill(&options->database, "PSPROBE_DATABASE");
  fill(&options->pubsub_endpoint, "PSPROBE_PUBSUB_ENDPOINT");
  fill(&options->firestore_endpoint, "PSPROBE_FIRESTORE_ENDPOINT");
  fill(&options->admin_endpoint, "PSPROBE_ADMIN_ENDPOINT");
}

typedef bool check_fn(const char *text, const char **why);

static psprobe_code check(const char *what, const char *text, check_fn *rule,
                          psprobe_error *error) {
  const char *why = NULL;
  if (text == NULL || rule(text, &why)) return PSPROBE_OK;
  return psp_setting_refuse(error, what, text, "%s", why);
}

static psprobe_code check_options(const psprobe_client_options *o, psprobe_error *error) {
  const struct {
    const char *what, *text;
    check_fn *rule;
  } checks[] = {
      {"project", o->project, psp_project_check},
      {"database", o->database, psp_database_check},
      {"Pub/Sub emulator", o->pubsub_emulator, psp_emulator_host_check},
      {"Firestore emulator", o->firestore_emulator, psp_emulator_host_check},
      {"Pub/Sub endpoint", o->pubsub_endpoint, psp_endpoint_check},
      {"Firestore endpoint", o->firestore_endpoint, psp_endpoint_check},
      {"admin endpoint", o->admin_endpoint, psp_endpoint_check},
  };
  for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
    psprobe_code code = check(checks[i].what, checks[i].text, checks[i].rule, error);
    if (code != PSPROBE_OK) return code;
  }
  if (o->timeout_ns < 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "timeout: it must not be negative");
  return PSPROBE_OK;
}

static bool set_base(psprobe_client *client, psp_service service, const char *emulator,
                     const char *endpoint) {
  psp_buf base = {0};
  if (emulator == NULL && endpoint == NULL) return true;
  if (emulator != NULL) {
    psp_buf_text(&base, "http://");
    psp_buf_text(&base, emulator);
    client->emulator[service] = true;
  } else {
    psp_buf_text(&base, endpoint);
    while (!base.failed && base.len > 0 && base.data[base.len - 1] == '/')
      base.data[--base.len] = 0;
  }
  client->base[service] = psp_buf_take(&base, NULL);
  return client->base[service] != NULL;
}

static bool copy_texts(psprobe_client *client, const psprobe_client_options *o) {
  client->project = psp_strdup(o->project);
  client->database = psp_strdup(o->database != NULL ? o->database : "(default)");
  client->ca_file = psp_strdup(o->ca_file);
  return client->database != NULL && (o->project == NULL || client->project != NULL) &&
         (o->ca_file == NULL || client->ca_file != NULL);
}

static psprobe_code fill_in(psprobe_client *client, const psprobe_client_options *o,
                            psprobe_error *error) {
  if (o->logger != NULL) client->logger = *o->logger;
  client->timeout_ns = o->timeout_ns != 0 ? o->timeout_ns : DEFAULT_TIMEOUT_NS;
  client->timers = psp_timers_new();
  bool bases = copy_texts(client, o) &&
               set_base(client, PSP_PUBSUB, o->pubsub_emulator, o->pubsub_endpoint) &&
               set_base(client, PSP_FIRESTORE, o->firestore_emulator, o->firestore_endpoint);
  for (psp_service service = PSP_SERVICE_USAGE; service < PSP_SERVICE_COUNT; service++)
    bases = bases && set_base(client, service, NULL, o->admin_endpoint);
  if (!bases || client->timers == NULL) return psp_fail_memory(error, "client");
  client->credentials = o->credentials;
  if (client->credentials != NULL) return PSPROBE_OK;
  psprobe_credentials_options lookup = {
      .ca_file = o->ca_file, .allow_unsafe_key = o->allow_unsafe_key, .logger = o->logger};
  psprobe_code code = psp_credentials_new_lazy(&lookup, &client->own_credentials, error);
  /* With both on emulators no call looks anything up: no file is read, no metadata server asked. */
  if (!client->emulator[PSP_PUBSUB] || !client->emulator[PSP_FIRESTORE])
    client->credentials = client->own_credentials;
  return code;
}

/* What is left once no call lives. */
static void release(psprobe_client *client) {
  psp_timers_free(client->timers);
  psprobe_credentials_free(client->own_credentials);
  free(client->project);
  free(client->database);
  free(client->ca_file);
  for (int service = 0; service < PSP_SERVICE_COUNT; service++)
    free(client->base[service]);
  pthread_cond_destroy(&client->changed);
  pthread_mutex_destroy(&client->lock);
  free(client);
}

psprobe_code psp_client_new_http(const psprobe_client_options *options, psp_http *http,
                                 psprobe_client **client, psprobe_error *error) {
  static const psprobe_client_options none;
  if (options == NULL) options = &none;
  psprobe_code code = check_options(options, error);
  psprobe_client *made = code == PSPROBE_OK ? calloc(1, sizeof *made) : NULL;
  if (made == NULL) {
    psp_http_free(http);
    return code != PSPROBE_OK ? code : psp_fail_memory(error, "client");
  }
  pthread_mutex_init(&made->lock, NULL);
  pthread_cond_init(&made->changed, NULL);
  code = fill_in(made, options, error);
  if (code != PSPROBE_OK) {
    psp_http_free(http);
    release(made);
    return code;
  }
  made->http = http;
  *client = made;
  return PSPROBE_OK;
}

void psprobe_client_free(psprobe_client *client) {
  if (client == NULL) return;
  pthread_mutex_lock(&client->lock);
  client->closing = true;
  /* From here no attempt begins; those that are being handed over are waited for, so that http
   * is not used after it is freed. */
  while (client->sending > 0)
    pthread_cond_wait(&client->changed, &client->lock);
  pthread_mutex_unlock(&client->lock);
  psp_timers_close(client->timers);
  psp_http_free(client->http);
  for (int service = 0; service < PSP_SERVICE_COUNT; service++)
    for (int apart = 0; apart < 2; apart++)
      psp_channel_free(client->channel[service][apart]);
  pthread_mutex_lock(&client->lock);
  while (client->active > 0)
    pthread_cond_wait(&client->changed, &client->lock);
  pthread_mutex_unlock(&client->lock);
  release(client);
}

psprobe_code psprobe_client_project(psprobe_client *client, const char **project,
                                    psprobe_error *error) {
  pthread_mutex_lock(&client->lock);
  const char *known = client->project;
  pthread_mutex_unlock(&client->lock);
  if (known == NULL && client->credentials != NULL) {
    const char *found = NULL;
    psprobe_error cause;
    psprobe_error_clear(&cause);
    if (psp_credentials_find_project(client->credentials, &found, &cause) != PSPROBE_OK)
      return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                      "no project is named (--project, GOOGLE_CLOUD_PROJECT), and the credentials "
                      "name none: %s",
                      cause.message);
    const char *why = NULL;
    char shown[PSP_SHOWN_SIZE];
    if (found != NULL && !psp_project_check(found, &why))
      return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                      "the project \"%s\" that the credentials name: %s",
                      psp_setting_shown(shown, sizeof shown, found), why);
    char *copy = psp_strdup(found);
    if (found != NULL && copy == NULL) return psp_fail_memory(error, "project");
    pthread_mutex_lock(&client->lock);
    if (client->project == NULL) {
      client->project = copy;
      copy = NULL;
    }
    known = client->project;
    pthread_mutex_unlock(&client->lock);
    free(copy);
  }
  if (known == NULL)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "no project is named (--project, GOOGLE_CLOUD_PROJECT)");
  *project = known;
  return PSPROBE_OK;
}

psp_http *psp_client_http(psprobe_client *client) {
  return client->http;
}

psprobe_credentials *psp_client_credentials(const psprobe_client *client) {
  return client->credentials != NULL ? client->credentials : client->own_credentials;
}

psprobe_code psp_client_find_credentials(psprobe_client *client, psprobe_error *error) {
  if (client->emulator[PSP_PUBSUB]) return PSPROBE_OK;
  return psp_credentials_resolve(client->credentials, error);
}

const char *psp_client_database(const psprobe_client *client) {
  return client->database;
}

bool psp_client_is_emulator(const psprobe_client *client, psp_service service) {
  return client->emulator[service];
}

int64_t psp_client_timeout(const psprobe_client *client) {
  return client->timeout_ns;
}

const psprobe_logger *psp_client_logger(const psprobe_client *client) {
  return &client->logger;
}

char *psp_client_url(const psprobe_client *client, psp_service service, const char *path,
                     char *room, size_t size) {
  char google[300];
  const char *base = client->base[service];
  if (base == NULL) {
    snprintf(google, sizeof google, "https://%s.%s", psp_services[service].name,
             psp_credentials_universe(client->credentials));
    base = google;
  }
  size_t needed = strlen(base) + strlen(path) + 1;
  char *url = needed <= size ? room : malloc(needed);
  if (url != NULL) snprintf(url, needed, "%s%s", base, path);
  return url;
}
