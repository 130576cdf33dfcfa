/* SPDX-License-Identifier: MIT */
#include "auth/sources/metadata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/keys/key_file.h"
#include "base/error.h"
#include "base/text.h"

static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value != NULL && value[0] != 0 ? value : NULL;
}

psprobe_code psp_metadata_find_host(const char **host, bool *named, psprobe_error *error) {
  const char *name = "GCE_METADATA_IP";
  const char *found = variable(name);
  if (found == NULL) found = variable(name = "GCE_METADATA_HOST");
  *named = found != NULL;
  if (found == NULL) {
    *host = PSP_METADATA_HOST;
    return PSPROBE_OK;
  }
  /* Both go into a URL: a host with or without a port, and nothing else. */
  size_t len =
      strspn(found, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:[]");
  if (found[len] != 0 || len > 255)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "%s must be host or host:port, without http:// and path", name);
  *host = found;
  return PSPROBE_OK;
}

/* The firmware's maker, as Linux shows it on Google's machines. */
static bool firmware_is_google(void) {
  char vendor[64] = "";
  FILE *file = fopen("/sys/class/dmi/id/bios_vendor", "re");
  if (file == NULL) return false;
  if (fgets(vendor, sizeof vendor, file) == NULL) vendor[0] = 0;
  fclose(file);
  return strstr(vendor, "Google") != NULL;
}

psprobe_code psp_metadata_detection(psp_detection *detection, const char **why,
                                    psprobe_error *error) {
  static const char *const serverless[] = {"K_SERVICE", "CLOUD_RUN_JOB", "CLOUD_RUN_WORKER_POOL",
                                           "FUNCTION_NAME"};
  const char *wish = variable("METADATA_SERVER_DETECTION");
  bool ping_only = psp_text_equal(wish, "ping-only");
  bool bios_only = psp_text_equal(wish, "bios-only");
  if (psp_text_equal(wish, "none")) {
    *detection = PSP_DETECT_NONE;
    *why = "METADATA_SERVER_DETECTION=none";
    return PSPROBE_OK;
  }
  if (psp_text_equal(wish, "assume-present")) {
    *detection = PSP_DETECT_PRESENT;
    *why = "METADATA_SERVER_DETECTION=assume-present";
    return PSPROBE_OK;
  }
  if (wish != NULL && !ping_only && !bios_only)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "METADATA_SERVER_DETECTION must be none, assume-present, bios-only or "
                    "ping-only");
  *detection = PSP_DETECT_PRESENT;
  for (size_t i = 0; !ping_only && !bios_only && i < sizeof serverless / sizeof *serverless; i++) {
    *why = serverless[i];
    if (variable(serverless[i]) != NULL) return PSPROBE_OK;
  }
  *why = "the firmware is Google's";
  if (!ping_only && firmware_is_google()) return PSPROBE_OK;
  *why = bios_only ? "the firmware is not Google's" : "asked";
  *detection = bios_only ? PSP_DETECT_NONE : PSP_DETECT_PING;
  return PSPROBE_OK;
}

psprobe_code psp_metadata_ask(psp_fetcher *fetcher, const char *host, const char *path,
                              const psp_fetch_limits *limits, psp_answer *answer,
                              psprobe_error *error) {
  psp_buf url = {0};
  psp_buf_printf(&url, "http://%s/computeMetadata/v1%s", host, path);
  if (url.failed) return psp_fail_memory(error, "metadata");
  static const psp_header flavor = {"metadata-flavor", "Google"};
  psp_http_request request = {
      .method = "GET", .url = url.data, .headers = &flavor, .header_count = 1, .no_proxy = true};
  psprobe_code code = psp_fetch(fetcher, &request, limits, answer, error);
  psp_buf_free(&url);
  if (code != PSPROBE_OK) return psp_fail_in(error, "metadata server %s", host);
  if (!answer->google_flavor)
    return psp_fail(
        error, PSPROBE_FAILED_PRECONDITION,
        "metadata server %s: the answer (HTTP %d) lacks \"Metadata-Flavor: Google\", so "
        "it is not Google's",
        host, answer->status);
  return PSPROBE_OK;
}

/* Where it is known to be there, it may be starting. */
static const psp_fetch_limits patience = {.attempts = 40,
                                          .attempt_ns = 3 * PSP_SECOND_NS,
                                          .total_ns = 10 * PSP_SECOND_NS,
                                          .max_wait_ns = PSP_SECOND_NS};

psprobe_code psp_metadata_ping(psp_fetcher *fetcher, const char *host, bool patient,
                               psprobe_error *error) {
  /* On Google it answers in a few ms; elsewhere there is nobody, and nobody says so. */
  static const psp_fetch_limits once = {
      .attempts = 1, .attempt_ns = 800 * PSP_MS_NS, .total_ns = 800 * PSP_MS_NS};
  psp_answer answer = {0};
  psprobe_code code =
      psp_metadata_ask(fetcher, host, "/instance", patient ? &patience : &once, &answer, error);
  if (code == PSPROBE_OK && answer.status != 200)
    psp_fail(error, code = PSPROBE_NOT_FOUND, "metadata server %s: HTTP %d", host, answer.status);
  if (code != PSPROBE_OK && error != NULL) error->code = PSPROBE_NOT_FOUND;
  psp_answer_free(&answer);
  return code == PSPROBE_OK ? PSPROBE_OK : PSPROBE_NOT_FOUND;
}

psprobe_code psp_metadata_text(psp_fetcher *fetcher, const char *host, const char *path,
                               const psp_fetch_limits *limits, psp_answer *answer,
                               psprobe_error *error) {
  psprobe_code code = psp_metadata_ask(fetcher, host, path, limits, answer, error);
  if (code != PSPROBE_OK) return code;
  if (answer->status != 200) {
    psp_fail(error, psp_code_from_http(answer->status), "metadata server %s: %s: HTTP %d", host,
             path, answer->status);
    return psp_code_from_http(answer->status);
  }
  psp_secret *body = &answer->body;
  while (body->len > 0 && strchr(" \t\r\n", body->data[body->len - 1]) != NULL)
    body->data[--body->len] = 0;
  return PSPROBE_OK;
}

/* Which universe the machine is in; only asked once. 404 and nothing: the usual one. */
psprobe_code psp_metadata_find_universe(psp_metadata *metadata, psp_fetcher *fetcher,
                                        psprobe_error *error) {
  if (metadata->universe != NULL) return PSPROBE_OK;
  psp_answer answer = {0};
  psprobe_code code = psp_metadata_text(fetcher, metadata->host, "/universe/universe-domain",
                                        &patience, &answer, error);
  bool given = code == PSPROBE_OK && answer.body.len > 0;
  if (given && !psp_universe_is_domain(answer.body.data))
    code = psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "metadata server %s: its universe domain is no domain name", metadata->host);
  if (code == PSPROBE_OK || code == PSPROBE_NOT_FOUND) {
    metadata->universe = psp_strdup(given ? answer.body.data : PSP_DEFAULT_UNIVERSE);
    code = metadata->universe != NULL ? PSPROBE_OK : psp_fail_memory(error, "universe");
  }
  psp_answer_free(&answer);
  return code;
}
