/* SPDX-License-Identifier: MIT */
/** @file What is known of credentials once they are found: project, quota project, universe. */
#include <stdlib.h>
#include <string.h>

#include "auth/parts.h"
#include "base/error.h"
#include "base/text.h"

static psprobe_code keep_text(const char *text, char **copy, psprobe_error *error) {
  *copy = psp_strdup(text);
  return text == NULL || *copy != NULL ? PSPROBE_OK : psp_fail_memory(error, "credentials");
}

/* A setting that goes into a header of every call. */
static psprobe_code check_quota_project(const char *name, const char *value, psprobe_error *error) {
  for (const char *at = value; *at != 0; at++)
    if (*at <= ' ' || *at > '~')
      return psp_fail(
          error, PSPROBE_INVALID_ARGUMENT, "%s: it has a blank or a control character in it%s",
          name, *at == '\r' ? " (a carriage return: from a file with Windows line endings?)" : "");
  return PSPROBE_OK;
}

/* The quota project, the environment's first. */
static psprobe_code read_quota(psprobe_credentials *c, const psp_key_file *file,
                               psprobe_error *error) {
  static const char name[] = "GOOGLE_CLOUD_QUOTA_PROJECT";
  const char *quota = getenv(name);
  bool set = quota != NULL && quota[0] != 0;
  psprobe_code code = set ? check_quota_project(name, quota, error) : PSPROBE_OK;
  if (!set) quota = file != NULL ? file->quota_project_id : NULL;
  return code == PSPROBE_OK ? keep_text(quota, &c->quota_text, error) : code;
}

/* The credentials' universe; where the environment names one it must be the same, since a token is
 * worth nothing elsewhere. */
static psprobe_code read_universe(psprobe_credentials *c, const psp_source *source,
                                  psprobe_error *error) {
  const char *universe = psp_source_universe(source);
  const char *wish = getenv("GOOGLE_CLOUD_UNIVERSE_DOMAIN");
  if (wish != NULL && wish[0] != 0 && strcmp(wish, universe) != 0)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "GOOGLE_CLOUD_UNIVERSE_DOMAIN names another universe than that of the "
                    "credentials, %s",
                    universe);
  return keep_text(universe, &c->universe_text, error);
}

/* What the file and gcloud's configuration say; nothing is asked over the network. */
static psprobe_code read_names(psprobe_credentials *c, const psp_source *source, char **project,
                               psprobe_error *error) {
  const psp_key_file *file = source->file;
  psprobe_code code = read_quota(c, file, error);
  if (code == PSPROBE_OK) code = read_universe(c, source, error);
  const char *named = file != NULL ? file->project_id : NULL;
  if (named == NULL && source->inner != NULL) named = source->inner->file->project_id;
  if (code == PSPROBE_OK) code = keep_text(named, project, error);
  if (code == PSPROBE_OK && named == NULL && file != NULL) *project = psp_gcloud_project();
  return code;
}

psprobe_code psp_credentials_resolve_locked(psprobe_credentials *c, psp_token_slot *asking,
                                            psprobe_error *error) {
  if (c->source != NULL) return PSPROBE_OK;
  psp_source *source = NULL;
  char *project = NULL;
  psprobe_code code = psp_adc_find(&c->options, &c->fetcher, &source, error);
  if (code == PSPROBE_OK && source->file == NULL)
    code = psp_metadata_find_universe(&source->metadata, &c->fetcher, error);
  if (code == PSPROBE_OK) code = read_names(c, source, &project, error);
  if (code != PSPROBE_OK) {
    psp_source_free(source);
    free(c->quota_text);
    free(c->universe_text);
    c->quota_text = c->universe_text = NULL;
    return code;
  }
  atomic_store(&c->quota_project, c->quota_text);
  atomic_store(&c->universe, c->universe_text);
  pthread_mutex_lock(&c->lock);
  c->source = source;
  c->project = project;
  if (!psp_source_is_per_api(source)) {
    psp_token_slot *shared =
        asking != NULL && asking->want.kind == PSP_WANT_API ? asking : &c->api[0];
    atomic_store_explicit(&c->shared, shared, memory_order_release);
    for (int i = 0; i < PSP_SERVICE_COUNT; i++)
      if (&c->api[i] != shared) psp_waiters_move(&c->api[i], shared);
  }
  pthread_mutex_unlock(&c->lock);
  return PSPROBE_OK;
}

