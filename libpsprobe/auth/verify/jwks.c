/* SPDX-License-Identifier: MIT */
#include "auth/verify/jwks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <jwt.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/json_view.h"

#define MIN_BITS  2048
#define MAX_BYTES 1024 /* 8192 bits */
#define MAX_KEYS  64
#define KID_SIZE  256

typedef struct jwk {
  char kid[KID_SIZE];
  size_t modulus_len;
  char *pem;
} jwk;

#define DIGEST 32 /* SHA-256 */
#define SEEN   64

struct psp_jwks {
  atomic_uint refs;
  pthread_mutex_t lock; /* guards the tokens found good, the oldest of which makes room */
  unsigned char seen[SEEN][DIGEST];
  size_t seen_next;
  size_t count;
  jwk keys[];
};

/* A big-endian number in base64url, to least significant byte first, without leading zeros. */
static bool read_number(psp_view text, unsigned char out[MAX_BYTES], size_t *len) {
  char encoded[MAX_BYTES * 4 / 3 + 16];
  unsigned char bytes[MAX_BYTES + 8];
  if (!psp_view_string(text, encoded, sizeof encoded)) return false;
  long got = psp_base64url_decode(encoded, strlen(encoded), bytes, sizeof bytes);
  if (got <= 0) return false;
  size_t first = 0;
  while (first < (size_t)got && bytes[first] == 0)
    first++;
  *len = (size_t)got - first;
  if (*len == 0 || *len > MAX_BYTES) return false;
  for (size_t i = 0; i < *len; i++)
    out[i] = bytes[(size_t)got - 1 - i];
  return true;
}

static bool absent_or(psp_view value, const char *text) {
  return value.type == PSP_VIEW_NONE || psp_view_equals(value, text);
}

static bool may_verify(psp_view operations) {
  if (operations.type == PSP_VIEW_NONE) return true;
  psp_view item;
  for (psp_view_cursor c = {0}; psp_view_next(operations, &c, &item);)
    if (psp_view_equals(item, "verify")) return true;
  return false;
}

/* OpenSSL's parameters have numbers in the machine's order. */
static void to_native(unsigned char *number, size_t len) {
  static const uint16_t one = 1;
  if (*(const unsigned char *)&one == 1) return;
  for (size_t i = 0; i < len / 2; i++) {
    unsigned char low = number[i];
    number[i] = number[len - 1 - i];
    number[len - 1 - i] = low;
  }
}

/* The PEM text that libjwt takes, or NULL. */
static char *make_pem(unsigned char *n, size_t n_len, unsigned char *e, size_t e_len) {
  to_native(n, n_len);
  to_native(e, e_len);
  OSSL_PARAM params[] = {OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, n_len),
                         OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e, e_len),
                         OSSL_PARAM_construct_end()};
  EVP_PKEY *key = NULL;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
  BIO *bio = BIO_new(BIO_s_mem());
  char *pem = NULL, *text;
  if (context != NULL && bio != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
      EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) == 1 &&
      PEM_write_bio_PUBKEY(bio, key) == 1) {
    long len = BIO_get_mem_data(bio, &text);
    pem = strndup(text, (size_t)len);
  }
  BIO_free(bio);
  EVP_PKEY_free(key);
  EVP_PKEY_CTX_free(context);
  ERR_clear_error();
  return pem;
}

/* An RSA key for RS256 signatures, of an id. */
static bool is_for_us(psp_view entry, jwk *out) {
  return entry.type == PSP_VIEW_OBJECT && psp_view_equals(psp_view_get(entry, "kty"), "RSA") &&
         psp_view_string(psp_view_get(entry, "kid"), out->kid, sizeof out->kid) &&
         out->kid[0] != 0 && absent_or(psp_view_get(entry, "use"), "sig") &&
         absent_or(psp_view_get(entry, "alg"), "RS256") &&
         may_verify(psp_view_get(entry, "key_ops"));
}

/* Both numbers with their least significant byte first. */
static bool is_strong(const unsigned char *n, size_t n_len, const unsigned char *e, size_t e_len) {
  size_t bits = n_len * 8;
  for (unsigned char top = n[n_len - 1]; (top & 0x80) == 0; top = (unsigned char)(top << 1))
    bits--;
  bool small = e_len == 1 && e[0] < 3;
  return bits >= MIN_BITS && (n[0] & 1) != 0 && (e[0] & 1) != 0 && !small && e_len <= 8;
}

