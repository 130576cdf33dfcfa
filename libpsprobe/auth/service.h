/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_SERVICE_H
#define PSP_AUTH_SERVICE_H
/** @file The services of Google's that we call, and what they are called where. */
#include <psprobe/version.h>

typedef enum psp_service {
  PSP_PUBSUB = 0,
  PSP_FIRESTORE = 1,
  PSP_SERVICE_USAGE, /* from here on: what changes a project (setup) */
  PSP_RESOURCE_MANAGER,
  PSP_IAM,
  PSP_CLOUD_RUN,
  PSP_EVENTARC,
  PSP_SERVICE_COUNT
} psp_service;

typedef struct psp_service_names {
  const char *name;     /**< "pubsub": in any universe its host is that and the universe's domain */
  const char *host;     /**< "pubsub.googleapis.com" */
  const char *audience; /**< of self-signed tokens: "https://pubsub.googleapis.com/" */
  const char *title;    /**< "Pub/Sub" */
} psp_service_names;

/** By psp_service. */
extern const psp_service_names psp_services[PSP_SERVICE_COUNT];

/** The x-goog-api-client header of our requests. */
#define PSP_API_CLIENT "gl-c/11 psprobe/" PSPROBE_VERSION

#endif
