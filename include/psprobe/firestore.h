/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_FIRESTORE_H
#define PSPROBE_FIRESTORE_H
/**
 * @file
 * Cloud Firestore over REST: values, documents, writes, queries and transactions.
 * Source of the protocol: https://cloud.google.com/firestore/docs/reference/rest
 *
 *     psprobe_value *fields = psprobe_value_map();
 *     psprobe_value_set(fields, "ms", psprobe_value_double(12.5));
 *     psprobe_document_create(client, "results", "one", fields, NULL, &error);
 *     psprobe_value_free(fields);
 *
 *     psprobe_value *ten = psprobe_value_integer(10);
 *     psprobe_query slow = {.collection = "results",
 *                           .where = {.op = PSPROBE_GREATER, .field = "ms", .value = ten}};
 *     psprobe_query_run(client, &slow, print_document, NULL, &error);
 *     psprobe_value_free(ten);
 *
 * Documents are named by their path below the database ("pubsub_results/abc"). Where a call takes a
 * path: ids joined by slashes, below the database, "collection/id" or "collection/id/collection".
 * Where it takes a field path: names joined by dots ("sources.cloud_function"); a name that is not
 * [a-zA-Z_][a-zA-Z_0-9]* stands in backquotes, with ` and \ escaped by \.
 *
 * Besides the codes that a call names it can return what the client's calls can: UNAVAILABLE,
 * DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAUTHENTICATED, PERMISSION_DENIED, FAILED_PRECONDITION
 * (no project), CANCELLED, ABORTED, UNKNOWN; and INTERNAL, with http_status 0 for an answer that
 * could not be read: a write may have happened. It tries again what Google's own clients try
 * again; after a second attempt a precondition can fail on what the first one did, if its answer
 * was lost.
 *
 * What breaks a limit of the service's is refused before it is sent: INVALID_ARGUMENT, and the
 * limit is named. Source of the limits: https://cloud.google.com/firestore/quotas
 *
 * Ownership: what is given is borrowed until the call returns; what is received is the caller's.
 * Threading: any thread may call; callbacks come on the thread that called.
 * Blocks: values never; calls up to the client's timeout.
 */
#include <psprobe/commit.h>
#include <psprobe/document.h>
#include <psprobe/query.h>
#include <psprobe/transaction.h>
#include <psprobe/value.h>
#endif
