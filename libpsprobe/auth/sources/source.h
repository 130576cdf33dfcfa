/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_SOURCES_SOURCE_H
#define PSP_AUTH_SOURCES_SOURCE_H
/**
 * @file
 * One way to prove who the program is, and the getting of tokens with it. Everything here may wait
 * for the network; one thread at a time.
 */
#include <psprobe/error.h>

#include "auth/credentials.h"
#include "auth/fetch.h"
#include "auth/keys/key_file.h"
#include "auth/sources/jwt_sign.h"
#include "auth/sources/metadata.h"
#include "auth/sources/oauth.h"

/** What a token is wanted for. */
typedef struct psp_want {
  enum {
    PSP_WANT_API,   /**< access to `service` */
    PSP_WANT_CLOUD, /**< scope cloud-platform, to impersonate with it */
    PSP_WANT_ID     /**< an ID token for `audience` */
  } kind;
  psp_service service;
  const char *audience;
} psp_want;

/** A token and how long it lives, counted from before it was asked for. */
typedef struct psp_got {
  psp_secret token;
  int64_t life_s;
} psp_got;

typedef struct psp_source psp_source;
/** How a kind of source gets a token. */
typedef psprobe_code psp_source_getter(psp_source *source, psp_fetcher *fetcher,
                                       const psp_want *want, psp_got *got, psprobe_error *error);
struct psp_source {
  psp_source_getter *get; /**< that of its kind */
  psp_key_file *file;     /**< NULL: the metadata server */
  char *path;             /**< where the file is; NULL for a nested one */
  char *account;          /**< for messages; NULL: not known */
  psp_signer *signer;     /**< service accounts */
  psp_metadata metadata;
  psp_source *inner; /**< whom an impersonation starts from */
  /* The token of the step before the last, of impersonations: it serves every audience. */
  psp_got base;
  int64_t base_until_ns;
};

void psp_source_free(psp_source *source);

/** Gets a token; `got` is zeroed by the caller, who frees got->token also on failure. */
psprobe_code psp_source_get(psp_source *source, psp_fetcher *fetcher, const psp_want *want,
                            psp_got *got, psprobe_error *error);
/** An API refused its token: the next one begins at the beginning. */
void psp_source_forget(psp_source *source);

const char *psp_source_universe(const psp_source *source);
/** Its tokens name the API that they are for, so each API needs one of its own. */
bool psp_source_is_per_api(const psp_source *source);

/* ---- the kinds, each in a file of its own ---- */
psp_source_getter psp_service_account_get, psp_user_get, psp_impersonated_get, psp_external_get,
    psp_metadata_get;

/** The subject token of an external account. */
psprobe_code psp_subject_get(const psp_source *source, psp_fetcher *fetcher, psp_secret *token,
                             psprobe_error *error);

/** A call of the IAM credentials API, with `bearer` as the token. */
typedef struct psp_iam_call {
  const char *url; /**< ends in "…/ACCOUNT:" */
  const char *account;
  const char *quota_project; /**< NULL: none */
  bool delegates;            /**< say them, also when there are none */
} psp_iam_call;
psprobe_code psp_iam_get(psp_source *source, psp_fetcher *fetcher, const psp_iam_call *call,
                         const psp_want *want, const char *bearer, psp_got *got,
                         psprobe_error *error);

/** The same with source->base as the token, which is forgotten when Google does not take it.
 * call->url is `url`'s text, which is freed. */
psprobe_code psp_iam_get_by_base(psp_source *source, psp_fetcher *fetcher, psp_iam_call *call,
                                 psp_buf *url, const psp_want *want, psp_got *got,
                                 psprobe_error *error);

/** Until when source->base serves: a while before its own end. */
int64_t psp_source_base_end(int64_t now_ns, int64_t life_s);

/** POSTs a form to a token endpoint. `basic`: "Basic …" or NULL. */
psprobe_code psp_post_form(psp_fetcher *fetcher, const char *url, const char *basic,
                           const char *api_client, const psp_secret *form, psp_answer *answer,
                           psprobe_error *error);
/** "Basic …" of a client's id and secret. */
void psp_basic_authorization(psp_secret *out, const psp_key_file *file);
/** "get WHAT for ACCOUNT from HOST", for messages. */
#define PSP_WHAT_SIZE 256
void psp_source_what(const psp_source *source, const char *what, const char *url,
                     char out[PSP_WHAT_SIZE]);

#endif
