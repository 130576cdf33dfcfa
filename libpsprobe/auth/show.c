/* SPDX-License-Identifier: MIT */
/** @file Credentials in public: finding them, tokens that are waited for, and what is known. */
#include <stdint.h>
#include <string.h>

#include "auth/parts.h"
#include "base/error.h"
#include "os/latch.h"

psprobe_code psprobe_credentials_new(const psprobe_credentials_options *options,
                                     psprobe_credentials **credentials, psprobe_error *error) {
  psprobe_credentials *made = NULL;
  psprobe_code code = psp_credentials_new_lazy(options, &made, error);
  if (code == PSPROBE_OK) code = psp_credentials_resolve(made, error);
  if (code == PSPROBE_OK)
    *credentials = made;
  else
    psprobe_credentials_free(made);
  return code;
}

typedef struct waiting_token {
  psp_latch over;
  psprobe_error error;
} waiting_token;

static void on_ready(void *arg, const psprobe_error *error) {
  waiting_token *w = arg;
  if (error != NULL) w->error = *error;
  psp_latch_post(&w->over);
}

psprobe_code psp_token_slot_get(psprobe_credentials *c, psp_token_slot *slot, int64_t until_ns,
                                psprobe_error *error) {
  waiting_token w = {.error = {.code = PSPROBE_OK}};
  psp_token_waiter waiter = {.ready = on_ready, .arg = &w};
  psp_latch_init(&w.over);
  psprobe_code code = psp_token_slot_wait(c, slot, &waiter, error);
  bool late = code == PSPROBE_OK && !psp_latch_wait_until(&w.over, until_ns);
  if (late && psp_credentials_unwait(c, &waiter)) {
    code = psp_fail(error, PSPROBE_DEADLINE_EXCEEDED, "no token came in time");
  } else if (code == PSPROBE_OK) {
    psp_latch_wait(&w.over);
    code = w.error.code;
    if (code != PSPROBE_OK && error != NULL) *error = w.error;
  }
  psp_latch_destroy(&w.over);
  return code;
}

/* What psprobe_token_free needs to know stands before the text, in pages of its own. */
#define HEAD sizeof(size_t)

static char *make_token(const char *text, size_t len) {
  size_t size = HEAD + len + 1;
  char *pages = psp_secret_pages(size);
  if (pages == NULL) return NULL;
  memcpy(pages, &size, HEAD);
  memcpy(pages + HEAD, text, len);
  return pages + HEAD;
}

void psprobe_token_free(char *token) {
  if (token == NULL) return;
  size_t size;
  memcpy(&size, token - HEAD, HEAD);
  psp_secret_pages_free(token - HEAD, size);
}

static psprobe_code get(psprobe_credentials *c, psp_token_slot *slot, char **token,
                        psprobe_error *error) {
  static const char scheme[] = "Bearer ";
  const size_t skip = sizeof scheme - 1;
  psp_secret text = {0};
  psprobe_code code = PSPROBE_OK;
  for (int tries = 0; code == PSPROBE_OK;) {
    uint64_t generation;
    size_t len = psp_token_slot_authorization(c, slot, text.data, text.cap, &generation);
    if (len > 0 && len < text.cap) {
      *token = make_token(text.data + skip, len - skip);
      if (*token == NULL) code = psp_fail_memory(error, "token");
      break;
    }
    if (len > 0 || text.cap == 0)
      code = psp_secret_reserve(&text, len) ? PSPROBE_OK : psp_fail_memory(error, "token");
    else if (tries++ < 3) /* it may end before we come to it, if it lives for a second */
      code = psp_token_slot_get(c, slot, INT64_MAX, error);
    else
      code = psp_fail(error, PSPROBE_UNAVAILABLE, "the tokens that come have expired already");
  }
  psp_secret_free(&text);
  return code;
}

psprobe_code psprobe_credentials_access_token(psprobe_credentials *c, char **token,
                                              psprobe_error *error) {
  psp_token_slot *slot;
  psprobe_code code = psp_credentials_cloud_slot(c, &slot, error);
  return code == PSPROBE_OK ? get(c, slot, token, error) : code;
}

psprobe_code psprobe_credentials_id_token(psprobe_credentials *c, const char *audience,
                                          char **token, psprobe_error *error) {
  psp_token_slot *slot;
  psprobe_code code = psp_credentials_id_slot(c, audience, &slot, error);
  return code == PSPROBE_OK ? get(c, slot, token, error) : code;
}

void psprobe_credentials_describe(psprobe_credentials *c, psprobe_credentials_info *info) {
  *info = (psprobe_credentials_info){0};
  pthread_mutex_lock(&c->lock);
  const psp_source *source = c->source;
  if (source != NULL) {
    info->kind = source->file != NULL ? psp_key_type_name(source->file->type) : "metadata server";
    info->file = source->path;
    info->account = source->account;
    if (source->file != NULL) info->key_id = source->file->private_key_id;
  }
  info->project = c->project;
  pthread_mutex_unlock(&c->lock);
  info->quota_project = psp_credentials_quota_project(c);
  info->universe = psp_credentials_universe(c);
}
