/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_SOURCES_METADATA_H
#define PSP_AUTH_SOURCES_METADATA_H
/** @file Google's metadata server. */
#include <stdbool.h>
#include <stddef.h>

#include <psprobe/error.h>

#include "auth/fetch.h"

#define PSP_METADATA_HOST "169.254.169.254"

typedef struct psp_metadata {
  char *host;     /**< "host" or "host:port" */
  char *universe; /**< NULL: not asked yet */
} psp_metadata;

/** Where it is by the environment: GCE_METADATA_IP, GCE_METADATA_HOST (`named`), else its one
 * address. */
psprobe_code psp_metadata_find_host(const char **host, bool *named, psprobe_error *error);

/** Whether to look for it. */
typedef enum psp_detection { PSP_DETECT_NONE, PSP_DETECT_PRESENT, PSP_DETECT_PING } psp_detection;
/**
 * From METADATA_SERVER_DETECTION, the variables that Cloud Run and Cloud Functions set, and the
 * machine's firmware.
 * @param why receives what decided, a constant
 */
psprobe_code psp_metadata_detection(psp_detection *detection, const char **why,
                                    psprobe_error *error);
/**
 * Asks it. OK: it is there and is Google's; NOT_FOUND: not.
 * @param patient for some 10 s, since it is known to be there and may still be starting, as a GKE
 *                pod's is; else for at most 0.8 s
 */
psprobe_code psp_metadata_ping(psp_fetcher *fetcher, const char *host, bool patient,
                               psprobe_error *error);

/** A GET below /computeMetadata/v1 that only Google's server may answer: a captive portal's page
 * must not become a token. `limits` may be NULL. OK: it did, with whatever status. */
psprobe_code psp_metadata_ask(psp_fetcher *fetcher, const char *host, const char *path,
                              const psp_fetch_limits *limits, psp_answer *answer,
                              psprobe_error *error);
/**
 * A text below /computeMetadata/v1, white space at its end cut.
 * @param path "/project/project-id"
 * @return NOT_FOUND when the server says 404
 */
psprobe_code psp_metadata_text(psp_fetcher *fetcher, const char *host, const char *path,
                               const psp_fetch_limits *limits, psp_answer *answer,
                               psprobe_error *error);

/** Asks which universe the machine is in, once. */
psprobe_code psp_metadata_find_universe(psp_metadata *metadata, psp_fetcher *fetcher,
                                        psprobe_error *error);

#endif