/* One entry; false: it cannot be used. */
static bool read_key(psp_view entry, jwk *out) {
  unsigned char n[MAX_BYTES], e[MAX_BYTES];
  size_t n_len, e_len;
  if (!is_for_us(entry, out) || !read_number(psp_view_get(entry, "n"), n, &n_len) ||
      !read_number(psp_view_get(entry, "e"), e, &e_len) || !is_strong(n, n_len, e, e_len))
    return false;
  out->modulus_len = n_len;
  out->pem = make_pem(n, n_len, e, e_len);
  return out->pem != NULL;
}

psprobe_code psp_jwks_parse(const char *text, size_t len, psp_jwks **set, psprobe_error *error) {
  static const char what[] = "set of public keys";
  psp_view object, entry;
  const char *why;
  if (!psp_view_object(text, len, &object, &why))
    return psp_fail(error, PSPROBE_UNKNOWN, "%s: no proper JSON: %s", what, why);
  psp_view keys = psp_view_get(object, "keys");
  if (keys.type != PSP_VIEW_ARRAY)
    return psp_fail(error, PSPROBE_UNKNOWN, "%s: it has no list \"keys\"", what);
  psp_jwks *made = calloc(1, sizeof *made + MAX_KEYS * sizeof made->keys[0]);
  if (made == NULL) return psp_fail_memory(error, what);
  atomic_init(&made->refs, 1);
  pthread_mutex_init(&made->lock, NULL);
  for (psp_view_cursor c = {0}; made->count < MAX_KEYS && psp_view_next(keys, &c, &entry);)
    if (read_key(entry, &made->keys[made->count])) made->count++;
  if (made->count == 0) {
    psp_jwks_unref(made);
    return psp_fail(error, PSPROBE_UNKNOWN, "%s: no RSA key for RS256 is in it", what);
  }
  *set = made;
  return PSPROBE_OK;
}

psp_jwks *psp_jwks_ref(psp_jwks *set) {
  if (set != NULL) atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
  return set;
}

void psp_jwks_unref(psp_jwks *set) {
  if (set == NULL || atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1) return;
  for (size_t i = 0; i < set->count; i++)
    free(set->keys[i].pem);
  pthread_mutex_destroy(&set->lock);
  free(set);
}

size_t psp_jwks_count(const psp_jwks *set) {
  return set->count;
}

/* libjwt 1.10 takes the algorithm from the token, writes past a buffer when a segment is empty and
 * verifies nothing when the key is: all three have been seen to before it is asked. */
static bool verify(const jwk *key, const char *token, size_t len) {
  char text[PSP_JWKS_TOKEN_MAX + 1];
  jwt_t *jwt = NULL;
  if (len > PSP_JWKS_TOKEN_MAX) return false;
  memcpy(text, token, len);
  text[len] = 0;
  bool good = jwt_decode(&jwt, text, (const unsigned char *)key->pem, (int)strlen(key->pem)) == 0 &&
              jwt_get_alg(jwt) == JWT_ALG_RS256;
  jwt_free(jwt);
  ERR_clear_error();
  return good;
}

static bool is_seen(psp_jwks *set, const unsigned char digest[DIGEST]) {
  bool found = false;
  pthread_mutex_lock(&set->lock);
  for (size_t i = 0; i < SEEN && !found; i++)
    found = memcmp(set->seen[i], digest, DIGEST) == 0;
  pthread_mutex_unlock(&set->lock);
  return found;
}

static void keep_seen(psp_jwks *set, const unsigned char digest[DIGEST]) {
  pthread_mutex_lock(&set->lock);
  memcpy(set->seen[set->seen_next], digest, DIGEST);
  set->seen_next = (set->seen_next + 1) % SEEN;
  pthread_mutex_unlock(&set->lock);
}

psp_signature psp_jwks_verify(psp_jwks *set, const char *kid, const char *token, size_t len,
                              size_t signature_len, bool compute) {
  for (size_t i = 0; i < set->count; i++) {
    const jwk *key = &set->keys[i];
    if (strcmp(key->kid, kid) != 0) continue;
    if (signature_len != key->modulus_len) return PSP_SIGNATURE_LENGTH;
    unsigned char digest[DIGEST];
    bool known = EVP_Digest(token, len, digest, NULL, EVP_sha256(), NULL) == 1;
    if (known && is_seen(set, digest)) return PSP_SIGNATURE_GOOD;
    if (!compute) return PSP_SIGNATURE_NEW;
    if (!verify(key, token, len)) return PSP_SIGNATURE_BAD;
    if (known) keep_seen(set, digest);
    return PSP_SIGNATURE_GOOD;
  }
  return PSP_SIGNATURE_NO_KEY;
}
