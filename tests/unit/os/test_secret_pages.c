/* SPDX-License-Identifier: MIT */
/**
 * @file
 * That secrets stay where they belong: every page of the process that a core dump would hold is
 * searched for them.
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "auth/credentials.h"
#include "keys.h"
#include "os/secret.h"

/* A secret to look for, kept in a form that the search does not find itself. */
typedef struct needle {
  unsigned char hidden[64];
  size_t len;
} needle;

static needle hide(const void *secret, size_t len) {
  needle n = {.len = len < 64 ? len : 64};
  for (size_t i = 0; i < n.len; i++)
    n.hidden[i] = (unsigned char)(((const unsigned char *)secret)[i] ^ 0xa5);
  return n;
}

static size_t count_in(const unsigned char *from, const unsigned char *to, const needle *n) {
  size_t count = 0;
  for (; to - from >= (ptrdiff_t)n->len; from++) {
    size_t i = 0;
    while (i < n->len && (from[i] ^ 0xa5) == n->hidden[i])
      i++;
    count += i == n->len;
  }
  return count;
}

/* How often it is in the process's memory: in what a core dump holds, and in what it leaves out. */
static void search(const needle *n, size_t *dumped, size_t *left_out) {
  FILE *maps = fopen("/proc/self/smaps", "re");
  int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  assert_non_null(maps);
  assert_true(memory >= 0);
  *dumped = *left_out = 0;
  char line[512], rights[8] = "";
  unsigned long from = 0, to = 0;
  while (fgets(line, sizeof line, maps) != NULL) {
    unsigned long a, b;
    char r[8];
    if (sscanf(line, "%lx-%lx %7s", &a, &b, r) == 3 && strchr("rwxp-s", r[0]) != NULL) {
      from = a;
      to = b;
      strcpy(rights, r);
    }
    if (strncmp(line, "VmFlags:", 8) != 0 || rights[0] != 'r' || rights[1] != 'w') continue;
    size_t len = to - from;
    unsigned char *copy =
        mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(copy, MAP_FAILED);
    ssize_t got = pread(memory, copy, len, (off_t)from);
    size_t found = got > 0 ? count_in(copy, copy + got, n) : 0;
    munmap(copy, len);
    *(strstr(line, " dd") != NULL ? left_out : dumped) += found;
  }
  close(memory);
  fclose(maps);
}

static void test_pages(void **state) {
  (void)state;
  psp_secret secret = {0};
  static const char text[] = "3f8a2c71-this-is-a-secret-text-of-the-test";
  psp_secret_add(&secret, text, 20);
  psp_secret_add(&secret, text + 20, sizeof text - 21);
  needle n = hide(secret.data, secret.len);
  size_t dumped, left_out;
  search(&n, &dumped, &left_out);
  assert_int_equal(left_out, 1);       /* so the search does find things */
  psp_secret_reserve(&secret, 100000); /* it moves, and leaves nothing behind */
  search(&n, &dumped, &left_out);
  assert_int_equal(left_out, 1);
  psp_secret_reset(&secret);
  search(&n, &dumped, &left_out);
  assert_int_equal(left_out, 0);
  psp_secret_free(&secret);
}

static void on_ready(void *arg, const psprobe_error *error) {
  assert_null(error);
  sem_post(arg);
}

/* The private numbers as OpenSSL keeps them: least significant word first. */
static needle private_number(const char *pem, const char *name) {
  BIO *bio = BIO_new_mem_buf(pem, -1);
  EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
  BIGNUM *number = NULL;
  assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
  unsigned char bytes[256];
  int len = BN_bn2lebinpad(number, bytes, BN_num_bytes(number));
  needle n = hide(bytes + 32, (size_t)len - 64 < 64 ? (size_t)len - 64 : 64);
  explicit_bzero(bytes, sizeof bytes);
  BN_clear_free(number);
  EVP_PKEY_free(key);
  BIO_free(bio);
  return n;
}

/* A program with a key file that has signed a token: nothing of the key is in anything that a core
 * dump would show, and no copy of the token that is ours. libjwt leaves one, of the signature, in
 * memory that it has freed (1.10.2 can't be told to wipe): a token lives for an hour, and programs
 * of ours have no core dumps at all (psprobe_cli_parse). */
static void test_nothing_in_a_core_dump(void **state) {
  (void)state;
  test_auth_environment();
  const char *const names[] = {"d", "rsa-factor1", "rsa-factor2"};
  needle needles[5];
  char *text = test_service_account(NULL, "");
  const char *path = test_write(test_directory(), "adc.json", 0600, text);
  const char *pem = test_key_pem(TEST_KEY_RSA);
  needles[0] = hide(pem + 200, 64);
  for (int i = 0; i < 3; i++)
    needles[1 + i] = private_number(pem, names[i]);
  explicit_bzero(text, strlen(text));
  free(text);
  test_keys_forget();

  psprobe_credentials_options options = {.file = path};
  psprobe_credentials *c;
  psprobe_error error;
  if (psprobe_credentials_new(&options, &c, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  sem_t ready;
  sem_init(&ready, 0, 0);
  psp_token_waiter waiter = {.ready = on_ready, .arg = &ready};
  assert_int_equal(psp_credentials_wait(c, PSP_PUBSUB, &waiter, NULL), PSPROBE_OK);
  sem_wait(&ready);
  sem_destroy(&ready);
  psp_secret token = {0};
  psp_secret_reserve(&token, 4000);
  uint64_t generation;
  token.len = psp_token_slot_authorization(c, psp_credentials_slot(c, PSP_PUBSUB), token.data,
                                           token.cap, &generation);
  assert_true(token.len > 400 && token.len < token.cap);
  needles[4] = hide(token.data + token.len - 70, 64); /* the signature's end */
  psp_secret_free(&token);
  static const char *const what[] = {"the key's text", "d", "p", "q", "the token"};
  static const size_t allowed[] = {0, 0, 0, 0, 1};
  for (int i = 0; i < 5; i++) {
    size_t dumped = SIZE_MAX, left_out = 0;
    for (int tries = 0; dumped > allowed[i] && tries < 500; tries++)
      search(&needles[i], &dumped, &left_out);
    if (dumped > allowed[i])
      fail_msg("%s is in memory that a core dump shows, %zu times", what[i], dumped);
    /* What is in use is somewhere: the key's text and the token are. */
    if (i == 0 || i == 4) assert_true(left_out >= 1);
  }
  psprobe_credentials_free(c);
  for (int i = 0; i < 5; i++) {
    size_t dumped, left_out;
    search(&needles[i], &dumped, &left_out);
    assert_int_equal(left_out, 0);
    assert_true(dumped <= allowed[i]);
  }
}

int main(void) {
  if (!psprobe_wipe_freed_memory()) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pages),
      cmocka_unit_test(test_nothing_in_a_core_dump),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
