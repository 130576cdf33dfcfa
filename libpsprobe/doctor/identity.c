/* SPDX-License-Identifier: MIT */
/** @file Who the credentials are, and whether they give a token. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "doctor/parts.h"
#include "os/clock.h"
#include "os/latch.h"

typedef struct waiting_token {
  psp_latch over;
  psprobe_error error;
} waiting_token;

static void on_ready(void *arg, const psprobe_error *error) {
  waiting_token *w = arg;
  if (error != NULL) w->error = *error;
  psp_latch_post(&w->over);
}

psprobe_code psp_doctor_token(psp_doctor *d, psp_token_slot *slot, int64_t timeout_ns,
                              psprobe_error *error) {
  waiting_token w = {.error = {.code = PSPROBE_OK}};
  psp_token_waiter waiter = {.ready = on_ready, .arg = &w};
  psp_latch_init(&w.over);
  psprobe_code code = psp_token_slot_wait(d->credentials, slot, &waiter, error);
  if (code == PSPROBE_OK &&
      !psp_latch_wait_until(&w.over, psprobe_clock_monotonic() + timeout_ns)) {
    if (psp_credentials_unwait(d->credentials, &waiter))
      code = psp_fail(error, PSPROBE_DEADLINE_EXCEEDED, "no token came within %lld s",
                      (long long)(timeout_ns / PSP_SECOND_NS));
    else
      psp_latch_wait(&w.over);
  }
  if (code == PSPROBE_OK && w.error.code != PSPROBE_OK) {
    code = w.error.code;
    *error = w.error;
  }
  psp_latch_destroy(&w.over);
  return code;
}

static void tell_token(psp_doctor *d, psp_service service) {
  psprobe_error error;
  psprobe_error_clear(&error);
  psp_token_slot *slot = psp_credentials_slot(d->credentials, service);
  int64_t left = psp_doctor_left(d);
  psprobe_code code = psp_doctor_token(d, slot, left, &error);
  slot = psp_credentials_slot(d->credentials, service); /* it may be a shared one now */
  if (code == PSPROBE_OK) {
    int64_t life_s = psp_token_slot_life_s(d->credentials, slot);
    char text[PSP_TIMESTAMP_SIZE];
    psp_timestamp_format_ns(text, psprobe_clock_wall() + life_s * PSP_SECOND_NS);
    psp_found(d, PSPROBE_DOCTOR_OK, "credentials.token", NULL,
              "a token is there; it expires in %lld min (%s), and is renewed before that",
              (long long)((life_s + 30) / 60), text);
    return;
  }
  d->no_credentials = "no token could be had";
  if (code == PSPROBE_UNAVAILABLE || code == PSPROBE_DEADLINE_EXCEEDED)
    psp_mend(d, "curl -sSv -o /dev/null https://oauth2.googleapis.com/token");
  else
    psp_advise_refused(d);
  psp_found(d, PSPROBE_DOCTOR_FAILED, "credentials.token", NULL, "%s", error.message);
}

/* As IAM writes whom a role is given to. */
static void keep_member(psp_doctor *d, const char *account) {
  const char *kind = psp_text_ends(account, ".gserviceaccount.com") ? "serviceAccount" : "user";
  psp_buf member = {0}, word = {0};
  psp_buf_printf(&member, "%s:%s", kind, account);
  if (!member.failed) psp_shell_word(&word, member.data);
  char *made = psp_buf_take(&word, NULL);
  if (made == NULL || member.failed) {
    d->failed = true;
    free(made);
  } else {
    free(d->member);
    d->member = made;
  }
  psp_buf_free(&member);
}

static void tell_identity(psp_doctor *d) {
  char *account = NULL;
  psprobe_error error;
  psprobe_error_clear(&error);
  if (d->who.account != NULL)
    account = psp_strdup(d->who.account);
  else if (d->no_credentials == NULL)
    psp_credentials_find_account(d->credentials, &account, &error);
  const char *bill = d->who.quota_project;
  if (account != NULL) {
    keep_member(d, account);
    psp_found(d, PSPROBE_DOCTOR_OK, "credentials.identity", account, "%s (%s)%s%s", account,
              d->who.kind, bill != NULL ? "; calls are billed to project " : "",
              bill != NULL ? bill : "");
  } else {
    psp_found(d, d->no_credentials == NULL ? PSPROBE_DOCTOR_WARNING : PSPROBE_DOCTOR_SKIPPED,
              "credentials.identity", NULL,
              "%s: nobody says whom it stands for; read MEMBER below as that", d->who.kind);
  }
  free(account);
}

void psp_doctor_give_token(psp_doctor *d) {
  if (d->credentials == NULL) return; /* said already */
  bool pubsub = psp_doctor_emulator(d, PSP_PUBSUB) == NULL;
  if (d->no_credentials != NULL)
    psp_found(d, PSPROBE_DOCTOR_SKIPPED, "credentials.token", NULL, "%s", d->no_credentials);
  else if (!d->usable[PSP_PUBSUB] && !d->usable[PSP_FIRESTORE])
    psp_found(d, PSPROBE_DOCTOR_SKIPPED, "credentials.token", NULL,
              "nothing is reached that would take one");
  else
    tell_token(d, pubsub ? PSP_PUBSUB : PSP_FIRESTORE);
}

void psp_doctor_identity(psp_doctor *d) {
  if (d->credentials != NULL) tell_identity(d);
}
