/* SPDX-License-Identifier: MIT */
#include "functions/events/kinds.h"

#include <string.h>

#include "base/text.h"
#include "functions/events/parts.h"

static const char *const auth_names[][2] = {
    {"createdAt", "createTime"}, {"lastSignedInAt", "lastSignInTime"}, {NULL, NULL}};

const psp_event_service psp_service_pubsub = {.host = PSP_PUBSUB_HOST,
                                              .resource_type = PSP_MESSAGE_TYPE};
const psp_event_service psp_service_auth = {.host = "firebaseauth.googleapis.com",
                                            .renamed = auth_names};
static const psp_event_service storage = {
    .host = "storage.googleapis.com", .subject = "/objects/", .resource_type = "storage#object"};
static const psp_event_service firestore = {.host = "firestore.googleapis.com",
                                            .subject = "/documents/"};
static const psp_event_service database = {
    .host = "firebasedatabase.googleapis.com", .subject = "/refs/", .located = true};
static const psp_event_service analytics = {.host = "firebase.googleapis.com",
                                            .subject = "/events/"};
static const psp_event_service config = {.host = "firebaseremoteconfig.googleapis.com"};

#define FIRESTORE "providers/cloud.firestore/eventTypes/document."
#define DATABASE  "providers/google.firebase.database/eventTypes/ref."
#define AUTH      "providers/firebase.auth/eventTypes/user."

static const psp_event_kind kinds[] = {
    {"google.pubsub.topic.publish", PSP_MESSAGE_PUBLISHED, &psp_service_pubsub},
    {"providers/cloud.pubsub/eventTypes/topic.publish", PSP_MESSAGE_PUBLISHED, &psp_service_pubsub},
    {"google.storage.object.finalize", "google.cloud.storage.object.v1.finalized", &storage},
    {"google.storage.object.delete", "google.cloud.storage.object.v1.deleted", &storage},
    {"google.storage.object.archive", "google.cloud.storage.object.v1.archived", &storage},
    {"google.storage.object.metadataUpdate", "google.cloud.storage.object.v1.metadataUpdated",
     &storage},
    {"providers/cloud.storage/eventTypes/object.change", "google.cloud.storage.object.v1.finalized",
     &storage},
    {FIRESTORE "write", "google.cloud.firestore.document.v1.written", &firestore},
    {FIRESTORE "create", "google.cloud.firestore.document.v1.created", &firestore},
    {FIRESTORE "update", "google.cloud.firestore.document.v1.updated", &firestore},
    {FIRESTORE "delete", "google.cloud.firestore.document.v1.deleted", &firestore},
    {DATABASE "write", "google.firebase.database.ref.v1.written", &database},
    {DATABASE "create", "google.firebase.database.ref.v1.created", &database},
    {DATABASE "update", "google.firebase.database.ref.v1.updated", &database},
    {DATABASE "delete", "google.firebase.database.ref.v1.deleted", &database},
    {AUTH "create", "google.firebase.auth.user.v1.created", &psp_service_auth},
    {AUTH "delete", "google.firebase.auth.user.v1.deleted", &psp_service_auth},
    {"providers/google.firebase.analytics/eventTypes/event.log",
     "google.firebase.analytics.log.v1.written", &analytics},
    {"google.firebase.remoteconfig.update", "google.firebase.remoteconfig.remoteConfig.v1.updated",
     &config},
};
#define KINDS (sizeof kinds / sizeof *kinds)

const psp_event_kind *psp_kind_of_legacy(const char *event_type) {
  for (size_t i = 0; i < KINDS; i++)
    if (psp_text_equal(kinds[i].legacy, event_type)) return &kinds[i];
  return NULL;
}

const psp_event_kind *psp_kind_of_type(const char *type) {
  for (size_t i = 0; i < KINDS; i++)
    if (psp_text_equal(kinds[i].type, type)) return &kinds[i];
  return NULL;
}

static const char *name_in(const psp_event_service *service, const char *name, bool newer) {
  for (const char *const(*pair)[2] = service->renamed; (*pair)[0] != NULL; pair++)
    if (strcmp((*pair)[newer ? 0 : 1], name) == 0) return (*pair)[newer ? 1 : 0];
  return name;
}

static void put_renamed(psp_json_writer *w, const psp_event_service *service,
                        const psp_json *object, bool newer) {
  psp_json_begin_object(w);
  for (const psp_json *m = psp_json_first(object); m != NULL; m = psp_json_next(m)) {
    psp_json_put_key(w, name_in(service, psp_json_key(m), newer));
    psp_json_put_json(w, m);
  }
  psp_json_end_object(w);
}

void psp_kind_put_data(psp_json_writer *w, const psp_event_service *service, const psp_json *data,
                       bool newer) {
  if (service->renamed == NULL || !psp_json_is_object(psp_json_get(data, "metadata"))) {
    psp_json_put_json(w, data);
    return;
  }
  psp_json_begin_object(w);
  for (const psp_json *m = psp_json_first(data); m != NULL; m = psp_json_next(m)) {
    psp_json_put_key(w, psp_json_key(m));
    if (strcmp(psp_json_key(m), "metadata") == 0)
      put_renamed(w, service, m, newer);
    else
      psp_json_put_json(w, m);
  }
  psp_json_end_object(w);
}
