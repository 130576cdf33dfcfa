/* SPDX-License-Identifier: MIT */
/** @file What a refused call says about its API, and whether there is a point in more of them. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "doctor/parts.h"

const char *psp_doctor_emulator(const psp_doctor *d, psp_service service) {
  const psprobe_client_options *c = &d->o->client;
  return service == PSP_PUBSUB ? c->pubsub_emulator : c->firestore_emulator;
}

bool psp_doctor_may_ask(psp_doctor *d, psp_service service, const char *check,
                        const char *resource) {
  const char *why = NULL;
  char text[80];
  if (!d->usable[service]) {
    snprintf(text, sizeof text, "%s cannot be asked", psp_services[service].title);
    why = text;
  } else if (psp_doctor_emulator(d, service) == NULL && d->no_credentials != NULL) {
    why = d->no_credentials;
  } else if (d->project == NULL) {
    why = "no project is known";
  } else if (psp_doctor_left(d) == 0) {
    why = "the time for all checks is over";
  }
  if (why == NULL) return true;
  psp_doctor_found(d, PSPROBE_DOCTOR_SKIPPED, check, resource, "%s%s%s",
                   resource != NULL ? resource : "", resource != NULL ? ": " : "", why);
  return false;
}

/* Pub/Sub: "Requested project not found or user does not have access to it"; the Resource Manager
 * and Firestore have words of their own for it. */
static bool is_about_project(const psprobe_error *error) {
  return error->code == PSPROBE_NOT_FOUND && strstr(error->message, "project not found") != NULL;
}

psprobe_code psp_doctor_check_answer(const psp_buf *answer, const char *member,
                                     psprobe_error *error) {
  psp_json *json = NULL;
  bool ours = answer->len > 0 &&
              psp_json_parse(answer->data, answer->len, "answer", &json, NULL) == PSPROBE_OK &&
              psp_json_is_object(json) && (member == NULL || psp_json_get(json, member) != NULL);
  psp_json_free(json);
  if (ours) return PSPROBE_OK;
  psp_fail(error, PSPROBE_UNKNOWN, "HTTP 200, and %s, not an answer of the API",
           answer->len == 0         ? "nothing"
           : answer->data[0] == '<' ? "an HTML or XML page"
                                    : "something of its own");
  error->http_status = 200;
  return PSPROBE_UNKNOWN;
}

/* Something on the way, or in the API's place: a proxy, a portal, another server. */
static bool is_strangers(const psprobe_error *error) {
  return error->http_status != 0 && !error->from_service;
}

bool psp_doctor_api_failed(psp_doctor *d, psp_service service, const psprobe_error *error) {
  static const char *const checks[] = {"pubsub.api", "firestore.api"};
  const char *check = checks[service], *host = psp_services[service].host;
  psp_word word;
  if (is_about_project(error)) {
    psp_doctor_mend(d, "gcloud projects list");
    psp_doctor_found(d, PSPROBE_DOCTOR_FAILED, "project", d->project, "%s", error->message);
    d->usable[PSP_PUBSUB] = d->usable[PSP_FIRESTORE] = false;
    return true;
  }
  if (is_strangers(error)) {
    d->usable[service] = false;
    psp_doctor_mend(d, "curl -sSi %s", psp_word_of(&word, d->base[service]));
    psp_doctor_found(d, PSPROBE_DOCTOR_FAILED, check, host, "something else than %s answers: %s",
                     psp_services[service].title, error->message);
    return true;
  }
  if (!psp_doctor_advise_reason(d, host, error)) {
    switch (error->code) {
      case PSPROBE_UNAUTHENTICATED:
        psp_doctor_advise_refused(d);
        break;
      case PSPROBE_UNAVAILABLE:
      case PSPROBE_DEADLINE_EXCEEDED:
        psp_doctor_mend(d, "curl -sSv -o /dev/null %s", psp_word_of(&word, d->base[service]));
        break;
      default:
        return false;
    }
  }
  d->usable[service] = false;
  psp_doctor_found(d, PSPROBE_DOCTOR_FAILED, check, host, "%s%s",
                   strcmp(error->reason, "SERVICE_DISABLED") == 0 ? "the API is not enabled: " : "",
                   error->message);
  return true;
}
