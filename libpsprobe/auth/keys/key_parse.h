/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_KEYS_KEY_PARSE_H
#define PSP_AUTH_KEYS_KEY_PARSE_H
/** @file What key_file.c and key_external.c share. */
#include "auth/keys/key_file.h"
#include "base/json_view.h"

/** Where a parser stands; `at` names the object in messages ("", "source_credentials."). */
typedef struct psp_key_parse {
  const char *path, *at;
  psp_view object;
  psp_key_file *file;
  bool allow_other_hosts;
  psprobe_error *error;
} psp_key_parse;

/** INVALID_ARGUMENT: "credentials file PATH: field AT.name RULE". */
psprobe_code psp_key_fail(const psp_key_parse *p, const char *field, const char *rule);
/** A text field of `object` into *out; missing, null or "" is NULL unless `must`. */
psprobe_code psp_key_text(const psp_key_parse *p, psp_view object, const char *field, bool must,
                          char **out);
/** The same for a secret. */
psprobe_code psp_key_secret(const psp_key_parse *p, const char *field, bool must, psp_secret *out);
/** Refuses a URL that a secret must not be sent to: https within the universe's domain, port 443,
 * no user part, no fragment; or loopback. */
psprobe_code psp_key_google_url(const psp_key_parse *p, const char *field, const char *url);
/** impersonated_email from impersonation_url. */
psprobe_code psp_key_impersonated_email(const psp_key_parse *p);
/** The fields of type external_account. */
psprobe_code psp_key_external(const psp_key_parse *p);
/** A lifetime in whole seconds from 1 (600 for external accounts) to 43200. */
psprobe_code psp_key_lifetime(const psp_key_parse *p, psp_view value, const char *field,
                              int64_t least);

#endif
