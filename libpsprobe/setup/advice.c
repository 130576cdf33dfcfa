/* SPDX-License-Identifier: MIT */
/** @file What a refusal of Google's asks for: in words, and as commands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/credentials.h"
#include "base/error.h"
#include "base/text.h"
#include "setup/parts.h"

void psp_setup_forget(psprobe_setup *setup) {
  for (size_t i = 0; i < setup->advice.mend_count; i++)
    free(setup->advice.mend[i]);
  setup->advice.mend_count = 0;
}

/* Whom a role would be given to: asked for once, and only when something is missing. */
static void find_member(psprobe_setup *setup) {
  psp_doctor *d = &setup->advice;
  psprobe_credentials *credentials = psp_client_credentials(setup->client);
  if (setup->account_member[0] != 0 || credentials == NULL) return;
  char *account = NULL;
  psprobe_credentials_describe(credentials, &d->who);
  if (d->who.account != NULL)
    account = psp_strdup(d->who.account);
  else
    psp_credentials_find_account(credentials, &account, NULL);
  const char *kind = psp_text_ends(account != NULL ? account : "", ".gserviceaccount.com")
                         ? "serviceAccount"
                         : "user";
  if (account != NULL)
    snprintf(setup->account_member, sizeof setup->account_member, "%s:%s", kind, account);
  else
    snprintf(setup->account_member, sizeof setup->account_member, "MEMBER");
  d->member = setup->account_member;
  free(account);
}

static void mend_role(psprobe_setup *setup, const char *role) {
  psp_word project, member;
  psp_doctor_mend(&setup->advice, "gcloud projects add-iam-policy-binding %s --member=%s --role=%s",
                  psp_word_of(&project, setup->project),
                  psp_word_of(&member, setup->account_member), role);
}

void psp_setup_advise_api(psprobe_setup *setup, const psp_thing *api) {
  psp_word project;
  psp_doctor_mend(&setup->advice, "gcloud services enable %s --project=%s", api->name,
                  psp_word_of(&project, setup->project));
}

/* Google says neither whether a project is not there or may not be seen: so both. */
static void advise_denied(psprobe_setup *setup, const psp_thing *thing, const char *verb,
                          psprobe_error *error) {
  const char *role;
  const char *permissions = psp_setup_permissions(thing, &role);
  find_member(setup);
  if (thing->kind == &psp_kind_api && strcmp(verb, "get") == 0) {
    psp_doctor_mend(&setup->advice, "gcloud projects list");
    mend_role(setup, role);
    psp_fail_in(error, "project %s is not there, or you lack %s.%s in it", setup->project,
                permissions, verb);
  } else if (strstr(error->message, "actAs") != NULL || strstr(error->message, "actas") != NULL) {
    mend_role(setup, "roles/iam.serviceAccountUser");
    psp_fail_in(error, "permission iam.serviceAccounts.actAs is missing");
  } else {
    mend_role(setup, role);
    psp_fail_in(error, "permission %s.%s is missing", permissions, verb);
  }
}

static bool is_about_billing(const psprobe_error *error) {
  return strcmp(error->reason, "BILLING_DISABLED") == 0 ||
         strcmp(error->reason, "UREQ_PROJECT_BILLING_NOT_FOUND") == 0 ||
         (error->code == PSPROBE_FAILED_PRECONDITION && strstr(error->message, "illing") != NULL);
}

static void advise_billing(psprobe_setup *setup, psprobe_error *error) {
  psp_word project;
  psp_doctor_mend(&setup->advice, "gcloud billing accounts list");
  psp_doctor_mend(&setup->advice, "gcloud billing projects link %s --billing-account=ACCOUNT_ID",
                  psp_word_of(&project, setup->project));
  psp_fail_in(error, "billing is off for project %s", setup->project);
}

void psp_setup_advise(psprobe_setup *setup, const psp_thing *thing, const char *verb,
                      psprobe_error *error) {
  psp_doctor *d = &setup->advice;
  psp_word project;
  const char *host = psp_services[psp_setup_service(thing)].host;
  if (error == NULL || setup->emulator) return;
  psp_setup_forget(setup);
  find_member(setup);
  if (is_about_billing(error)) {
    advise_billing(setup, error);
  } else if (psp_doctor_advise_reason(d, host, error)) {
    if (strcmp(error->reason, "SERVICE_DISABLED") == 0) psp_fail_in(error, "API %s is off", host);
  } else if (error->code == PSPROBE_PERMISSION_DENIED) {
    advise_denied(setup, thing, verb, error);
  } else if (error->code == PSPROBE_UNAUTHENTICATED) {
    psp_doctor_advise_refused(d);
  } else if (error->code == PSPROBE_RESOURCE_EXHAUSTED && error->from_service) {
    psp_doctor_mend(d, "gcloud beta quotas info list --service=%s --project=%s", host,
                    psp_word_of(&project, setup->project));
    psp_fail_in(error, "a quota is used up; apply goes on from here later");
  } else if (error->code == PSPROBE_NOT_FOUND && thing->kind == &psp_kind_api) {
    psp_doctor_mend(d, "gcloud projects list");
    psp_fail_in(error, "project %s is not there", setup->project);
  }
}
