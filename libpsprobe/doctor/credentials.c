/* SPDX-License-Identifier: MIT */
/** @file Which credentials would be used, and why: each place, in the order of the lookup. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "doctor/parts.h"

static const char variable[] = "GOOGLE_APPLICATION_CREDENTIALS";

/* The place that decided, with what the lookup said about it. */
typedef struct lookup {
  psp_doctor *d;
  char place[400], outcome[600];
} lookup;

static void on_step(void *arg, const char *place, const char *outcome, bool used) {
  lookup *l = arg;
  size_t len = strlen(place); /* an error names its place itself */
  if (strncmp(outcome, place, len) == 0 && strncmp(outcome + len, ": ", 2) == 0) outcome += len + 2;
  if (!used) {
    psp_doctor_found(l->d, PSPROBE_DOCTOR_SKIPPED, "credentials.lookup", place, "%s: %s", place,
                     outcome);
    return;
  }
  snprintf(l->place, sizeof l->place, "%s", place);
  l->d->from_variable = strcmp(place, variable) == 0;
  snprintf(l->outcome, sizeof l->outcome, "%s", outcome);
}

/* What a lookup that failed for another reason than the key's safety asks for. */
static void advise(psp_doctor *d, const lookup *l, const psprobe_error *error) {
  psp_word word;
  if (error->code == PSPROBE_PERMISSION_DENIED && !d->from_variable && l->place[0] != 0)
    psp_doctor_mend(d, "sudo chown \"$(id -un)\" %s", psp_word_of(&word, l->place));
  else
    psp_doctor_advise_login(d);
}

/* The key is refused: it is not used, only looked at, to say whose it is and what to do. */
static void look_at_refused(psp_doctor *d, const lookup *l, const psprobe_error *error) {
  psprobe_credentials_options options = {.ca_file = d->o->client.ca_file, .allow_unsafe_key = true};
  if (psprobe_credentials_new(&options, &d->credentials, NULL) != PSPROBE_OK) {
    psp_doctor_found(d, PSPROBE_DOCTOR_FAILED, "credentials.lookup", l->place, "%s",
                     error->message);
    return;
  }
  psprobe_credentials_describe(d->credentials, &d->who);
  psp_doctor_found(d, PSPROBE_DOCTOR_OK, "credentials.lookup", l->place,
                   "%s: %s%s%s: this is the one", l->place, d->who.kind,
                   d->who.account != NULL ? " " : "", d->who.account != NULL ? d->who.account : "");
  d->no_credentials = "a key that could leak is not used (--allow-unsafe-key would)";
  psp_doctor_key(d, d->who.file, true);
}

void psp_doctor_credentials(psp_doctor *d) {
  const psprobe_client_options *c = &d->o->client;
  bool firestore = !d->o->no_firestore && c->firestore_emulator == NULL;
  if (c->pubsub_emulator != NULL && !firestore) {
    d->no_credentials = "emulators get none";
    psp_doctor_found(d, PSPROBE_DOCTOR_SKIPPED, "credentials.lookup", NULL,
                     "emulators get no credentials, so none are looked for");
    return;
  }
  lookup l = {.d = d};
  psprobe_error error;
  psprobe_error_clear(&error);
  psprobe_credentials_options options = {.ca_file = c->ca_file,
                                         .allow_unsafe_key = c->allow_unsafe_key,
                                         .logger = c->logger,
                                         .on_step = on_step,
                                         .step_arg = &l};
  psprobe_code code = psprobe_credentials_new(&options, &d->credentials, &error);
  if (code == PSPROBE_OK) {
    psprobe_credentials_describe(d->credentials, &d->who);
    psp_doctor_found(d, PSPROBE_DOCTOR_OK, "credentials.lookup", l.place, "%s: %s: this is the one",
                     l.place, l.outcome);
    if (d->who.file != NULL) psp_doctor_key(d, d->who.file, false);
    return;
  }
  d->no_credentials = "there are no credentials";
  if (code == PSPROBE_FAILED_PRECONDITION) {
    look_at_refused(d, &l, &error);
    return;
  }
  advise(d, &l, &error);
  if (code == PSPROBE_UNAUTHENTICATED && l.place[0] == 0)
    psp_doctor_found(d, PSPROBE_DOCTOR_FAILED, "credentials.lookup", NULL,
                     "no credentials were found in any of these places");
  else
    psp_doctor_found(d, PSPROBE_DOCTOR_FAILED, "credentials.lookup",
                     l.place[0] != 0 ? l.place : NULL, "%s", error.message);
}
