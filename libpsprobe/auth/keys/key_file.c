/* SPDX-License-Identifier: MIT */
#include "auth/keys/key_file.h"

#include <stdlib.h>
#include <string.h>

#include "auth/keys/parts.h"
#include "auth/url.h"
#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"
#include "http/url.h"

static const char *const type_names[] = {"service_account", "authorized_user",
                                         "impersonated_service_account", "external_account",
                                         "external_account_authorized_user"};
#define TYPES (sizeof type_names / sizeof *type_names)

const char *psp_key_type_name(psp_key_type type) {
  return type_names[type];
}

bool psp_universe_is_domain(const char *domain) {
  size_t len = strlen(domain);
  return len > 0 && len < 254 && domain[0] != '.' && domain[0] != '-' &&
         strspn(domain, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}

static psprobe_code parse_object(const psp_key_parse *p);

static psprobe_code service_account(const psp_key_parse *p) {
  psp_key_file *f = p->file;
  PSP_KEY_TRY(psp_key_text(p, p->object, "client_email", true, &f->client_email));
  if (!psp_key_is_account(f->client_email)) return psp_key_fail(p, "client_email", "is no account");
  PSP_KEY_TRY(psp_key_secret(p, "private_key", true, &f->private_key));
  PSP_KEY_TRY(psp_key_text(p, p->object, "private_key_id", false, &f->private_key_id));
  PSP_KEY_TRY(psp_key_text(p, p->object, "token_uri", false, &f->token_uri));
  /* Keys of before 2018 name an endpoint that is another way to today's. */
  if (f->token_uri == NULL ||
      (psp_url_is_https(f->token_uri) && psp_url_is_within(f->token_uri, "accounts.google.com"))) {
    free(f->token_uri);
    f->token_uri = psp_strdup(PSP_OAUTH_TOKEN_URL);
    if (f->token_uri == NULL) return psp_fail_memory(p->error, "credentials file");
  }
  return psp_key_google_url(p, "token_uri", f->token_uri);
}

static psprobe_code user(const psp_key_parse *p) {
  psp_key_file *f = p->file;
  PSP_KEY_TRY(psp_key_text(p, p->object, "client_id", true, &f->client_id));
  PSP_KEY_TRY(psp_key_secret(p, "client_secret", true, &f->client_secret));
  PSP_KEY_TRY(psp_key_secret(p, "refresh_token", true, &f->refresh_token));
  if (f->type == PSP_KEY_AUTHORIZED_USER) return PSPROBE_OK;
  return psp_key_token_url(p, "oauthtoken");
}

static psprobe_code impersonated(const psp_key_parse *p) {
  psp_key_file *f = p->file;
  PSP_KEY_TRY(
      psp_key_text(p, p->object, "service_account_impersonation_url", true, &f->impersonation_url));
  PSP_KEY_TRY(psp_key_impersonated_email(p));
  PSP_KEY_TRY(psp_key_texts(p, "delegates", &f->delegates, &f->delegate_count));
  PSP_KEY_TRY(psp_key_texts(p, "scopes", &f->scopes, &f->scope_count));
  PSP_KEY_TRY(psp_key_lifetime(p, psp_view_get(p->object, "lifetime"), "lifetime", 1));
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
  PSP_KEY_TRY(parse_object(&inner));
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
  char name[48], shown[PSP_SHOWN_SIZE];
  if (!psp_view_string(type, name, sizeof name)) strcpy(name, "something long");
  return psp_fail(
      p->error,
      strcmp(name, "gdch_service_account") == 0 ? PSPROBE_UNIMPLEMENTED : PSPROBE_INVALID_ARGUMENT,
      "credentials file %s: its %stype is \"%s\", which is not supported", p->path, p->at,
      psp_setting_shown(shown, sizeof shown, name));
}

static psprobe_code parse_object(const psp_key_parse *p) {
  psp_key_file *f = p->file;
  f->lifetime_s = 3600;
  PSP_KEY_TRY(parse_type(p));
  PSP_KEY_TRY(psp_key_text(p, p->object, "project_id", false, &f->project_id));
  PSP_KEY_TRY(psp_key_text(p, p->object, "quota_project_id", false, &f->quota_project_id));
  PSP_KEY_TRY(psp_key_text(p, p->object, "universe_domain", false, &f->universe_domain));
  if (f->universe_domain == NULL) f->universe_domain = psp_strdup(PSP_DEFAULT_UNIVERSE);
  if (f->universe_domain == NULL) return psp_fail_memory(p->error, "credentials file");
  if (!psp_universe_is_domain(f->universe_domain))
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
