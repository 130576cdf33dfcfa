/* SPDX-License-Identifier: MIT */
/** @file Whether each API's host answers at all, and what time it has. No credentials are sent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "doctor/parts.h"
#include "os/clock.h"

/* The Date header counts whole seconds. */
#define CLOCK_GOOD_S 2

static const char *const checks[2] = {"pubsub.reach", "firestore.reach"};

/* The server's second had begun half a second ago on average, in the middle of the exchange. */
static void tell_clock(psp_doctor *d, const char *host, int64_t date_s, int64_t sent_ms,
                       int64_t got_ms) {
  if (d->clock_known) return;
  int64_t off_ms = (sent_ms + got_ms) / 2 - (date_s * 1000 + 500);
  d->clock_known = true;
  d->clock_off_s = (off_ms + (off_ms < 0 ? -500 : 500)) / 1000;
  int64_t off_s = llabs(d->clock_off_s);
  const char *where = off_ms > 0 ? "ahead of" : "behind";
  if (off_s < CLOCK_GOOD_S) {
    psp_doctor_found(d, PSPROBE_DOCTOR_OK, "clock", NULL, "within 2 s of %s", host);
    return;
  }
  psp_doctor_mend(d, "sudo timedatectl set-ntp true");
  if (off_s <= PSP_DOCTOR_CLOCK_MAX_S)
    psp_doctor_found(
        d, PSPROBE_DOCTOR_WARNING, "clock", NULL,
        "%lld s %s %s; durations are not touched by that, the times of day in the results are",
        (long long)off_s, where, host);
  else
    psp_doctor_found(d, PSPROBE_DOCTOR_FAILED, "clock", NULL,
                     "%lld s %s %s; tokens that are made here are refused", (long long)off_s, where,
                     host);
}

static void advise_unreached(psp_doctor *d, psp_service service, const char *url,
                             const char *emulator, const psprobe_error *error) {
  psp_word word;
  if (emulator != NULL) {
    psp_doctor_mend(d, "gcloud beta emulators %s start --host-port=%s", psp_services[service].name,
                    psp_word_of(&word, emulator));
    return;
  }
  if (error->code == PSPROBE_UNAUTHENTICATED) {
    /* TLS: a certificate that is not believed, as by a machine that is in another year. */
    psp_doctor_mend(d, "sudo timedatectl set-ntp true");
    psp_doctor_mend(d, "sudo update-ca-certificates");
  }
  psp_doctor_mend(d, "curl -sSv -o /dev/null %s", psp_word_of(&word, url));
}

/* Of the API, as the client makes it. */
static void make_base(psp_doctor *d, psp_service service) {
  const char *emulator = psp_doctor_emulator(d, service);
  const char *endpoint =
      service == PSP_PUBSUB ? d->o->client.pubsub_endpoint : d->o->client.firestore_endpoint;
  const char *universe = d->who.universe != NULL ? d->who.universe : "googleapis.com";
  char *base = d->base[service];
  size_t size = sizeof d->base[service];
  if (emulator != NULL)
    snprintf(base, size, "http://%s/", emulator);
  else if (endpoint != NULL)
    snprintf(base, size, "%s%s", endpoint, psp_text_ends(endpoint, "/") ? "" : "/");
  else
    snprintf(base, size, "https://%s.%s/", psp_services[service].name, universe);
}

static void reach(psp_doctor *d, psp_service service) {
  const char *emulator = psp_doctor_emulator(d, service), *url = d->base[service];
  int64_t left = psp_doctor_left(d);
  make_base(d, service);
  if (left == 0) return;
  psp_http_result result = {0};
  psprobe_error error;
  psprobe_error_clear(&error);
  psp_http_request request = {
      .method = "GET", .url = url, .timeout_ns = left, .max_response = 1 << 20};
  int64_t sent_ms = psprobe_clock_wall() / PSP_MS_NS;
  psprobe_code code = psp_http_call(d->http, &request, &result, &error);
  int64_t got_ms = psprobe_clock_wall() / PSP_MS_NS;
  d->usable[service] = code == PSPROBE_OK;
  if (code != PSPROBE_OK) {
    advise_unreached(d, service, url, emulator, &error);
    psp_doctor_found(d, PSPROBE_DOCTOR_FAILED, checks[service], url, "%s", error.message);
  } else {
    psp_doctor_found(d, PSPROBE_DOCTOR_OK, checks[service], url, "%s%s answers, in %lld ms", url,
                     emulator != NULL ? " (an emulator)" : "", (long long)(got_ms - sent_ms));
    if (emulator == NULL && result.date_s > 0) tell_clock(d, url, result.date_s, sent_ms, got_ms);
  }
  psp_http_result_free(&result);
}

void psp_doctor_reach(psp_doctor *d) {
  reach(d, PSP_PUBSUB);
  if (!d->o->no_firestore) reach(d, PSP_FIRESTORE);
  if (d->clock_known) return;
  bool emulators = d->o->client.pubsub_emulator != NULL &&
                   (d->o->no_firestore || d->o->client.firestore_emulator != NULL);
  psp_doctor_found(d, PSPROBE_DOCTOR_SKIPPED, "clock", NULL, "%s",
                   emulators ? "emulators do not care what time it is"
                             : "no server was there to compare it with");
}
