/* SPDX-License-Identifier: MIT */
#ifndef TEST_LOOKUP_H
#define TEST_LOOKUP_H
/** @file Credentials that are looked up over a scripted transport, in an environment of a test's.
 */
#include "auth/parts.h"
#include "fake_transport.h"

#define LOOKUP_META   "http://metadata.test/computeMetadata/v1"
#define LOOKUP_FLAVOR "Metadata-Flavor: Google"

typedef struct lookup {
  fake_transport *fake;
  psprobe_credentials *credentials;
  psprobe_error error;
  char steps[2048]; /**< the places looked at, "*" before the one that was used */
} lookup;

/** cmocka's setup and teardown: *state is a lookup. */
int lookup_setup(void **state);
int lookup_teardown(void **state);
/** psprobe_credentials_options.on_step, whose arg is the lookup. */
void lookup_note(void *arg, const char *place, const char *outcome, bool used);
/** Makes credentials, for a test that then says what is answered and resolves them. */
void lookup_prepare(lookup *f);
/** Looks anew. */
psprobe_code lookup_anew(lookup *f);
/** Writes the file of `gcloud auth application-default login`. */
void lookup_well_known(const char *text);

#endif
