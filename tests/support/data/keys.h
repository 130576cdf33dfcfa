/* SPDX-License-Identifier: MIT */
#ifndef TEST_KEYS_H
#define TEST_KEYS_H
/** @file Throw-away keys and credentials for tests of auth; nothing here is ever a real one. */
#include <stdbool.h>
#include <stddef.h>

typedef enum test_key {
  TEST_KEY_RSA,       /**< 2048 bits, PKCS#8, as Google's files have it */
  TEST_KEY_RSA_OTHER, /**< another one */
  TEST_KEY_PKCS1,
  TEST_KEY_ENCRYPTED,
  TEST_KEY_EC,
  TEST_KEY_RSA_512,
  TEST_KEY_RSA_4096,
  TEST_KEYS
} test_key;

/** A key as PEM text, made once for the program, or once in the folder $PSPROBE_TEST_KEYS. Never
 * NULL. */
const char *test_key_pem(test_key key);
/** The public half, "BEGIN PUBLIC KEY". */
const char *test_key_public(test_key key);

/** Wipes every key of this program. */
void test_keys_forget(void);

/**
 * A new directory for files, removed with all that is in it when the program ends.
 * @return its path, the program's
 */
const char *test_directory(void);
/** Writes a file with these permissions; returns its path, in a static buffer of 4. */
const char *test_write(const char *directory, const char *name, unsigned mode, const char *text);

/** Unsets every variable that auth reads; HOME is an empty directory, nobody asks for a metadata
 * server. */
void test_auth_environment(void);
/** The same, as cmocka calls it. */
int test_auth_setup(void **state);

/** A service account's file. `pem` NULL: TEST_KEY_RSA. `more`: further members, ",\"a\":1", or
 * "". To free(). */
char *test_service_account(const char *pem, const char *more);

/** {"keys":[…]} with the public half under this id. To free(). */
char *test_jwks(test_key key, const char *kid);
/** A token signed with RS256 by `key` whose header names `kid`. To free(). */
char *test_jwt(test_key key, const char *kid, const char *claims);

/** Claims or header of a token as JSON text, to free(). */
char *test_jwt_part(const char *jwt, int part);
/** True: libjwt finds the signature good, by RS256, under the public key. */
bool test_jwt_verifies(const char *jwt, test_key key);

#endif
