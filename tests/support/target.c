/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/id.h"

const char *test_target_host(test_service service) {
  const char *target = getenv("PSPROBE_TEST_TARGET");
  if (!target || !*target || strcmp(target, "google") == 0) return test_emulator_host(service);
  fprintf(stderr, "PSPROBE_TEST_TARGET is google, not %s\n", target);
  exit(2);
}

psprobe_client *test_target_client(test_service service) {
  static const char nowhere[] = "127.0.0.1:1";
  char id[PSP_ID_SIZE], project[32];
  psprobe_client *client = NULL;
  psprobe_error error = {0};
  assert_true(psp_id_new(id));
  snprintf(project, sizeof project, "test-%.12s", id);
  psprobe_client_options options = {
      .project = project,
      .pubsub_emulator = service == TEST_PUBSUB ? test_target_host(service) : nowhere,
      .firestore_emulator = service == TEST_FIRESTORE ? test_target_host(service) : nowhere};
  if (psprobe_client_new(&options, &client, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  return client;
}
