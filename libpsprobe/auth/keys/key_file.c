/* SPDX-License-Identifier: MIT */
#include "auth/keys/key_file.h"

#include <stdlib.h>
#include <string.h>

#include "auth/keys/key_parse.h"
#include "auth/url.h"
#include "base/error.h"
#include "base/text.h"
#include "http/client/http.h"
#include "http/url.h"

static const char *const type_names[] = {"service_account", "authorized_user",
                                         "impersonated_service_account", "external_account",
                                         "external_account_authorized_user"};
#define TYPES (sizeof type_names / sizeof *type_names)

const char *psp_key_type_name(psp_key_type type) {
  return type_names[type];
}

psprobe_code psp_key_fail(const psp_key_parse *p, const char *field, const char *rule) {
  return psp_fail(p->error, PSPROBE_INVALID_ARGUMENT, "credentials file %s: field %s%s %s", p->path,
                  p->at, field, rule);
}

psprobe_code psp_key_text(const psp_key_parse *p, psp_view object, const char *field, bool must,
                          char **out) {
  psp_view value = psp_view_get(object, field);
  bool given = value.type == PSP_VIEW_STRING && psp_view_length(value) > 0;
  if (!given) {
    if (must) return psp_key_fail(p, field, "is missing");
    if (value.type != PSP_VIEW_NONE && value.type != PSP_VIEW_NULL && value.type != PSP_VIEW_STRING)
      return psp_key_fail(p, field, "must be text");
    return PSPROBE_OK;
  }
  *out = psp_view_strdup(value);
  if (*out == NULL) return psp_fail_memory(p->error, "credentials file");
  /* These go into headers, URLs and forms: a line break in one would be another header. */
  for (const char *c = *out; *c != 0; c++)
    if ((unsigned char)*c < ' ' || *c == 0x7f)
      return psp_key_fail(p, field, "has a control character in it");
  return PSPROBE_OK;
}

psprobe_code psp_key_secret(const psp_key_parse *p, const char *field, bool must, psp_secret *out) {
  psp_view value = psp_view_get(p->object, field);
  if (value.type != PSP_VIEW_STRING || psp_view_length(value) == 0)
    return must ? psp_key_fail(p, field, "is missing") : PSPROBE_OK;
  psp_view_secret(value, out);
  if (out->failed) return psp_fail_memory(p->error, "credentials file");
  p->file->has_secret = true;
  return PSPROBE_OK;
}

psprobe_code psp_key_google_url(const psp_key_parse *p, const char *field, const char *url) {
  const char *why = NULL;
  if (url == NULL) return PSPROBE_OK;
  if (!psp_http_url_check(url, &why)) return psp_key_fail(p, field, why);
  if (psp_http_url_is_loopback(url)) return PSPROBE_OK;
  if (!psp_url_is_https(url))
    return psp_key_fail(p, field, "must be https: a secret is sent there");
  if (!p->allow_other_hosts && !psp_url_is_within(url, p->file->universe_domain) &&
      !psp_url_is_within(url, PSP_DEFAULT_UNIVERSE))
    return psp_key_fail(
        p, field,
        "must lead to port 443 of a host within googleapis.com or universe_domain: a "
        "secret is sent there");
  return PSPROBE_OK;
}

