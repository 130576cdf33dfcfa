/* SPDX-License-Identifier: MIT */
#include "keys.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/buf.h"
#include "base/json.h"
#include "base64url.h"

static char *private_texts[TEST_KEYS], *public_texts[TEST_KEYS];

static char *take(BIO *bio) {
  char *data;
  long len = BIO_get_mem_data(bio, &data);
  char *text = strndup(data, (size_t)len);
  assert_non_null(text);
  BIO_free(bio);
  return text;
}

static EVP_PKEY *generate(test_key key) {
  if (key == TEST_KEY_EC) return EVP_EC_gen("P-256");
  return EVP_RSA_gen(key == TEST_KEY_RSA_512 ? 512u : key == TEST_KEY_RSA_4096 ? 4096u : 2048u);
}

/* ---- kept from program to program, in the folder $PSPROBE_TEST_KEYS ---- */

#define PAIR_SIZE 8192 /* the private half's text, then the public one's */

/* @return whether there is such a folder */
static bool pair_path(char *path, size_t size, test_key key) {
  const char *folder = getenv("PSPROBE_TEST_KEYS");
  return folder != NULL && snprintf(path, size, "%s/%d.pem", folder, (int)key) < (int)size;
}

static bool read_pair(test_key key) {
  char path[512], text[PAIR_SIZE];
  if (!pair_path(path, sizeof path, key)) return false;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (len <= 0) return false;
  text[len] = '\0';
  const char *public = strstr(text, "-----BEGIN PUBLIC KEY");
  assert_non_null(public);
  private_texts[key] = strndup(text, (size_t)(public - text));
  public_texts[key] = strdup(public);
  explicit_bzero(text, sizeof text);
  return true;
}

/* The name comes last, so that nobody reads half of it. */
static void write_pair(test_key key) {
  char path[512], own[530];
  if (!pair_path(path, sizeof path, key)) return;
  snprintf(own, sizeof own, "%s.%d", path, (int)getpid());
  int fd = open(own, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  assert_true(fd >= 0);
  const char *const halves[] = {private_texts[key], public_texts[key]};
  for (int i = 0; i < 2; i++)
    assert_int_equal(write(fd, halves[i], strlen(halves[i])), (ssize_t)strlen(halves[i]));
  close(fd);
  assert_int_equal(rename(own, path), 0);
}

static void make(test_key key) {
  if (private_texts[key] != NULL || read_pair(key)) return;
  EVP_PKEY *made = generate(key);
  assert_non_null(made);
  BIO *private = BIO_new(BIO_s_mem()), *public = BIO_new(BIO_s_mem());
  int good;
  if (key == TEST_KEY_PKCS1)
    good = PEM_write_bio_PrivateKey_traditional(private, made, NULL, NULL, 0, NULL, NULL);
  else if (key == TEST_KEY_ENCRYPTED)
    good = PEM_write_bio_PKCS8PrivateKey(private, made, EVP_aes_256_cbc(), "secret", 6, NULL, NULL);
  else
    good = PEM_write_bio_PKCS8PrivateKey(private, made, NULL, NULL, 0, NULL, NULL);
  assert_int_equal(good, 1);
  assert_int_equal(PEM_write_bio_PUBKEY(public, made), 1);
  private_texts[key] = take(private);
  public_texts[key] = take(public);
  EVP_PKEY_free(made);
  write_pair(key);
}

const char *test_key_pem(test_key key) {
  make(key);
  return private_texts[key];
}

const char *test_key_public(test_key key) {
  make(key);
  return public_texts[key];
}

void test_keys_forget(void) {
  for (int i = 0; i < TEST_KEYS; i++) {
    if (private_texts[i] != NULL) explicit_bzero(private_texts[i], strlen(private_texts[i]));
    free(private_texts[i]);
    free(public_texts[i]);
    private_texts[i] = public_texts[i] = NULL;
  }
}

/* ---- files ---- */

static char directories[256][64];
static unsigned directory_count;

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *at) {
  (void)found, (void)kind, (void)at;
  remove(path);
  return 0;
}

