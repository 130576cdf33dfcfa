/* SPDX-License-Identifier: MIT */
#ifndef TEST_FAKE_CLOUD_H
#define TEST_FAKE_CLOUD_H
/**
 * @file
 * Google as far as the doctor looks at it, on one loopback port, over plain HTTP: token endpoint,
 * metadata server, Pub/Sub, Firestore, Resource Manager. Everything is there and granted in project
 * "demo-project" until a test says otherwise. Calls of the APIs without a token get 401.
 */
#include <stdint.h>

typedef struct fake_cloud fake_cloud;

#define FAKE_CLOUD_TOKEN   "ya29.fake-secret-token"
#define FAKE_CLOUD_ACCOUNT "12345-compute@developer.gserviceaccount.com"

fake_cloud *fake_cloud_start(void);
void fake_cloud_stop(fake_cloud *google);
/** "http://127.0.0.1:PORT", its. */
const char *fake_cloud_url(const fake_cloud *google);
/** How far its clock is ahead of ours, in its Date headers. */
void fake_cloud_set_clock(fake_cloud *google, int64_t seconds);
/**
 * Answers requests whose line ("GET /v1/… ") holds `part` with that from now on; the first that
 * fits counts. All borrowed. @param status 0: the connection is closed
 * instead; -1: there is no answer
 */
void fake_cloud_set(fake_cloud *google, const char *part, int status, const char *body);
/** How many requests had `part` in their line. */
unsigned fake_cloud_count(fake_cloud *google, const char *part);

#endif
