/* SPDX-License-Identifier: MIT */
/** @file
 * Tokens: from the cache beside a mutex around a copy, signed and verified beside OpenSSL itself
 * and beside libjwt. Rounds alternate; the median round counts, in processor time.
 */
#include <jwt.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/credentials.h"
#include "auth/sources/claims.h"
#include "auth/sources/jwt_sign.h"
#include "auth/verify/idtoken.h"
#include "base/base64.h"
#include "bench.h"
#include "keys.h"

#define ROUNDS   9
#define READS    400000
#define SIGNS    60
#define VERIFIES 500

/* Processor time of this thread: what else runs on the machine does not count. */
static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- the cache ---- */

static psprobe_credentials *credentials;

/* The peer: what one would write first. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char mutex_text[1024];
static size_t mutex_len;

static void read_cache(void) {
  char out[2048];
  uint64_t generation;
  size_t len = psp_token_slot_authorization(
      credentials, psp_credentials_slot(credentials, PSP_PUBSUB), out, sizeof out, &generation);
  bench_need(len > 0 && len < sizeof out, "no token in the cache");
}

static void read_mutex(void) {
  char out[2048];
  struct timespec now;
  pthread_mutex_lock(&mutex);
  clock_gettime(CLOCK_BOOTTIME, &now);
  if (now.tv_sec != 0) memcpy(out, mutex_text, mutex_len + 1);
  __asm__ volatile("" : : "r"(out) : "memory");
  pthread_mutex_unlock(&mutex);
}

static pthread_barrier_t start;
static void (*reading)(void);

static void *read_many(void *arg) {
  pthread_barrier_wait(&start);
  int64_t from = now_ns();
  for (int i = 0; i < READS; i++)
    reading();
  *(double *)arg = (double)(now_ns() - from) / READS;
  return NULL;
}

/* ns a read, on each of `threads` threads at once. */
static double time_reads(void (*read)(void), int threads) {
  pthread_t ids[2];
  double took[2] = {0, 0};
  reading = read;
  pthread_barrier_init(&start, NULL, (unsigned)threads);
  for (int i = 0; i < threads; i++)
    bench_need(pthread_create(&ids[i], NULL, read_many, &took[i]) == 0, "no thread");
  for (int i = 0; i < threads; i++)
    pthread_join(ids[i], NULL);
  pthread_barrier_destroy(&start);
  return threads == 1 ? took[0] : (took[0] + took[1]) / 2;
}

static void on_ready(void *arg, const psprobe_error *error) {
  bench_need(error == NULL, "no token");
  sem_post(arg);
}

static void make_credentials(void) {
  test_auth_environment();
  char *text = test_service_account(NULL, "");
  psprobe_credentials_options options = {.file =
                                             test_write(test_directory(), "adc.json", 0600, text)};
  free(text);
  bench_need(psprobe_credentials_new(&options, &credentials, NULL) == PSPROBE_OK, "no credentials");
  sem_t ready;
  sem_init(&ready, 0, 0);
  psp_token_waiter waiter = {.ready = on_ready, .arg = &ready};
  bench_need(psp_credentials_wait(credentials, PSP_PUBSUB, &waiter, NULL) == PSPROBE_OK,
             "no token");
  sem_wait(&ready);
  sem_destroy(&ready);
  uint64_t generation;
  mutex_len =
      psp_token_slot_authorization(credentials, psp_credentials_slot(credentials, PSP_PUBSUB),
                                   mutex_text, sizeof mutex_text, &generation);
}

static void bench_cache(void) {
  double ours[2][ROUNDS], theirs[2][ROUNDS];
  make_credentials();
  for (int round = 0; round < ROUNDS; round++) {
    for (int threads = 1; threads <= 2; threads++) {
      ours[threads - 1][round] = time_reads(read_cache, threads);
      theirs[threads - 1][round] = time_reads(read_mutex, threads);
    }
  }
  printf("a token from the cache (%zu bytes), ns a read on each thread:\n", mutex_len);
  for (int i = 0; i < 2; i++) {
    double mine = bench_median(ours[i], ROUNDS), other = bench_median(theirs[i], ROUNDS);
    printf("  %d thread%s     cache %6.1f   mutex and copy %6.1f   ratio %.2f\n", i + 1,
           i == 0 ? " " : "s", mine, other, mine / other);
  }
  psprobe_credentials_free(credentials);
}

/* ---- signing ---- */

static psp_signer *signer;
static EVP_PKEY *private_key, *public_key;
static const char *private_pem, *public_pem;

static void sign_ours(void) {
  psp_buf claims = {0};
  psp_secret jwt = {0};
  psp_claims_self_signed(&claims, "prober@project.iam.gserviceaccount.com",
                         "https://pubsub.googleapis.com/", NULL, 1800000000);
  bench_need(psp_signer_jwt(signer, claims.data, &jwt, NULL) == PSPROBE_OK, "cannot sign");
  psp_secret_free(&jwt);
  psp_buf_free(&claims);
}

static void sign_bytes(EVP_PKEY *key) {
  unsigned char signature[512];
  size_t len = sizeof signature;
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bench_need(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                 EVP_DigestSign(context, signature, &len, (const unsigned char *)"x", 1) == 1,
             "OpenSSL cannot sign");
  EVP_MD_CTX_free(context);
}

static void sign_openssl(void) {
  sign_bytes(private_key);
}

static void sign_openssl_pem(void) {
  BIO *bio = BIO_new_mem_buf(private_pem, -1);
  EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
  sign_bytes(key);
  EVP_PKEY_free(key);
  BIO_free(bio);
}