static void remove_directories(void) {
  for (unsigned i = 0; i < directory_count; i++)
    nftw(directories[i], remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_directory(void) {
  assert_true(directory_count < 256);
  if (directory_count == 0) atexit(remove_directories);
  char *path = directories[directory_count];
  strcpy(path, "/tmp/psprobe-test-XXXXXX");
  assert_non_null(mkdtemp(path));
  directory_count++;
  return path;
}

const char *test_write(const char *directory, const char *name, unsigned mode, const char *text) {
  static char paths[4][512];
  static unsigned next;
  char *path = paths[next++ % 4];
  snprintf(path, 512, "%s/%s", directory, name);
  unlink(path);
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  assert_true(fd >= 0);
  size_t len = strlen(text);
  assert_int_equal(write(fd, text, len), (ssize_t)len);
  assert_int_equal(fchmod(fd, mode), 0);
  close(fd);
  return path;
}

void test_auth_environment(void) {
  static const char *const names[] = {"GOOGLE_APPLICATION_CREDENTIALS",
                                      "CLOUDSDK_CONFIG",
                                      "CLOUDSDK_CORE_PROJECT",
                                      "CLOUDSDK_ACTIVE_CONFIG_NAME",
                                      "GOOGLE_CLOUD_PROJECT",
                                      "GCLOUD_PROJECT",
                                      "GOOGLE_CLOUD_QUOTA_PROJECT",
                                      "GOOGLE_CLOUD_UNIVERSE_DOMAIN",
                                      "GCE_METADATA_IP",
                                      "GCE_METADATA_HOST",
                                      "K_SERVICE",
                                      "CLOUD_RUN_JOB",
                                      "CLOUD_RUN_WORKER_POOL",
                                      "FUNCTION_NAME",
                                      "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    unsetenv(names[i]);
  setenv("METADATA_SERVER_DETECTION", "none", 1);
  setenv("HOME", test_directory(), 1);
}

int test_auth_setup(void **state) {
  (void)state;
  test_auth_environment();
  return 0;
}

char *test_service_account(const char *pem, const char *more) {
  psp_buf json = {0};
  psp_json_writer w = {.buf = &json};
  psp_buf_text(&json,
               "{\"type\":\"service_account\",\"project_id\":\"file-project\","
               "\"private_key_id\":\"0123456789abcdef0123456789abcdef01234567\","
               "\"client_email\":\"prober@file-project.iam.gserviceaccount.com\",\"private_key\":");
  psp_json_put_string(&w, pem != NULL ? pem : test_key_pem(TEST_KEY_RSA));
  psp_buf_text(&json, more);
  psp_buf_text(&json, "}");
  char *text = psp_buf_take(&json, NULL);
  assert_non_null(text);
  return text;
}

/* ---- tokens ---- */

char *test_jwks(test_key key, const char *kid) {
  BIO *bio = BIO_new_mem_buf(test_key_public(key), -1);
  EVP_PKEY *public = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
  BIGNUM *numbers[2] = {NULL, NULL};
  assert_int_equal(EVP_PKEY_get_bn_param(public, "n", &numbers[0]), 1);
  assert_int_equal(EVP_PKEY_get_bn_param(public, "e", &numbers[1]), 1);
  psp_buf json = {0};
  psp_buf_printf(
      &json, "{\"keys\":[{\"kty\":\"RSA\",\"alg\":\"RS256\",\"use\":\"sig\",\"kid\":\"%s\"", kid);
  for (int i = 0; i < 2; i++) {
    unsigned char bytes[1024];
    int len = BN_bn2bin(numbers[i], bytes);
    psp_buf_text(&json, i == 0 ? ",\"n\":\"" : "\",\"e\":\"");
    test_base64url(&json, bytes, (size_t)len);
    BN_free(numbers[i]);
  }
  psp_buf_text(&json, "\"}]}");
  EVP_PKEY_free(public);
  BIO_free(bio);
  char *text = psp_buf_take(&json, NULL);
  assert_non_null(text);
  return text;
}

char *test_jwt(test_key key, const char *kid, const char *claims) {
  psp_buf token = {0}, header = {0};
  unsigned char signature[1024];
  size_t len = sizeof signature;
  psp_buf_printf(&header, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"%s\"}", kid);
  test_base64url(&token, header.data, header.len);
  psp_buf_char(&token, '.');
  test_base64url(&token, claims, strlen(claims));
  BIO *bio = BIO_new_mem_buf(test_key_pem(key), -1);
  EVP_PKEY *private = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, private), 1);
  assert_int_equal(
      EVP_DigestSign(context, signature, &len, (const unsigned char *)token.data, token.len), 1);
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(private);
  BIO_free(bio);
  psp_buf_char(&token, '.');
  test_base64url(&token, signature, len);
  psp_buf_free(&header);
  char *text = psp_buf_take(&token, NULL);
  assert_non_null(text);
  return text;
}

char *test_jwt_part(const char *jwt, int part) {
  for (; part > 0; part--) {
    jwt = strchr(jwt, '.');
    assert_non_null(jwt);
    jwt++;
  }
  psp_buf out = {0};
  assert_true(psp_base64_decode(&out, jwt, strcspn(jwt, ".")));
  char *text = psp_buf_take(&out, NULL);
  assert_non_null(text);
  return text;
}

bool test_jwt_verifies(const char *jwt, test_key key) {
  const char *dot = strrchr(jwt, '.');
  psp_buf signature = {0};
  assert_non_null(dot);
  assert_true(psp_base64_decode(&signature, dot + 1, strlen(dot + 1)));
  BIO *bio = BIO_new_mem_buf(test_key_public(key), -1);
  EVP_PKEY *public = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  assert_int_equal(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, public), 1);
  bool good = EVP_DigestVerify(context, (const unsigned char *)signature.data, signature.len,
                               (const unsigned char *)jwt, (size_t)(dot - jwt)) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(public);
  BIO_free(bio);
  psp_buf_free(&signature);
  return good;
}
