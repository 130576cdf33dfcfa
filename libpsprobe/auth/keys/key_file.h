/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_KEYS_KEY_FILE_H
#define PSP_AUTH_KEYS_KEY_FILE_H
/** @file What stands in a credentials file, each of its types. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>

#include "os/secret.h"

#define PSP_DEFAULT_UNIVERSE "googleapis.com"
#define PSP_OAUTH_TOKEN_URL  "https://oauth2.googleapis.com/token"

typedef enum psp_key_type {
  PSP_KEY_SERVICE_ACCOUNT,
  PSP_KEY_AUTHORIZED_USER,
  PSP_KEY_IMPERSONATED,
  PSP_KEY_EXTERNAL,
  PSP_KEY_EXTERNAL_USER
} psp_key_type;

/** Where an external account's subject token comes from. */
typedef enum psp_subject_kind {
  PSP_SUBJECT_FILE,
  PSP_SUBJECT_URL,
  PSP_SUBJECT_EXECUTABLE
} psp_subject_kind;

typedef struct psp_subject_source {
  psp_subject_kind kind;
  char *file, *url, *command, *output_file; /**< the one of `kind`; output_file may be NULL */
  char *json_field;                         /**< NULL: the whole text is the token */
  char **headers;                           /**< name, value, name, value… of the url */
  size_t header_count;                      /**< pairs */
  int64_t timeout_ms;                       /**< of the command */
} psp_subject_source;

/** NULL where the file does not have it, but for the defaults that are named. */
typedef struct psp_key_file psp_key_file;
struct psp_key_file {
  psp_key_type type;
  char *project_id, *quota_project_id;
  char *universe_domain; /**< "googleapis.com" when not given */
  bool has_secret;       /**< the file holds something that must not leak */
  /* service account */
  char *client_email, *private_key_id;
  char *token_uri; /**< Google's when not given */
  psp_secret private_key;
  /* users, and external clients */
  char *client_id;
  psp_secret client_secret, refresh_token;
  /* impersonation; also of an external account (url and lifetime alone) */
  char *impersonation_url;
  char *impersonated_email; /**< as the url has it */
  char **delegates, **scopes;
  size_t delegate_count, scope_count;
  int64_t lifetime_s; /**< 3600 when not given */
  bool lifetime_given;
  psp_key_file *source;
  /* external account */
  char *audience, *subject_token_type, *token_url, *workforce_user_project;
  psp_subject_source subject;
};

/**
 * Reads a credentials file's text.
 * @param path for messages: fields are named, values never shown
 * @param allow_other_hosts URLs that secrets go to may lead outside the universe's domain
 * @return PSPROBE_OK or INVALID_ARGUMENT; UNIMPLEMENTED for what is refused by name
 */
psprobe_code psp_key_file_parse(const char *text, size_t len, const char *path,
                                bool allow_other_hosts, psp_key_file **file, psprobe_error *error);
/** Wipes and frees; NULL is fine. */
void psp_key_file_free(psp_key_file *file);

/** Whether a universe's domain may become part of a host's name. */
bool psp_universe_is_domain(const char *domain);
/** "service_account" and so on. */
const char *psp_key_type_name(psp_key_type type);

#endif
