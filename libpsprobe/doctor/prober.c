/* SPDX-License-Identifier: MIT */
/**
 * @file Whether the prober can be reached at its outside address. It is asked with a GET, which its
 * routes refuse in words of their own and do not count.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "doctor/parts.h"
#include "http/url.h"

/* Host and port of the URL; port 0: the scheme's. */
static void split(const char *url, char host[256], char port[8]) {
  size_t len;
  const char *at = psp_http_url_authority(url, &len);
  snprintf(host, 256, "%.*s", (int)len, at);
  snprintf(port, 8, "%s", psp_text_starts(url, "https") ? "443" : "80");
  char *colon = strrchr(host, ':');
  if (colon != NULL && strchr(colon, ']') == NULL) {
    *colon = 0;
    snprintf(port, 8, "%.7s", colon + 1);
  }
}

/* An address that nobody outside of its own network can reach (RFC 1918, RFC 3927, RFC 4193). */
static bool is_private(const char *host) {
  struct in_addr v4;
  struct in6_addr v6;
  char bare[256];
  snprintf(bare, sizeof bare, "%s", host[0] == '[' ? host + 1 : host);
  bare[strcspn(bare, "]")] = 0;
  if (inet_pton(AF_INET, bare, &v4) == 1) {
    uint32_t a = ntohl(v4.s_addr);
    return (a >> 24) == 10 || (a >> 20) == 0xac1 || (a >> 16) == 0xc0a8 || (a >> 16) == 0xa9fe;
  }
  return inet_pton(AF_INET6, bare, &v6) == 1 &&
         ((v6.s6_addr[0] & 0xfe) == 0xfc || (v6.s6_addr[0] == 0xfe && v6.s6_addr[1] >= 0x80));
}

/* "UNIMPLEMENTED", "NOT_FOUND" where the body is an error as our servers write it; NULL: it is not.
 */
static bool says(const psp_http_result *result, const char *status) {
  psp_json *json = NULL;
  if (result->body.data == NULL ||
      psp_json_parse(result->body.data, result->body.len, "it", &json, NULL) != PSPROBE_OK)
    return false;
  const psp_json *error = psp_json_get(json, "error");
  bool same = psp_text_equal(psp_json_string(psp_json_get(error, "status")), status);
  psp_json_free(json);
  return same;
}

static void tell_reached(psp_doctor *d, const char *url, int64_t ms, const char *how) {
  char host[256], port[8];
  psp_word word;
  split(url, host, port);
  bool loopback = psp_http_url_is_loopback(url);
  bool google = d->o->client.pubsub_emulator == NULL;
  if (google && (loopback || is_private(host))) {
    psp_doctor_mend(d, "psprobe-prober --listen 0.0.0.0:%s --project %s", port,
                    psp_word_of(&word, d->project != NULL ? d->project : "PROJECT"));
    psp_doctor_found(
        d, PSPROBE_DOCTOR_WARNING, "prober", url,
        "%s answers%s, but %s; a function of Google's cannot reach it", url, how,
        loopback ? "only this machine can reach that address" : "that address is a private one");
    return;
  }
  psp_doctor_found(d, PSPROBE_DOCTOR_OK, "prober", url, "%s answers from here%s, in %lld ms", url,
                   how, (long long)ms);
}

static void tell_unreached(psp_doctor *d, const char *url, const psprobe_error *error) {
  char host[256], port[8];
  psp_word project;
  split(url, host, port);
  psp_word_of(&project, d->project != NULL ? d->project : "PROJECT");
  bool loopback = psp_http_url_is_loopback(url);
  psp_doctor_mend(d, "psprobe-prober --listen %s:%s --project %s",
                  loopback ? "127.0.0.1" : "0.0.0.0", port, project.text);
  if (!loopback && d->o->client.pubsub_emulator == NULL)
    psp_doctor_mend(d,
                    "gcloud compute firewall-rules create psprobe-prober --direction=INGRESS "
                    "--allow=tcp:%s --project=%s",
                    port, project.text);
  psp_doctor_found(d, PSPROBE_DOCTOR_FAILED, "prober", url, "%s", error->message);
}

static void tell(psp_doctor *d, const char *url, const psp_http_result *result, int64_t ms) {
  psp_word word;
  if (result->status == 405 && says(result, "UNIMPLEMENTED")) {
    tell_reached(d, url, ms, "");
  } else if (result->status == 401 || result->status == 403) {
    tell_reached(d, url, ms, " and asks for a token (psprobe-subscriber --prober-auth oidc)");
  } else {
    psp_doctor_mend(d, "curl -sSi %s", psp_word_of(&word, url));
    psp_doctor_found(d, PSPROBE_DOCTOR_FAILED, "prober", url,
                     "%s answers HTTP %d, which is not a prober's answer%s", url, result->status,
                     result->status == 404 && says(result, "NOT_FOUND")
                         ? " (another of our programs, or its page, which has a port of its own)"
                         : "");
  }
}

void psp_doctor_prober(psp_doctor *d) {
  const char *base = d->o->prober;
  if (base == NULL) {
    psp_doctor_found(d, PSPROBE_DOCTOR_SKIPPED, "prober", NULL,
                     "no outside address was given (--prober URL)");
    return;
  }
  int64_t left = psp_doctor_left(d);
  if (left == 0) {
    psp_doctor_found(d, PSPROBE_DOCTOR_SKIPPED, "prober", base, "the time for all checks is over");
    return;
  }
  psp_buf url = {0};
  psp_buf_printf(&url, "%s%sdoctor/doctor", base, psp_text_ends(base, "/") ? "" : "/");
  if (url.failed) {
    d->failed = true;
    return;
  }
  psp_http_result result = {0};
  psprobe_error error;
  psprobe_error_clear(&error);
  psp_http_request request = {
      .method = "GET", .url = url.data, .timeout_ns = left, .max_response = 1 << 20};
  psprobe_code code = psp_http_call(d->http, &request, &result, &error);
  if (code == PSPROBE_OK)
    tell(d, base, &result, (left - psp_doctor_left(d)) / PSP_MS_NS);
  else
    tell_unreached(d, base, &error);
  psp_http_result_free(&result);
  psp_buf_free(&url);
}
