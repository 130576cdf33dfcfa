/* SPDX-License-Identifier: MIT */
/** @file Whom credentials stand for: from the file, the metadata server, or Google's userinfo. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/credentials.h"
#include "fake_transport.h"
#include "keys.h"

#define USER                                                                    \
  "{\"type\":\"authorized_user\",\"client_id\":\"id\",\"client_secret\":\"s\"," \
  "\"refresh_token\":\"1//r\"}"
#define USERINFO "https://openidconnect.googleapis.com/v1/userinfo"

typedef struct fixture {
  fake_transport *fake;
  psp_http *http;
  psprobe_credentials *credentials;
} fixture;

static void begin(fixture *f, const char *file) {
  test_auth_environment();
  f->fake = fake_transport_new(&f->http);
  psprobe_credentials_options options = {
      .file = file != NULL ? test_write(test_directory(), "adc.json", 0600, file) : NULL};
  assert_int_equal(psp_credentials_new_with(&options, NULL, f->http, &f->credentials, NULL),
                   PSPROBE_OK);
}

static void end(fixture *f) {
  psprobe_credentials_free(f->credentials);
  fake_transport_free(f->fake);
}

/* "" for nobody. */
static void stands_for(fixture *f, const char *wanted) {
  char *account = NULL;
  psprobe_error error = {0};
  psprobe_code code = psp_credentials_find_account(f->credentials, &account, &error);
  if (code != PSPROBE_OK) fail_msg("%s", error.message);
  assert_string_equal(account != NULL ? account : "", wanted);
  free(account);
}

static void a_key_says_it_itself(void **state) {
  (void)state;
  fixture f;
  char *key = test_service_account(NULL, "");
  begin(&f, key);
  free(key);
  stands_for(&f, "prober@file-project.iam.gserviceaccount.com");
  end(&f);
}

/* With the token that is there; without one nothing is asked. */
static void google_knows_who_logged_in(void **state) {
  (void)state;
  fixture f;
  begin(&f, USER);
  stands_for(&f, "");
  fake_reply(fake_expect(f.fake, "POST", "https://oauth2.googleapis.com/token"), 200, NULL,
             "{\"access_token\":\"ya29.1\",\"expires_in\":3599,\"token_type\":\"Bearer\"}");
  char *token = NULL;
  assert_int_equal(psprobe_credentials_access_token(f.credentials, &token, NULL), PSPROBE_OK);
  psprobe_token_free(token);
  fake_call *asked = fake_expect(f.fake, "GET", USERINFO);
  fake_reply(asked, 200, NULL, "{\"sub\":\"1\",\"email\":\"alice@example.com\"}");
  stands_for(&f, "alice@example.com");
  assert_string_equal(fake_request_header(fake_request(asked, 0), "authorization"),
                      "Bearer ya29.1");
  /* A login without the scope for it, and answers that are none: nobody, and no error. */
  fake_reply(fake_expect(f.fake, "GET", USERINFO), 401, NULL, "{\"error\":\"invalid_request\"}");
  stands_for(&f, "");
  fake_reply(fake_expect(f.fake, "GET", USERINFO), 200, NULL, "{\"sub\":\"1\"}");
  stands_for(&f, "");
  fake_reply(fake_expect(f.fake, "GET", USERINFO), 200, NULL, "<html>");
  stands_for(&f, "");
  end(&f);
}

static void the_metadata_server_knows(void **state) {
  (void)state;
  fixture f;
  begin(&f, NULL);
  setenv("METADATA_SERVER_DETECTION", "assume-present", 1);
  setenv("GCE_METADATA_HOST", "127.0.0.1:1", 1);
  fake_reply(fake_expect(f.fake, "GET", "http://127.0.0.1:1/computeMetadata/v1/universe*"), 404,
             "Metadata-Flavor: Google", "");
  fake_reply(fake_expect(f.fake, "GET",
                         "http://127.0.0.1:1/computeMetadata/v1/instance/service-accounts/default/"
                         "email"),
             200, "Metadata-Flavor: Google", "vm@p.iam.gserviceaccount.com\n");
  stands_for(&f, "vm@p.iam.gserviceaccount.com");
  fake_reply(fake_expect(f.fake, "GET", "http://127.0.0.1:1/computeMetadata/v1/instance/*"), 404,
             "Metadata-Flavor: Google", "");
  stands_for(&f, ""); /* a machine without an account */
  end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_key_says_it_itself),
      cmocka_unit_test(google_knows_who_logged_in),
      cmocka_unit_test(the_metadata_server_knows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
