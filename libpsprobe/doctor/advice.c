/* SPDX-License-Identifier: MIT */
/** @file The commands that mend what was found. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "doctor/parts.h"

void psp_shell_word(psp_buf *out, const char *text) {
  /* Everything but these may mean something to some shell. */
  static const char plain[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
      "-_./:=@%+,";
  size_t len = strlen(text);
  if (len > 0 && strspn(text, plain) == len) {
    psp_buf_text(out, text);
    return;
  }
  psp_buf_char(out, '\'');
  for (const char *at = text; *at != 0; at++) {
    if (*at == '\'')
      psp_buf_text(out, "'\\''");
    else
      psp_buf_char(out, *at);
  }
  psp_buf_char(out, '\'');
}

const char *psp_word_of(psp_word *word, const char *text) {
  psp_buf out = {0};
  psp_shell_word(&out, text);
  bool fits = !out.failed && out.len < sizeof word->text;
  snprintf(word->text, sizeof word->text, "%s", fits ? out.data : "");
  psp_buf_free(&out);
  return word->text;
}

/* A service account that could be impersonated, or a word for one. */
static const char *account_of(const psp_doctor *d) {
  return psp_text_ends(d->who.account != NULL ? d->who.account : "", ".gserviceaccount.com")
             ? d->who.account
             : NULL;
}

void psp_doctor_advise_login(psp_doctor *d) {
  psp_word word;
  const char *account = account_of(d);
  if (d->from_variable) psp_doctor_mend(d, "unset GOOGLE_APPLICATION_CREDENTIALS");
  psp_word_of(&word, account != NULL ? account : "");
  if (account != NULL) {
    psp_doctor_mend(d,
                    "gcloud iam service-accounts add-iam-policy-binding %s "
                    "--member=\"user:$(gcloud config get-value account)\" "
                    "--role=roles/iam.serviceAccountTokenCreator",
                    word.text);
    psp_doctor_mend(d, "gcloud auth application-default login --impersonate-service-account=%s",
                    word.text);
  } else {
    psp_doctor_mend(d, "gcloud auth application-default login");
  }
}

void psp_doctor_advise_refused(psp_doctor *d) {
  bool wrong = d->clock_known && llabs(d->clock_off_s) > PSP_DOCTOR_CLOCK_MAX_S;
  psp_word word;
  if (wrong) {
    psp_doctor_mend(d, "sudo timedatectl set-ntp true");
    return;
  }
  if (psp_text_equal(d->who.kind, "service_account") && d->who.account != NULL)
    psp_doctor_mend(d, "gcloud iam service-accounts keys list --iam-account=%s",
                    psp_word_of(&word, d->who.account));
  if (psp_text_equal(d->who.kind, "metadata server"))
    psp_doctor_mend(d,
                    "gcloud compute instances describe \"$(hostname)\" "
                    "--format='value(serviceAccounts)'");
  else
    psp_doctor_advise_login(d);
}

bool psp_doctor_advise_reason(psp_doctor *d, const char *api, const psprobe_error *error) {
  psp_word project;
  const char *bill = d->who.quota_project != NULL ? d->who.quota_project : d->project;
  if (bill == NULL) bill = "PROJECT";
  if (strcmp(error->reason, "SERVICE_DISABLED") == 0) {
    /* A person's login without a quota project is counted as gcloud's own project. */
    if (psp_text_equal(d->who.kind, "authorized_user") && d->who.quota_project == NULL)
      psp_doctor_mend(d, "gcloud auth application-default set-quota-project %s",
                      psp_word_of(&project, bill));
    psp_doctor_mend(d, "gcloud services enable %s --project=%s", api, psp_word_of(&project, bill));
  } else if (strcmp(error->reason, "USER_PROJECT_DENIED") == 0) {
    psp_doctor_mend(d, "gcloud auth application-default set-quota-project %s",
                    psp_word_of(&project, d->project != NULL ? d->project : "PROJECT"));
    psp_doctor_mend(d,
                    "gcloud projects add-iam-policy-binding %s --member=%s "
                    "--role=roles/serviceusage.serviceUsageConsumer",
                    psp_word_of(&project, bill), d->member);
  } else if (strcmp(error->reason, "CONSUMER_INVALID") == 0) {
    psp_doctor_mend(d, "gcloud projects list");
  } else if (strcmp(error->reason, "BILLING_DISABLED") == 0) {
    psp_doctor_mend(d, "gcloud billing accounts list");
    psp_doctor_mend(d, "gcloud billing projects link %s --billing-account=ACCOUNT_ID",
                    psp_word_of(&project, bill));
  } else if (strcmp(error->reason, "ACCESS_TOKEN_SCOPE_INSUFFICIENT") == 0) {
    if (psp_text_equal(d->who.kind, "metadata server"))
      psp_doctor_mend(d,
                      "gcloud compute instances set-service-account \"$(hostname)\" "
                      "--scopes=cloud-platform");
    else
      psp_doctor_advise_login(d);
  } else {
    return false;
  }
  return true;
}
