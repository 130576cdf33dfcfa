/* SPDX-License-Identifier: MIT */
#include "auth/adc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/keys/hygiene.h"
#include "auth/sources/kinds.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"

static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value != NULL && value[0] != 0 ? value : NULL;
}

/* The lookup under way: what was seen, for the error if nothing is found, for the log, and for
 * whoever asked to be told. */
typedef struct lookup {
  const psprobe_credentials_options *options;
  char seen[400];
} lookup;

static void say(lookup *l, const char *place, const char *outcome, bool used) {
  const psprobe_credentials_options *o = l->options;
  if (o->on_step != NULL) o->on_step(o->step_arg, place, outcome, used);
  psp_log_line line;
  if (psp_log_begin(&line, o->logger, PSPROBE_LOG_DEBUG, "credentials_lookup")) {
    psp_log_text(&line, "place", place);
    psp_log_text(&line, "outcome", outcome);
    psp_log_end(&line);
  }
  size_t len = strlen(l->seen);
  snprintf(l->seen + len, sizeof l->seen - len, "%s%s: %s", len > 0 ? "; " : "", place, outcome);
}

psprobe_code psp_adc_load(const char *path, const psprobe_credentials_options *options,
                          psp_source **source, psprobe_error *error) {
  psp_secret text = {0};
  psp_key_seen seen = {0};
  psp_key_file *file = NULL;
  psprobe_code code = psp_key_file_read(path, &text, &seen, error);
  if (code == PSPROBE_OK)
    code = psp_key_file_parse(text.data, text.len, path, options->allow_other_hosts, &file, error);
  psp_secret_free(&text);
  if (code != PSPROBE_OK) return code;
  if (file->has_secret && !options->allow_unsafe_key) code = psp_hygiene_check(path, &seen, error);
  if (code == PSPROBE_OK) return psp_source_new(file, path, source, error);
  psp_key_file_free(file);
  return code;
}

static psprobe_code load(lookup *l, const char *place, const char *path, psp_source **source,
                         psprobe_error *error) {
  psprobe_error cause;
  psprobe_error_clear(&cause);
  psprobe_code code = psp_key_path_check(path, &cause);
  if (code == PSPROBE_OK)
    code = psp_adc_load(path, l->options, source, &cause);
  else if (place == path)
    psp_fail_in(&cause, "%s", place = "the name of the credentials file");
  if (code == PSPROBE_OK) {
    char outcome[120];
    snprintf(outcome, sizeof outcome, "%s%s%s", psp_key_type_name((*source)->file->type),
             (*source)->account != NULL ? " " : "",
             (*source)->account != NULL ? (*source)->account : "");
    say(l, place, outcome, true);
    return PSPROBE_OK;
  }
  say(l, place, cause.message, true);
  if (error != NULL) *error = cause;
  return code;
}

/* True: gcloud's file is there, or something that must not be passed over is. */
static bool has_gcloud_file(lookup *l, char **path) {
  *path = psp_gcloud_path("application_default_credentials.json");
  if (*path == NULL) {
    say(l, "gcloud's credentials", "neither CLOUDSDK_CONFIG nor HOME is set", false);
    return false;
  }
  if (access(*path, F_OK) == 0) return true;
  /* A home that may not be entered (a service's, by systemd's ProtectHome) holds nothing for us; a
   * folder that somebody has named is to be there. */
  bool closed = errno == EACCES && variable("CLOUDSDK_CONFIG") == NULL;
  if (errno != ENOENT && errno != ENOTDIR && !closed) return true;
  say(l, *path, closed ? "its folder may not be entered" : "not there", false);
  return false;
}

static psprobe_code from_metadata(lookup *l, psp_fetcher *fetcher, psp_source **source,
                                  psprobe_error *error) {
  const char *host, *why;
  bool named;
  psp_detection detection;
  psprobe_code code = psp_metadata_find_host(&host, &named, error);
  if (code == PSPROBE_OK) code = psp_metadata_detection(&detection, &why, error);
  if (code != PSPROBE_OK) return code;
  char place[300];
  snprintf(place, sizeof place, "metadata server %s", host);
  psprobe_error cause;
  psprobe_error_clear(&cause);
  if (detection == PSP_DETECT_PING) {
    code = psp_metadata_ping(fetcher, host, named, &cause);
    why = code == PSPROBE_OK ? "it answers" : cause.message;
    /* Where it was asked stands before it anyhow. */
    size_t len = strlen(place);
    if (strncmp(why, place, len) == 0 && strncmp(why + len, ": ", 2) == 0) why += len + 2;
  }
  if (detection == PSP_DETECT_NONE || code != PSPROBE_OK) {
    say(l, place, why, false);
    return psp_fail(error, PSPROBE_UNAUTHENTICATED,
                    "no credentials were found (%s): log in with gcloud auth application-default "
                    "login, or name a file in GOOGLE_APPLICATION_CREDENTIALS",
                    l->seen);
  }
  say(l, place, why, true);
  return psp_source_new_metadata(host, source, error);
}

psprobe_code psp_adc_find(const psprobe_credentials_options *options, psp_fetcher *fetcher,
                          psp_source **source, psprobe_error *error) {
  lookup l = {.options = options};
  if (options->file != NULL) return load(&l, options->file, options->file, source, error);
  static const char name[] = "GOOGLE_APPLICATION_CREDENTIALS";
  const char *file = variable(name);
  if (file != NULL) {
    psprobe_code code = load(&l, name, file, source, error);
    return code == PSPROBE_OK ? code : psp_fail_in(error, "%s", name);
  }
  say(&l, name, "not set", false);
  char *path = NULL;
  if (has_gcloud_file(&l, &path)) {
    psprobe_code code = load(&l, path, path, source, error);
    free(path);
    return code;
  }
  free(path);
  return from_metadata(&l, fetcher, source, error);
}
