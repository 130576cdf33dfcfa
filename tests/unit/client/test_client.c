/* SPDX-License-Identifier: MIT */
/** @file A client's options: what the environment says, and keys that could leak. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/credentials.h"
#include "client/call.h"
#include "fake_transport.h"
#include "keys.h"

static const psp_call publish = {
    .service = PSP_PUBSUB,
    .method = "POST",
    .path = "/v1/projects/p/topics/t:publish",
    .body = "{}",
    .body_len = 2,
    .what = "publish to topic t",
};

/* The endpoints are as regional ones are; an emulator goes before them. */
static void test_environment(void **state) {
  (void)state;
  test_auth_environment();
  setenv("PSPROBE_PUBSUB_ENDPOINT", "https://europe-west1-pubsub.googleapis.com", 1);
  setenv("PSPROBE_FIRESTORE_ENDPOINT", "", 1);
  psprobe_client_options options = {0};
  psprobe_client_options_from_environment(&options);
  assert_string_equal(options.pubsub_endpoint, "https://europe-west1-pubsub.googleapis.com");
  assert_null(options.firestore_endpoint);
  setenv("PSPROBE_FIRESTORE_ENDPOINT", "http://example.com", 1);
  psprobe_client_options_from_environment(&options);
  psprobe_client *client = NULL;
  psprobe_error error = {0};
  assert_int_equal(psp_client_new_http(&options, NULL, &client, &error), PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "Firestore endpoint"));
  unsetenv("PSPROBE_PUBSUB_ENDPOINT");
  unsetenv("PSPROBE_FIRESTORE_ENDPOINT");
}

static void test_unsafe_key(void **state) {
  (void)state;
  test_auth_environment();
  char *key = test_service_account(NULL, "");
  setenv("GOOGLE_APPLICATION_CREDENTIALS", test_write(test_directory(), "key.json", 0644, key), 1);
  for (int allowed = 0; allowed < 2; allowed++) {
    psp_http *http;
    fake_transport *fake = fake_transport_new(&http);
    fake_call *call = NULL;
    if (allowed) {
      call = fake_expect(fake, "POST", "https://pubsub.googleapis.com/*");
      fake_reply(call, 200, NULL, "{}");
    }
    psprobe_client_options options = {.allow_unsafe_key = allowed};
    psprobe_client *client = NULL;
    assert_int_equal(psp_client_new_http(&options, http, &client, NULL), PSPROBE_OK);
    psprobe_error error = {0};
    psprobe_code code = psp_call_run(client, &publish, NULL, &error);
    assert_int_equal(code, allowed ? PSPROBE_OK : PSPROBE_FAILED_PRECONDITION);
    if (allowed)
      assert_non_null(fake_request_header(fake_request(call, 0), "authorization"));
    else
      assert_non_null(strstr(error.message, "--allow-unsafe-key"));
    psprobe_client_free(client);
    fake_transport_free(fake);
  }
  free(key);
}

/* With both services on emulators no call needs credentials, but one to a prober may. */
static void test_credentials_beside_emulators(void **state) {
  (void)state;
  test_auth_environment();
  char *key = test_service_account(NULL, "");
  setenv("GOOGLE_APPLICATION_CREDENTIALS", test_write(test_directory(), "key.json", 0600, key), 1);
  psp_http *http;
  fake_transport *fake = fake_transport_new(&http);
  psprobe_client_options options = {.pubsub_emulator = "127.0.0.1:1",
                                    .firestore_emulator = "127.0.0.1:1"};
  psprobe_client *client = NULL;
  assert_int_equal(psp_client_new_http(&options, http, &client, NULL), PSPROBE_OK);
  const char *project = NULL;
  assert_int_equal(psprobe_client_project(client, &project, NULL), PSPROBE_FAILED_PRECONDITION);
  psprobe_credentials *credentials = psp_client_credentials(client);
  assert_non_null(credentials);
  assert_int_equal(psp_credentials_resolve(credentials, NULL), PSPROBE_OK);
  psprobe_client_free(client);
  fake_transport_free(fake);
  free(key);
}

/* A password in a base URL is refused and not told. */
static void test_password_in_endpoint(void **state) {
  (void)state;
  const psprobe_client_options cases[] = {{.pubsub_endpoint = "https://user:hush@h"},
                                          {.firestore_endpoint = "https://user:hush@h"},
                                          {.pubsub_emulator = "user:hush@h:1"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_client *client = NULL;
    psprobe_error error = {0};
    assert_int_equal(psprobe_client_new(&cases[i], &client, &error), PSPROBE_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "***@h"));
    assert_null(strstr(error.message, "hush"));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_environment),
      cmocka_unit_test(test_unsafe_key),
      cmocka_unit_test(test_password_in_endpoint),
      cmocka_unit_test(test_credentials_beside_emulators),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
