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

static void tell_token(psp_doctor *d, psp_service service) {
  psprobe_error error;
  psprobe_error_clear(&error);
  psp_token_slot *slot = psp_credentials_slot(d->credentials, service);
  int64_t left = psp_doctor_left(d);
  psprobe_code code =
      psp_token_slot_get(d->credentials, slot, psprobe_clock_monotonic() + left, &error);
  slot = psp_credentials_slot(d->credentials, service); /* it may be a shared one now */
  if (code == PSPROBE_OK) {
    int64_t life_s = psp_token_slot_life_s(d->credentials, slot);
    char text[PSP_TIMESTAMP_SIZE];
    psp_timestamp_format_ns(text, psprobe_clock_wall() + life_s * PSP_SECOND_NS);
    psp_doctor_found(d, PSPROBE_DOCTOR_OK, "credentials.token", NULL,
                     "a token is there; it expires in %lld min (%s), and is renewed before that",
                     (long long)((life_s + 30) / 60), text);
    return;
  }
  d->no_credentials = "no token could be had";
  if (code == PSPROBE_UNAVAILABLE || code == PSPROBE_DEADLINE_EXCEEDED)
    psp_doctor_mend(d, "curl -sSv -o /dev/null https://oauth2.googleapis.com/token");
  else
    psp_doctor_advise_refused(d);
  psp_doctor_found(d, PSPROBE_DOCTOR_FAILED, "credentials.token", NULL, "%s", error.message);
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
    psp_doctor_found(d, PSPROBE_DOCTOR_OK, "credentials.identity", account, "%s (%s)%s%s", account,
                     d->who.kind, bill != NULL ? "; calls are billed to project " : "",
                     bill != NULL ? bill : "");
  } else {
    psp_doctor_found(d, d->no_credentials == NULL ? PSPROBE_DOCTOR_WARNING : PSPROBE_DOCTOR_SKIPPED,
                     "credentials.identity", NULL,
                     "%s: nobody says whom it stands for; read MEMBER below as that", d->who.kind);
  }
  free(account);
}

void psp_doctor_give_token(psp_doctor *d) {
  if (d->credentials == NULL) return; /* said already */
  bool pubsub = psp_doctor_emulator(d, PSP_PUBSUB) == NULL;
  if (d->no_credentials != NULL)
    psp_doctor_found(d, PSPROBE_DOCTOR_SKIPPED, "credentials.token", NULL, "%s", d->no_credentials);
  else if (!d->usable[PSP_PUBSUB] && !d->usable[PSP_FIRESTORE])
    psp_doctor_found(d, PSPROBE_DOCTOR_SKIPPED, "credentials.token", NULL,
                     "nothing is reached that would take one");
  else
    tell_token(d, pubsub ? PSP_PUBSUB : PSP_FIRESTORE);
}

void psp_doctor_identity(psp_doctor *d) {
  if (d->credentials != NULL) tell_identity(d);
}