static void sign_libjwt(void) {
  jwt_t *jwt;
  jwt_new(&jwt);
  jwt_set_alg(jwt, JWT_ALG_RS256, (const unsigned char *)private_pem, (int)strlen(private_pem));
  jwt_add_grant(jwt, "iss", "prober@project.iam.gserviceaccount.com");
  jwt_add_grant(jwt, "sub", "prober@project.iam.gserviceaccount.com");
  jwt_add_grant(jwt, "aud", "https://pubsub.googleapis.com/");
  jwt_add_grant_int(jwt, "iat", 1800000000);
  jwt_add_grant_int(jwt, "exp", 1800003600);
  char *text = jwt_encode_str(jwt);
  bench_need(text != NULL, "libjwt cannot sign");
  free(text);
  jwt_free(jwt);
}

/* ---- verifying ---- */

static char *token;
static psp_jwks *keys;
static char *key_set;
static unsigned char token_signature[512];
static size_t signed_len, token_signature_len;

static void verify_again(void) {
  psp_idtoken_rules rules = {.audience = "https://me", .leeway_s = 60};
  bench_need(
      psp_idtoken_check(token, strlen(token), keys, &rules, 1800000000, NULL) == PSP_IDTOKEN_GOOD,
      "a good token was refused");
}

/* The set is made anew each time, which is a small part: a token that it has not seen. */
static void verify_first(void) {
  psp_jwks *known = keys;
  bench_need(psp_jwks_parse(key_set, strlen(key_set), &keys, NULL) == PSPROBE_OK, "no keys");
  verify_again();
  psp_jwks_unref(keys);
  keys = known;
}

static void verify_openssl(void) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bench_need(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, public_key) == 1 &&
                 EVP_DigestVerify(context, token_signature, token_signature_len,
                                  (const unsigned char *)token, signed_len) == 1,
             "OpenSSL refuses");
  EVP_MD_CTX_free(context);
}

static void verify_libjwt(void) {
  jwt_t *jwt = NULL;
  bench_need(
      jwt_decode(&jwt, token, (const unsigned char *)public_pem, (int)strlen(public_pem)) == 0,
      "libjwt refuses");
  jwt_free(jwt);
}

/* ---- rounds of both ---- */

typedef struct contender {
  const char *name;
  void (*run)(void);
  double us[ROUNDS];
} contender;

static void compare(contender *all, size_t count, int times) {
  for (int round = 0; round < ROUNDS; round++) {
    for (size_t i = 0; i < count; i++) {
      int64_t from = now_ns();
      for (int k = 0; k < times; k++)
        all[i].run();
      all[i].us[round] = (double)(now_ns() - from) / times / 1000;
    }
  }
  double base = 0;
  for (size_t i = 0; i < count; i++) {
    double us = bench_median(all[i].us, ROUNDS);
    if (i == 0) base = us;
    printf("  %-52s %7.1f us %8.0f /s   ratio %.2f\n", all[i].name, us, 1e6 / us, us / base);
  }
}

static void bench_sign(void) {
  private_pem = test_key_pem(TEST_KEY_RSA);
  BIO *bio = BIO_new_mem_buf(private_pem, -1);
  private_key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
  BIO_free(bio);
  bench_need(psp_signer_new(private_pem, "kid", "key", &signer, NULL) == PSPROBE_OK, "no signer");
  contender all[] = {
      {.name = "OpenSSL's own RSA-2048 signature, key kept open", .run = sign_openssl},
      {.name = "a self-signed JWT", .run = sign_ours},
      {.name = "OpenSSL's own, key from PEM for it alone", .run = sign_openssl_pem},
      {.name = "libjwt alone (which does that)", .run = sign_libjwt},
  };
  puts("signing:");
  compare(all, sizeof all / sizeof *all, SIGNS);
  psp_signer_free(signer);
  EVP_PKEY_free(private_key);
}

static void bench_verify(void) {
  public_pem = test_key_public(TEST_KEY_RSA);
  BIO *bio = BIO_new_mem_buf(public_pem, -1);
  public_key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
  BIO_free(bio);
  token = test_jwt(TEST_KEY_RSA, "bde971a5a3871c4ed8fe897362e5762392249f66",
                   "{\"aud\":\"https://me\",\"azp\":\"113774264463038321964\",\"email\":"
                   "\"pusher@my-project.iam.gserviceaccount.com\",\"email_verified\":true,\"exp\":"
                   "1800003000,\"iat\":1799999400,\"iss\":\"https://accounts.google.com\",\"sub\":"
                   "\"113774264463038321964\"}");
  key_set = test_jwks(TEST_KEY_RSA, "bde971a5a3871c4ed8fe897362e5762392249f66");
  bench_need(psp_jwks_parse(key_set, strlen(key_set), &keys, NULL) == PSPROBE_OK, "no keys");
  signed_len = (size_t)(strrchr(token, '.') - token);
  psp_buf signature = {0};
  bench_need(psp_base64_decode(&signature, token + signed_len + 1, strlen(token) - signed_len - 1),
             "no signature");
  memcpy(token_signature, signature.data, signature.len);
  token_signature_len = signature.len;
  psp_buf_free(&signature);
  contender all[] = {
      {.name = "OpenSSL's own RSA-2048 verification", .run = verify_openssl},
      {.name = "an ID token by every rule, shown again", .run = verify_again},
      {.name = "an ID token by every rule, first seen (new key set)", .run = verify_first},
      {.name = "libjwt alone, the signature", .run = verify_libjwt},
  };
  puts("verifying:");
  compare(all, sizeof all / sizeof *all, VERIFIES);
  free(token);
  free(key_set);
  psp_jwks_unref(keys);
  EVP_PKEY_free(public_key);
}

int main(void) {
  bench_cache();
  bench_sign();
  bench_verify();
  return 0;
}
