/* SPDX-License-Identifier: MIT */
/**
 * @file What Google has of a project (tests/support/fakes/fake_admin.h), for scripts: prints its
 * URL and serves until its standard input ends.
 *
 *     fake_admin DIRECTORY [API-THAT-IS-OFF…]
 *
 * In DIRECTORY it writes key.json (a service account's) and, at the end, requests: a line of JSON
 * for each that came.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "fake_admin.h"
#include "keys.h"

#define RESULTS "projects/" FAKE_ADMIN_PROJECT "/databases/(default)/documents/pubsub_results"

/* What a prober has carried there, as Firestore lists it: the function is 2 ms faster. */
static void put_results(fake_admin *google) {
  psp_buf page = {0};
  psp_buf_text(&page, "{\"documents\":[");
  for (int i = 0; i < 60; i++)
    psp_buf_printf(&page,
                   "%s{\"name\":\"" RESULTS
                   "/%032x\",\"fields\":{\"arbitrary_message_id\":{\"stringValue\":\"%032x\"},"
                   "\"probe_sent\":{\"timestampValue\":\"2026-11-30T10:%02d:%02dZ\"},"
                   "\"cloud_func_response_time\":{\"integerValue\":\"%d\"},"
                   "\"reg_service_response_time\":{\"integerValue\":\"%d\"}}}",
                   i > 0 ? "," : "", i, i, i / 12, i % 12 * 5, 40000000 + i * 7919 % 60 * 50000,
                   42000000 + i * 104729 % 60 * 50000);
  psp_buf_text(&page, "]}");
  fake_admin_put(google, RESULTS, page.data);
  psp_buf_free(&page);
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fputs("usage: fake_admin DIRECTORY [API-THAT-IS-OFF...]\n", stderr);
    return 2;
  }
  fake_admin *google = fake_admin_start();
  char more[200];
  snprintf(more, sizeof more, ",\"token_uri\":\"%s/token\"", fake_admin_url(google));
  char *key = test_service_account(NULL, more);
  test_write(argv[1], "key.json", 0600, key);
  free(key);
  for (int i = 2; i < argc; i++)
    fake_admin_turn_off(google, argv[i]);
  fake_admin_set_polls(google, 2);
  put_results(google);
  printf("%s\n", fake_admin_url(google));
  fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  char *record = fake_admin_record(google);
  test_write(argv[1], "requests", 0600, record != NULL ? record : "");
  free(record);
  fake_admin_stop(google);
  return 0;
}
