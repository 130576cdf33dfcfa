/* SPDX-License-Identifier: MIT */
/** @file Single fields of a credentials file: text, list, secret, URL, account, lifetime. */
#include <stdlib.h>
#include <string.h>

#include "auth/keys/parts.h"
#include "auth/url.h"
#include "base/error.h"
#include "base/text.h"
#include "http/url.h"

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

psprobe_code psp_key_texts(const psp_key_parse *p, const char *field, char ***out, size_t *count) {
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

bool psp_key_is_account(const char *email) {
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
  return psp_key_is_account(p->file->impersonated_email)
             ? PSPROBE_OK
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

psprobe_code psp_key_token_url(const psp_key_parse *p, const char *path) {
  psp_key_file *f = p->file;
  PSP_KEY_TRY(psp_key_text(p, p->object, "token_url", false, &f->token_url));
  if (f->token_url == NULL) {
    psp_buf url = {0};
    psp_buf_printf(&url, "https://sts.%s/v1/%s", f->universe_domain, path);
    f->token_url = psp_buf_take(&url, NULL);
    if (f->token_url == NULL) return psp_fail_memory(p->error, "credentials file");
  }
  return psp_key_google_url(p, "token_url", f->token_url);
}
