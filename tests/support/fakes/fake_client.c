/* SPDX-License-Identifier: MIT */
#include "fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

int fake_client_setup(void **state) {
  fake_client *f = calloc(1, sizeof *f);
  psp_http *http = NULL;
  assert_non_null(f);
  f->fake = fake_transport_new(&http);
  psprobe_client_options options = {.project = FAKE_PROJECT,
                                    .pubsub_emulator = "127.0.0.1:8085",
                                    .firestore_emulator = "127.0.0.1:8086"};
  assert_int_equal(psp_client_new_http(&options, http, &f->client, NULL), PSPROBE_OK);
  *state = f;
  return 0;
}

int fake_client_teardown(void **state) {
  fake_client *f = *state;
  psprobe_client_free(f->client);
  fake_transport_free(f->fake);
  free(f);
  return 0;
}
