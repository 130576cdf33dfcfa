/* SPDX-License-Identifier: MIT */
/** @file The fields of external_account files (AIP-4117). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth/keys/parts.h"
#include "auth/url.h"
#include "base/error.h"
#include "base/text.h"
#include "http/url.h"

#define DEFAULT_TIMEOUT_MS 30000

/* format: {"type":"text"} (default), or {"type":"json","subject_token_field_name":"x"}. */
static psprobe_code parse_format(const psp_key_parse *p, psp_view source) {
  psp_view format = psp_view_get(source, "format");
  if (format.type == PSP_VIEW_NONE || format.type == PSP_VIEW_NULL) return PSPROBE_OK;
  psp_view type = psp_view_get(format, "type");
  if (type.type == PSP_VIEW_NONE || psp_view_equals(type, "text")) return PSPROBE_OK;
  if (!psp_view_equals(type, "json"))
    return psp_key_fail(p, "credential_source.format.type", "must be text or json");
  return psp_key_text(p, format, "subject_token_field_name", true, &p->file->subject.json_field);
}

static psprobe_code parse_headers(const psp_key_parse *p, psp_view headers) {
  static const char field[] = "credential_source.headers";
  psp_subject_source *s = &p->file->subject;
  if (headers.type == PSP_VIEW_NONE || headers.type == PSP_VIEW_NULL) return PSPROBE_OK;
  psp_view name, value;
  size_t count = 0;
  for (psp_view_cursor c = {0}; psp_view_next_member(headers, &c, &name, &value); count++)
    if (value.type != PSP_VIEW_STRING) return psp_key_fail(p, field, "must be texts");
  s->headers = calloc(2 * count + 1, sizeof *s->headers);
  if (s->headers == NULL) return psp_fail_memory(p->error, "credentials file");
  for (psp_view_cursor c = {0}; psp_view_next_member(headers, &c, &name, &value);) {
    s->headers[2 * s->header_count] = psp_view_strdup(name);
    s->headers[2 * s->header_count + 1] = psp_view_strdup(value);
    s->header_count++;
    if (s->headers[2 * s->header_count - 1] == NULL || s->headers[2 * s->header_count - 2] == NULL)
      return psp_fail_memory(p->error, "credentials file");
    /* Who puts a key for his token server here has a secret in the file. */
    if (strcasecmp(s->headers[2 * s->header_count - 2], "authorization") == 0)
      p->file->has_secret = true;
  }
  return PSPROBE_OK;
}

/* https anywhere; http to this machine and to clouds' metadata servers, which have no https. */
static psprobe_code check_subject_url(const psp_key_parse *p, const char *url) {
  static const char field[] = "credential_source.url";
  const char *why = NULL;
  if (!psp_http_url_check(url, &why)) return psp_key_fail(p, field, why);
  if (!psp_url_is_safe(url) && !psp_url_is_link_local(url))
    return psp_key_fail(p, field, "must be https (http only to loopback and link-local addresses)");
  return PSPROBE_OK;
}

static psprobe_code parse_executable(const psp_key_parse *p, psp_view executable) {
  psp_subject_source *s = &p->file->subject;
  PSP_KEY_TRY(psp_key_text(p, executable, "command", true, &s->command));
  PSP_KEY_TRY(psp_key_text(p, executable, "output_file", false, &s->output_file));
  s->timeout_ms = DEFAULT_TIMEOUT_MS;
  psp_view timeout = psp_view_get(executable, "timeout_millis");
  if (timeout.type == PSP_VIEW_NONE || timeout.type == PSP_VIEW_NULL) return PSPROBE_OK;
  if (!psp_view_int64(timeout, &s->timeout_ms) || s->timeout_ms < 5000 || s->timeout_ms > 120000)
    return psp_key_fail(p, "credential_source.executable.timeout_millis",
                        "must be from 5000 to 120000");
  return PSPROBE_OK;
}

static psprobe_code refuse_source(const psp_key_parse *p, const char *kind) {
  return psp_fail(p->error, PSPROBE_UNIMPLEMENTED,
                  "credentials file %s: its credential_source is of kind %s, which is not "
                  "supported (file, url and executable are)",
                  p->path, kind);
}

static psprobe_code parse_source(const psp_key_parse *p) {
  psp_subject_source *s = &p->file->subject;
  psp_view source = psp_view_get(p->object, "credential_source");
  if (source.type != PSP_VIEW_OBJECT) return psp_key_fail(p, "credential_source", "is missing");
  if (psp_view_get(source, "environment_id").type != PSP_VIEW_NONE) return refuse_source(p, "AWS");
  if (psp_view_get(source, "certificate").type != PSP_VIEW_NONE)
    return refuse_source(p, "certificate");
  psp_view executable = psp_view_get(source, "executable");
  PSP_KEY_TRY(psp_key_text(p, source, "file", false, &s->file));
  PSP_KEY_TRY(psp_key_text(p, source, "url", false, &s->url));
  bool runs = executable.type == PSP_VIEW_OBJECT;
  if ((s->file != NULL) + (s->url != NULL) + runs != 1)
    return psp_key_fail(p, "credential_source", "must have one of file, url and executable");
  s->kind = runs ? PSP_SUBJECT_EXECUTABLE : s->url != NULL ? PSP_SUBJECT_URL : PSP_SUBJECT_FILE;
  if (runs) return parse_executable(p, executable);
  PSP_KEY_TRY(parse_format(p, source));
  if (s->kind == PSP_SUBJECT_FILE) return PSPROBE_OK;
  PSP_KEY_TRY(check_subject_url(p, s->url));
  return parse_headers(p, psp_view_get(source, "headers"));
}

/* "//iam.googleapis.com/locations/LOCATION/workforcePools/…" */
static bool is_workforce(const char *audience) {
  static const char start[] = "//iam.", middle[] = "/locations/", pools[] = "/workforcePools/";
  const char *at = strstr(audience, middle);
  return psp_text_starts(audience, start) && at != NULL &&
         memchr(audience + 2, '/', (size_t)(at - audience) - 2) == NULL &&
         strstr(at + 1, pools) != NULL;
}

psprobe_code psp_key_external(const psp_key_parse *p) {
  psp_key_file *f = p->file;
  PSP_KEY_TRY(psp_key_text(p, p->object, "audience", true, &f->audience));
  PSP_KEY_TRY(psp_key_text(p, p->object, "subject_token_type", true, &f->subject_token_type));
  PSP_KEY_TRY(psp_key_token_url(p, "token"));
  PSP_KEY_TRY(psp_key_text(p, p->object, "service_account_impersonation_url", false,
                           &f->impersonation_url));
  PSP_KEY_TRY(psp_key_google_url(p, "service_account_impersonation_url", f->impersonation_url));
  PSP_KEY_TRY(psp_key_impersonated_email(p));
  psp_view options = psp_view_get(p->object, "service_account_impersonation");
  PSP_KEY_TRY(psp_key_lifetime(p, psp_view_get(options, "token_lifetime_seconds"),
                               "service_account_impersonation.token_lifetime_seconds", 600));
  PSP_KEY_TRY(psp_key_text(p, p->object, "client_id", false, &f->client_id));
  PSP_KEY_TRY(psp_key_secret(p, "client_secret", false, &f->client_secret));
  PSP_KEY_TRY(
      psp_key_text(p, p->object, "workforce_pool_user_project", false, &f->workforce_user_project));
  if (f->workforce_user_project != NULL && !is_workforce(f->audience))
    return psp_key_fail(p, "workforce_pool_user_project",
                        "must not be there: audience is no workforce pool");
  return parse_source(p);
}
