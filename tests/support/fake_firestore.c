/* SPDX-License-Identifier: MIT */
#include "fake_firestore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "client/call.h"

int fake_firestore_set_up(void **state) {
  psp_http *http = NULL;
  psprobe_client_options options = {
      .project = "demo", .pubsub_emulator = "127.0.0.1:2", .firestore_emulator = "127.0.0.1:1"};
  fake_firestore *f = calloc(1, sizeof *f);
  assert_non_null(f);
  f->fake = fake_transport_new(&http);
  assert_int_equal(psp_client_new_http(&options, http, &f->client, NULL), PSPROBE_OK);
  f->fields = psprobe_value_map();
  psprobe_value_set(f->fields, "n", psprobe_value_integer(1));
  fake_in_order(f->fake);
  *state = f;
  return 0;
}

int fake_firestore_tear_down(void **state) {
  fake_firestore *f = *state;
  psprobe_client_free(f->client);
  fake_transport_free(f->fake);
  psprobe_value_free(f->fields);
  free(f);
  return 0;
}
