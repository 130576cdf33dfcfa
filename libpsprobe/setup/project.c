/* SPDX-License-Identifier: MIT */
/**
 * @file What is of the project: APIs, service accounts, the database. Service Usage v1, IAM v1,
 * Firestore v1 (https://cloud.google.com/service-usage/docs/reference/rest,
 * https://cloud.google.com/iam/docs/reference/rest,
 * https://cloud.google.com/firestore/docs/reference/rest).
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "setup/parts.h"

/* ---- APIs ---- */

static void api_path(const psprobe_setup *setup, const psp_thing *thing, psp_buf *out) {
  psp_buf_printf(out, "/v1/projects/%s/services/%s", setup->project, thing->name);
}

static void api_enable_path(const psprobe_setup *setup, const psp_thing *thing, psp_buf *out) {
  api_path(setup, thing, out);
  psp_buf_text(out, ":enable");
}

/* The answer also has the project's number, "projects/123", which nothing else is asked for. */
static psprobe_code api_read(psprobe_setup *setup, psp_thing *thing, psprobe_error *error) {
  psp_buf path = {0};
  psp_json *answer = NULL;
  char what[160];
  api_path(setup, thing, &path);
  snprintf(what, sizeof what, "look at API %s", thing->name);
  psprobe_code code = psp_setup_call(setup, thing, "GET", path.data, NULL, what, &answer, error);
  const char *parent = psp_json_string(psp_json_get(answer, "parent"));
  bool on = psp_text_equal(psp_json_string(psp_json_get(answer, "state")), "ENABLED");
  if (parent != NULL && psp_text_starts(parent, "projects/"))
    snprintf(setup->number, sizeof setup->number, "%s", parent + strlen("projects/"));
  thing->seen = on ? PSP_SEEN_SAME : PSP_SEEN_ABSENT;
  psp_json_free(answer);
  psp_buf_free(&path);
  return code;
}

const psp_kind psp_kind_api = {
    .word = "API",
    .service = PSP_SERVICE_USAGE,
    .permissions = "serviceusage.services",
    .role = "roles/serviceusage.serviceUsageAdmin",
    .path = api_path,
    .made_at = api_enable_path,
    .operation = "/v1/",
    .kept = true,
    .read = api_read,
};

/* ---- service accounts: they bear no labels, so the description says whose they are ---- */

static void describe(const psprobe_setup *setup, char *out, size_t size) {
  snprintf(out, size, PSPROBE_SETUP_LABEL "=%s: made by psprobe-setup, which deletes it again",
           setup->o.topic);
}

static void account_path(const psprobe_setup *setup, const psp_thing *thing, psp_buf *out) {
  psp_buf_printf(out, "/v1/projects/%s/serviceAccounts/", setup->project);
  psp_setup_email(setup, thing, out);
}

static void account_made_at(const psprobe_setup *setup, const psp_thing *thing, psp_buf *out) {
  (void)thing;
  psp_buf_printf(out, "/v1/projects/%s/serviceAccounts", setup->project);
}

static void account_body(const psprobe_setup *setup, const psp_thing *thing, psp_json_writer *w) {
  char description[160];
  describe(setup, description, sizeof description);
  psp_json_begin_object(w);
  psp_json_put_member(w, "accountId", thing->name);
  psp_json_begin_object_member(w, "serviceAccount");
  psp_json_put_member(w, "displayName", thing->name);
  psp_json_put_member(w, "description", description);
  psp_json_end_object(w);
  psp_json_end_object(w);
}

static const char *account_strange(const psprobe_setup *setup, const psp_json *seen) {
  char description[160];
  describe(setup, description, sizeof description);
  return psp_text_equal(psp_json_string(psp_json_get(seen, "description")), description)
             ? NULL
             : "its description does not say that it is ours";
}

const psp_kind psp_kind_account = {
    .word = "service account",
    .service = PSP_IAM,
    .permissions = "iam.serviceAccounts",
    .role = "roles/iam.serviceAccountAdmin",
    .path = account_path,
    .made_at = account_made_at,
    .body = account_body,
    .strange = account_strange,
};

/* ---- the database: it bears no label and holds what was measured, so it stays ---- */

static void put_database(const char *name, psp_buf *out) {
  psp_percent_encode(out, name);
}

static void database_path(const psprobe_setup *setup, const psp_thing *thing, psp_buf *out) {
  psp_buf_printf(out, "/v1/projects/%s/databases/", setup->project);
  put_database(thing->name, out);
}

static void database_made_at(const psprobe_setup *setup, const psp_thing *thing, psp_buf *out) {
  psp_buf_printf(out, "/v1/projects/%s/databases?databaseId=", setup->project);
  put_database(thing->name, out);
}

static void database_body(const psprobe_setup *setup, const psp_thing *thing, psp_json_writer *w) {
  (void)thing;
  psp_json_begin_object(w);
  psp_json_put_member(w, "type", "FIRESTORE_NATIVE");
  psp_json_put_member(w, "locationId", setup->region);
  psp_json_end_object(w);
}

static const char *database_strange(const psprobe_setup *setup, const psp_json *seen) {
  (void)setup;
  const char *type = psp_json_string(psp_json_get(seen, "type"));
  return type == NULL || psp_text_equal(type, "FIRESTORE_NATIVE")
             ? NULL
             : "it is in Datastore mode: name another with PSPROBE_DATABASE";
}

const psp_kind psp_kind_database = {
    .word = "Firestore database",
    .service = PSP_FIRESTORE,
    .permissions = "datastore.databases",
    .role = "roles/datastore.owner",
    .path = database_path,
    .made_at = database_made_at,
    .body = database_body,
    .strange = database_strange,
    .operation = "/v1/",
    .kept = true,
    .why_kept = "holds what was measured, and bears no label; gcloud firestore databases delete",
};