psprobe_code psp_credentials_resolve(psprobe_credentials *c, psprobe_error *error) {
  pthread_mutex_lock(&c->fetch_lock);
  psprobe_code code = psp_credentials_resolve_locked(c, NULL, error);
  pthread_mutex_unlock(&c->fetch_lock);
  return code;
}

const char *psp_credentials_quota_project(psprobe_credentials *c) {
  return atomic_load_explicit(&c->quota_project, memory_order_acquire);
}

const char *psp_credentials_universe(psprobe_credentials *c) {
  const char *universe = atomic_load_explicit(&c->universe, memory_order_acquire);
  return universe != NULL ? universe : PSP_DEFAULT_UNIVERSE;
}

const char *psprobe_credentials_project(const psprobe_credentials *credentials) {
  psprobe_credentials *c = (psprobe_credentials *)(uintptr_t)credentials; /* for its lock alone */
  pthread_mutex_lock(&c->lock);
  const char *project = c->project;
  pthread_mutex_unlock(&c->lock);
  return project;
}

/* The number after "/projects/" in an audience, or the workforce user's project. */
static const char *project_number(const psp_key_file *file, char out[24]) {
  if (file->workforce_user_project != NULL) return file->workforce_user_project;
  const char *at = strstr(file->audience, "/projects/");
  size_t len = at != NULL ? strspn(at + 10, "0123456789") : 0;
  if (len == 0 || len >= 24) return NULL;
  memcpy(out, at + 10, len);
  out[len] = 0;
  return out;
}

/* Federated credentials name a project by number: the Resource Manager knows its id. */
static psprobe_code ask_resource_manager(psprobe_credentials *c, char **project,
                                         psprobe_error *error) {
  char digits[24];
  const char *number = project_number(c->source->file, digits);
  if (number == NULL) return PSPROBE_OK;
  psp_got got = {0};
  psp_answer answer = {0};
  psp_buf url = {0};
  const psp_want want = {.kind = PSP_WANT_CLOUD};
  psp_secret_text(&got.token, "Bearer ");
  psprobe_code code = psp_source_get(c->source, &c->fetcher, &want, &got, error);
  psp_buf_printf(&url, "https://cloudresourcemanager.%s/v1/projects/", c->universe_text);
  psp_percent_encode(&url, number);
  if (code == PSPROBE_OK && url.failed) code = psp_fail_memory(error, "project");
  if (code == PSPROBE_OK) {
    psp_header headers[] = {{"accept", "application/json"},
                            {"x-goog-api-client", PSP_API_CLIENT},
                            {"authorization", got.token.data}};
    psp_http_request request = {
        .method = "GET", .url = url.data, .headers = headers, .header_count = 3};
    code = psp_fetch(&c->fetcher, &request, NULL, &answer, error);
  }
  static const char what[] = "look up the project's id";
  psp_view object;
  const char *why;
  if (code == PSPROBE_OK && answer.status != 200)
    code = psp_oauth_fail(&answer, psp_clock_wall_s(&c->fetcher.clock), what, error);
  else if (code == PSPROBE_OK && answer.body.len > 0 &&
           psp_view_object(answer.body.data, answer.body.len, &object, &why))
    *project = psp_view_strdup(psp_view_get(object, "projectId"));
  psp_answer_free(&answer);
  psp_secret_free(&got.token);
  psp_buf_free(&url);
  return code;
}

static psprobe_code ask(psprobe_credentials *c, char **project, psprobe_error *error) {
  const psp_key_file *file = c->source->file;
  if (file != NULL && file->type == PSP_KEY_EXTERNAL)
    return ask_resource_manager(c, project, error);
  if (file != NULL) return PSPROBE_OK;
  psp_answer answer = {0};
  psprobe_code code = psp_metadata_text(&c->fetcher, c->source->metadata.host,
                                        "/project/project-id", NULL, &answer, error);
  if (code == PSPROBE_OK && answer.body.len > 0) *project = psp_strdup(answer.body.data);
  psp_answer_free(&answer);
  return code;
}

psprobe_code psp_credentials_find_project(psprobe_credentials *c, const char **project,
                                          psprobe_error *error) {
  pthread_mutex_lock(&c->fetch_lock);
  psprobe_code code = psp_credentials_resolve_locked(c, NULL, error);
  if (code == PSPROBE_OK && c->project == NULL) {
    char *found = NULL;
    code = ask(c, &found, error);
    pthread_mutex_lock(&c->lock);
    c->project = found;
    pthread_mutex_unlock(&c->lock);
  }
  if (code == PSPROBE_OK) *project = c->project;
  pthread_mutex_unlock(&c->fetch_lock);
  return code;
}