/* It becomes part of URLs, so no letter that means something there. */
static bool is_account(const char *email) {
  return email != NULL &&
         strspn(email, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@") ==
             strlen(email) &&
         strcmp(email, ".") != 0 && strcmp(email, "..") != 0;
}

psprobe_code psp_key_impersonated_email(const psp_key_parse *p) {
  static const char field[] = "service_account_impersonation_url";
  const char *url = p->file->impersonation_url;
  if (url == NULL) return PSPROBE_OK;
  if (strlen(url) > 256) return psp_key_fail(p, field, "is longer than 256 characters");
  const char *slash = strrchr(url, '/');
  const char *colon = slash != NULL ? strchr(slash, ':') : NULL;
  bool known = colon != NULL && (strcmp(colon, ":generateAccessToken") == 0 ||
                                 strcmp(colon, ":generateIdToken") == 0);
  if (!known || colon == slash + 1 || strpbrk(slash, "?#%") != NULL)
    return psp_key_fail(p, field, "does not end in /serviceAccounts/ACCOUNT:generateAccessToken");
  p->file->impersonated_email = strndup(slash + 1, (size_t)(colon - slash - 1));
  if (p->file->impersonated_email == NULL) return psp_fail_memory(p->error, "credentials file");
  return is_account(p->file->impersonated_email) ? PSPROBE_OK
                                                 : psp_key_fail(p, field, "names no account");
}

psprobe_code psp_key_lifetime(const psp_key_parse *p, psp_view value, const char *field,
                              int64_t least) {
  if (value.type == PSP_VIEW_NONE || value.type == PSP_VIEW_NULL) return PSPROBE_OK;
  int64_t seconds;
  if (!psp_view_int64(value, &seconds) || seconds < least || seconds > 43200)
    return psp_key_fail(
        p, field,
        least > 1 ? "must be from 600 to 43200 seconds" : "must be from 1 to 43200 seconds");
  p->file->lifetime_s = seconds;
  p->file->lifetime_given = true;
  return PSPROBE_OK;
}

/* A list of texts; a missing one is empty. */
static psprobe_code text_list(const psp_key_parse *p, const char *field, char ***out,
                              size_t *count) {
  psp_view list = psp_view_get(p->object, field);
  if (list.type == PSP_VIEW_NONE || list.type == PSP_VIEW_NULL) return PSPROBE_OK;
  if (list.type != PSP_VIEW_ARRAY) return psp_key_fail(p, field, "must be a list of texts");
  size_t items = 0;
  psp_view item;
  for (psp_view_cursor c = {0}; psp_view_next(list, &c, &item); items++)
    if (psp_view_length(item) == 0) return psp_key_fail(p, field, "must be a list of texts");
  *out = calloc(items + 1, sizeof **out);
  if (*out == NULL) return psp_fail_memory(p->error, "credentials file");
  for (psp_view_cursor c = {0}; psp_view_next(list, &c, &item); (*count)++) {
    (*out)[*count] = psp_view_strdup(item);
    if ((*out)[*count] == NULL) return psp_fail_memory(p->error, "credentials file");
  }
  return PSPROBE_OK;
}

static psprobe_code parse_object(const psp_key_parse *p);

#define TRY(call)                                \
  do {                                           \
    psprobe_code try_code = (call);              \
    if (try_code != PSPROBE_OK) return try_code; \
  } while (0)

static psprobe_code service_account(const psp_key_parse *p) {
  psp_key_file *f = p->file;
  TRY(psp_key_text(p, p->object, "client_email", true, &f->client_email));
  if (!is_account(f->client_email)) return psp_key_fail(p, "client_email", "is no account");
  TRY(psp_key_secret(p, "private_key", true, &f->private_key));
  TRY(psp_key_text(p, p->object, "private_key_id", false, &f->private_key_id));
  TRY(psp_key_text(p, p->object, "token_uri", false, &f->token_uri));
  if (f->token_uri == NULL) f->token_uri = psp_strdup(PSP_OAUTH_TOKEN_URL);
  if (f->token_uri == NULL) return psp_fail_memory(p->error, "credentials file");
  return psp_key_google_url(p, "token_uri", f->token_uri);
}

static psprobe_code user(const psp_key_parse *p) {
  psp_key_file *f = p->file;
  TRY(psp_key_text(p, p->object, "client_id", true, &f->client_id));
  TRY(psp_key_secret(p, "client_secret", true, &f->client_secret));
  TRY(psp_key_secret(p, "refresh_token", true, &f->refresh_token));
  if (f->type == PSP_KEY_AUTHORIZED_USER) return PSPROBE_OK;
  TRY(psp_key_text(p, p->object, "token_url", false, &f->token_url));
  if (f->token_url == NULL) {
    psp_buf url = {0};
    psp_buf_printf(&url, "https://sts.%s/v1/oauthtoken", f->universe_domain);
    f->token_url = psp_buf_take(&url, NULL);
    if (f->token_url == NULL) return psp_fail_memory(p->error, "credentials file");
  }
  return psp_key_google_url(p, "token_url", f->token_url);
}

static psprobe_code impersonated(const psp_key_parse *p) {
  psp_key_file *f = p->file;
  TRY(psp_key_text(p, p->object, "service_account_impersonation_url", true, &f->impersonation_url));
  TRY(psp_key_impersonated_email(p));
  TRY(text_list(p, "delegates", &f->delegates, &f->delegate_count));
  TRY(text_list(p, "scopes", &f->scopes, &f->scope_count));
  TRY(psp_key_lifetime(p, psp_view_get(p->object, "lifetime"), "lifetime", 1));
  psp_view nested = psp_view_get(p->object, "source_credentials");
  if (nested.type != PSP_VIEW_OBJECT) return psp_key_fail(p, "source_credentials", "is missing");
  if (p->at[0] != 0)
    return psp_key_fail(p, "source_credentials", "is nested twice: use delegates instead");
  psp_key_parse inner = *p;
  inner.at = "source_credentials.";
  const char *why;
  if (!psp_view_object(nested.at, nested.len, &inner.object, &why))
    return psp_key_fail(p, "source_credentials: JSON with", why);
  f->source = calloc(1, sizeof *f->source);
  if (f->source == NULL) return psp_fail_memory(p->error, "credentials file");
  inner.file = f->source;
  TRY(parse_object(&inner));
  f->has_secret = f->source->has_secret;
  return PSPROBE_OK;
}

static psprobe_code parse_type(const psp_key_parse *p) {
  psp_view type = psp_view_get(p->object, "type");
  if (type.type != PSP_VIEW_STRING)
    return psp_key_fail(p, "type", "is missing: this is no credentials file of Google's");
  for (size_t i = 0; i < TYPES; i++) {
    if (psp_view_equals(type, type_names[i])) {
      p->file->type = (psp_key_type)i;
      return PSPROBE_OK;
    }
  }
  char name[48];
  if (!psp_view_string(type, name, sizeof name)) strcpy(name, "something long");
  return psp_fail(
      p->error,
      strcmp(name, "gdch_service_account") == 0 ? PSPROBE_UNIMPLEMENTED : PSPROBE_INVALID_ARGUMENT,
      "credentials file %s: its %stype is \"%s\", which is not supported", p->path, p->at, name);
}

static psprobe_code parse_object(const psp_key_parse *p) {
  psp_key_file *f = p->file;
  f->lifetime_s = 3600;
  TRY(parse_type(p));
  TRY(psp_key_text(p, p->object, "project_id", false, &f->project_id));
  TRY(psp_key_text(p, p->object, "quota_project_id", false, &f->quota_project_id));
  TRY(psp_key_text(p, p->object, "universe_domain", false, &f->universe_domain));
  if (f->universe_domain == NULL) f->universe_domain = psp_strdup(PSP_DEFAULT_UNIVERSE);
  if (f->universe_domain == NULL) return psp_fail_memory(p->error, "credentials file");
  if (strspn(f->universe_domain, "abcdefghijklmnopqrstuvwxyz0123456789-.") !=
      strlen(f->universe_domain))
    return psp_key_fail(p, "universe_domain", "is no domain name");
  switch (f->type) {
    case PSP_KEY_SERVICE_ACCOUNT:
      return service_account(p);
    case PSP_KEY_AUTHORIZED_USER:
    case PSP_KEY_EXTERNAL_USER:
      return user(p);
    case PSP_KEY_IMPERSONATED:
      return impersonated(p);
    default:
      return psp_key_external(p);
  }
}

psprobe_code psp_key_file_parse(const char *text, size_t len, const char *path,
                                bool allow_other_hosts, psp_key_file **file, psprobe_error *error) {
  psp_key_parse p = {
      .path = path, .at = "", .allow_other_hosts = allow_other_hosts, .error = error};
  const char *why = NULL;
  if (!psp_view_object(text, len, &p.object, &why))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "credentials file %s: no proper JSON: %s",
                    path, why);
  p.file = calloc(1, sizeof *p.file);
  if (p.file == NULL) return psp_fail_memory(error, "credentials file");
  psprobe_code code = parse_object(&p);
  if (code == PSPROBE_OK)
    *file = p.file;
  else
    psp_key_file_free(p.file);
  return code;
}

static void free_list(char **list, size_t count) {
  for (size_t i = 0; i < count; i++)
    free(list[i]);
  free(list);
}

void psp_key_file_free(psp_key_file *file) {
  if (file == NULL) return;
  char *const texts[] = {file->project_id,
                         file->quota_project_id,
                         file->universe_domain,
                         file->client_email,
                         file->private_key_id,
                         file->token_uri,
                         file->client_id,
                         file->impersonation_url,
                         file->impersonated_email,
                         file->audience,
                         file->subject_token_type,
                         file->token_url,
                         file->workforce_user_project,
                         file->subject.file,
                         file->subject.url,
                         file->subject.command,
                         file->subject.output_file,
                         file->subject.json_field};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    free(texts[i]);
  psp_secret_free(&file->private_key);
  psp_secret_free(&file->client_secret);
  psp_secret_free(&file->refresh_token);
  free_list(file->delegates, file->delegate_count);
  free_list(file->scopes, file->scope_count);
  free_list(file->subject.headers, 2 * file->subject.header_count);
  psp_key_file_free(file->source);
  free(file);
}
