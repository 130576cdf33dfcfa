/* SPDX-License-Identifier: MIT */
/** @file Google's rules for names, as checks of options. */
#include <stdlib.h>
#include <string.h>

#include <psprobe/pubsub.h>

#include "base/error.h"
#include "base/name.h"
#include "base/text.h"
#include "cli/parts.h"
#include "client/call.h"
#include "http/server/listen.h"
#include "http/url.h"

/* The id of "projects/p/KIND/id", or the text itself. */
static const char *last_segment(const char *text) {
  const char *slash = strrchr(text, '/');
  return psp_text_starts(text, "projects/") && slash != NULL ? slash + 1 : text;
}

psprobe_code psprobe_check_topic(const char *text, psprobe_error *error) {
  return psprobe_pubsub_name_check("topic", last_segment(text), error);
}

psprobe_code psprobe_check_subscription(const char *text, psprobe_error *error) {
  return psprobe_pubsub_name_check("subscription", last_segment(text), error);
}

psprobe_code psprobe_check_collection(const char *text, psprobe_error *error) {
  return psp_name_check("collection", text, strlen(text), error);
}

/* "example.com:" of a domain-scoped project id is let through unchecked but for its characters. */
static bool project_ok(const char *text) {
  const char *colon = strrchr(text, ':');
  for (const char *c = text; colon != NULL && c < colon; c++)
    if (strchr("abcdefghijklmnopqrstuvwxyz0123456789.-", *c) == NULL) return false;
  if (colon == text) return false;
  const char *id = colon != NULL ? colon + 1 : text;
  size_t len = strlen(id);
  if (len < 6 || len > 30 || id[0] < 'a' || id[0] > 'z' || id[len - 1] == '-') return false;
  return strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/* Emulators take any id that can stand in a path. */
static bool on_emulator(void) {
  const char *pubsub = getenv("PUBSUB_EMULATOR_HOST"),
             *firestore = getenv("FIRESTORE_EMULATOR_HOST");
  return (pubsub != NULL && pubsub[0] != '\0') || (firestore != NULL && firestore[0] != '\0');
}

psprobe_code psprobe_check_project(const char *text, psprobe_error *error) {
  if (on_emulator()) return psp_project_named(text, error);
  /* https://cloud.google.com/resource-manager/docs/creating-managing-projects */
  if (project_ok(text)) return PSPROBE_OK;
  return psp_cli_refuse(
      error, text,
      "is no project id: 6 to 30 lower-case letters, digits and hyphens, a letter "
      "first, no hyphen last");
}

psprobe_code psprobe_check_host(const char *text, psprobe_error *error) {
  char url[300];
  const char *why;
  size_t len = 0;
  snprintf(url, sizeof url, "http://%s:1", text);
  if (psp_http_url_check(url, &why)) psp_http_url_authority(url, &len);
  if (len == strlen(text) + 2) return PSPROBE_OK;
  return psp_cli_refuse(error, text,
                        "is no host's name, such as prober.example.com, without a port");
}

static psprobe_code check_address(const char *text, bool port, psprobe_error *error) {
  psp_listen_address address;
  const char *why;
  if (!psp_listen_parse(text, &address, &why)) return psp_cli_refuse(error, text, "%s", why);
  if (address.port >= 0 || !port) return PSPROBE_OK;
  return psp_cli_refuse(error, text, "%s", PSP_LISTEN_NO_PORT);
}

psprobe_code psprobe_check_listen(const char *text, psprobe_error *error) {
  return check_address(text, true, error);
}

psprobe_code psprobe_check_listen_host(const char *text, psprobe_error *error) {
  return check_address(text, false, error);
}

const char *psprobe_listen_with(const char *listen, int64_t port, char *out, size_t size) {
  psp_listen_address address;
  const char *why;
  snprintf(out, size, "%s", listen);
  if (port >= 0 && psp_listen_parse(listen, &address, &why))
    snprintf(out, size, strchr(address.host, ':') != NULL ? "[%s]:%d" : "%s:%d", address.host,
             (int)port);
  return out;
}
