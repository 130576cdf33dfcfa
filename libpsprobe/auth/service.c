/* SPDX-License-Identifier: MIT */
#include "auth/service.h"

/* An audience is the scheme, the service's own host and one slash at the end (AIP-4111), also where
 * a regional or private endpoint is called. */
#define SERVICE(label, title) \
  { label, label ".googleapis.com", "https://" label ".googleapis.com/", title }

const psp_service_names psp_services[PSP_SERVICE_COUNT] = {
    [PSP_PUBSUB] = SERVICE("pubsub", "Pub/Sub"),
    [PSP_FIRESTORE] = SERVICE("firestore", "Firestore"),
    [PSP_SERVICE_USAGE] = SERVICE("serviceusage", "Service Usage"),
    [PSP_RESOURCE_MANAGER] = SERVICE("cloudresourcemanager", "Resource Manager"),
    [PSP_IAM] = SERVICE("iam", "IAM"),
    [PSP_CLOUD_RUN] = SERVICE("run", "Cloud Run"),
    [PSP_EVENTARC] = SERVICE("eventarc", "Eventarc"),
};
