/* SPDX-License-Identifier: MIT */
/** @file The database: whether it is there, and whether we may keep results in it. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "client/call.h"
#include "doctor/parts.h"
#include "firestore/path.h"

/* A listing of a collection that nobody has written to is empty, and NOT_FOUND only for a database
 * that is not there; that is something every client may ask who may read documents. */
static psprobe_code list_one(psp_doctor *d, psprobe_error *error) {
  psp_buf path = {0};
  psp_path_url(&path, d->project, psp_client_database(d->client), d->o->collection);
  psp_buf_text(&path, "?pageSize=1&mask.fieldPaths=__name__");
  if (path.failed) return psp_fail_memory(error, "look at the database");
  psp_call call = {.service = PSP_FIRESTORE,
                   .method = "GET",
                   .path = path.data,
                   .total_ns = psp_doctor_left(d) + 1,
                   .what = "look at the database"};
  psp_buf answer = {0};
  psprobe_code code = psp_call_run(d->client, &call, &answer, error);
  if (code == PSPROBE_OK) code = psp_doctor_check_answer(&answer, NULL, error);
  psp_buf_free(&answer);
  psp_buf_free(&path);
  return code;
}

static void tell_missing(psp_doctor *d, const char *database, const psprobe_error *error) {
  psp_word name, project;
  bool usual = strcmp(database, "(default)") == 0;
  /* Names in parentheses are the usual one's, which needs none. */
  psp_doctor_mend(
      d,
      "gcloud firestore databases create --location=nam5 --type=firestore-native%s%s --project=%s",
      usual ? "" : " --database=", usual ? "" : psp_word_of(&name, database),
      psp_word_of(&project, d->project));
  psp_doctor_found(
      d, PSPROBE_DOCTOR_FAILED, "firestore.database", database,
      "%s (a database's location is for ever: nam5 is the United States, gcloud firestore "
      "locations list names the others)",
      error->message);
}

static void tell_database(psp_doctor *d, const char *database, psprobe_code code,
                          const psprobe_error *error) {
  if (code == PSPROBE_OK) {
    psp_doctor_found(d, PSPROBE_DOCTOR_OK, "firestore.database", database, "database %s is there",
                     database);
  } else if (code == PSPROBE_NOT_FOUND) {
    tell_missing(d, database, error);
  } else if (code == PSPROBE_FAILED_PRECONDITION) {
    psp_word project;
    psp_doctor_mend(d,
                    "gcloud firestore databases create --location=nam5 --type=firestore-native "
                    "--database=psprobe --project=%s",
                    psp_word_of(&project, d->project));
    psp_doctor_mend(d, "export PSPROBE_DATABASE=psprobe");
    psp_doctor_found(d, PSPROBE_DOCTOR_FAILED, "firestore.database", database,
                     "database %s is in Datastore mode, or cannot be used: %s", database,
                     error->message);
  } else {
    psp_doctor_found(d, PSPROBE_DOCTOR_WARNING, "firestore.database", database, "not known: %s",
                     error->message);
  }
}

static void tell_not_known(psp_doctor *d, const psprobe_error *error) {
  psprobe_doctor_state state = PSPROBE_DOCTOR_WARNING;
  if (error->code == PSPROBE_UNAUTHENTICATED) {
    state = PSPROBE_DOCTOR_FAILED;
    psp_doctor_advise_refused(d);
  } else {
    psp_doctor_advise_reason(d, "cloudresourcemanager.googleapis.com", error);
  }
  psp_doctor_found(d, state, "firestore.create", d->project, "not known: %s", error->message);
}

static void tell_permissions(psp_doctor *d) {
  if (d->o->client.firestore_emulator != NULL) {
    psp_doctor_found(d, PSPROBE_DOCTOR_SKIPPED, "firestore.create", d->project,
                     "emulators know no permissions");
    return;
  }
  psp_permissions may = {.names = {"datastore.entities.create", "datastore.entities.get",
                                   "datastore.entities.list", "datastore.entities.update"},
                         .count = 4};
  psprobe_error error;
  psprobe_error_clear(&error);
  psprobe_code code = psp_permissions_ask_project(d, &may, &error);
  psp_word project;
  if (code != PSPROBE_OK) {
    tell_not_known(d, &error);
    return;
  }
  bool create = may.granted[0], list = may.granted[2], change = may.granted[1] && may.granted[3];
  if (create && change) {
    psp_doctor_found(d, PSPROBE_DOCTOR_OK, "firestore.create", d->project,
                     "datastore.entities.create is granted, and %s",
                     list ? "get, list and update"
                          : "get and update; not list, which only readers of the results need");
    return;
  }
  psp_doctor_mend(
      d,
      "gcloud projects add-iam-policy-binding %s --member=%s --role=roles/datastore.user "
      "--condition=None",
      psp_word_of(&project, d->project), d->member);
  if (create)
    psp_doctor_found(
        d, PSPROBE_DOCTOR_WARNING, "firestore.create", d->project,
        "datastore.entities.create is granted, but not both of get and update: late and repeated "
        "answers would not get into their documents");
  else
    psp_doctor_found(d, PSPROBE_DOCTOR_FAILED, "firestore.create", d->project,
                     "datastore.entities.create is not granted in project %s", d->project);
}

void psp_doctor_firestore(psp_doctor *d) {
  if (d->o->no_firestore) {
    psp_doctor_found(d, PSPROBE_DOCTOR_SKIPPED, "firestore.database", NULL,
                     "not wanted (--no-firestore)");
    return;
  }
  if (!psp_doctor_may_ask(d, PSP_FIRESTORE, "firestore.database", NULL)) return;
  psprobe_error error;
  psprobe_error_clear(&error);
  psprobe_code code = list_one(d, &error);
  if (code != PSPROBE_OK && psp_doctor_api_failed(d, PSP_FIRESTORE, &error)) return;
  psp_doctor_found(d, PSPROBE_DOCTOR_OK, "firestore.api", psp_services[PSP_FIRESTORE].host,
                   "Firestore takes our calls");
  tell_database(d, psp_client_database(d->client), code, &error);
  tell_permissions(d);
}
