/* SPDX-License-Identifier: MIT */
#include "auth/jwt_sign.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "auth/rsa_key.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

struct psp_signer {
  psp_rsa_key numbers; /* least significant byte first, as OSSL_PARAM wants them */
  EVP_PKEY *key;       /* NULL at rest */
  psp_buf header;      /* base64url, with its dot */
  char *what;
};

static void reverse(unsigned char *bytes, size_t len) {
  for (size_t i = 0; i < len / 2; i++) {
    unsigned char swap = bytes[i];
    bytes[i] = bytes[len - 1 - i];
    bytes[len - 1 - i] = swap;
  }
}

static bool make_header(psp_signer *signer, const char *key_id) {
  psp_buf json = {0};
  psp_json_writer w = {.buf = &json};
  psp_json_begin_object(&w);
  psp_json_put_key(&w, "alg");
  psp_json_put_string(&w, "RS256");
  psp_json_put_key(&w, "typ");
  psp_json_put_string(&w, "JWT");
  if (key_id != NULL) {
    psp_json_put_key(&w, "kid");
    psp_json_put_string(&w, key_id);
  }
  psp_json_end_object(&w);
  if (!json.failed) psp_base64url_encode(&signer->header, json.data, json.len);
  psp_buf_char(&signer->header, '.');
  bool good = !json.failed && !signer->header.failed;
  psp_buf_free(&json);
  return good;
}

psprobe_code psp_signer_new(const char *pem, const char *key_id, const char *what,
                            psp_signer **signer, psprobe_error *error) {
  psp_signer *made = calloc(1, sizeof *made);
  if (made == NULL) return psp_fail_memory(error, what);
  psprobe_code code = psp_rsa_key_parse(pem, what, &made->numbers, error);
  made->what = psp_strdup(what);
  if (code == PSPROBE_OK && (made->what == NULL || !make_header(made, key_id)))
    code = psp_fail_memory(error, what);
  if (code != PSPROBE_OK) {
    psp_signer_free(made);
    return code;
  }
  for (int i = 0; i < PSP_RSA_NUMBERS; i++)
    reverse((unsigned char *)made->numbers.bytes.data + made->numbers.at[i], made->numbers.len[i]);
  *signer = made;
  return PSPROBE_OK;
}

void psp_signer_free(psp_signer *signer) {
  if (signer == NULL) return;
  psp_signer_rest(signer);
  psp_rsa_key_free(&signer->numbers);
  psp_buf_free(&signer->header);
  free(signer->what);
  free(signer);
}

void psp_signer_rest(psp_signer *signer) {
  EVP_PKEY_free(signer->key); /* OpenSSL clears the numbers */
  signer->key = NULL;
}

static bool open_key(psp_signer *signer) {
  if (signer->key != NULL) return true;
  static const char *const names[PSP_RSA_NUMBERS] = {
      OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,           OSSL_PKEY_PARAM_RSA_D,
      OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,     OSSL_PKEY_PARAM_RSA_EXPONENT1,
      OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
  OSSL_PARAM params[PSP_RSA_NUMBERS + 1];
  psp_rsa_key *n = &signer->numbers;
  for (int i = 0; i < PSP_RSA_NUMBERS; i++)
    params[i] =
        OSSL_PARAM_construct_BN(names[i], (unsigned char *)n->bytes.data + n->at[i], n->len[i]);
  params[PSP_RSA_NUMBERS] = OSSL_PARAM_construct_end();
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
  bool good = context != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
              EVP_PKEY_fromdata(context, &signer->key, EVP_PKEY_KEYPAIR, params) == 1;
  EVP_PKEY_CTX_free(context);
  return good;
}

static bool sign(EVP_PKEY *key, const char *text, size_t text_len, unsigned char *signature,
                 size_t *len) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool good = context != NULL && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestSign(context, signature, len, (const unsigned char *)text, text_len) == 1;
  EVP_MD_CTX_free(context);
  return good;
}

/* Adds header, dot, claims, dot and signature. */
static psprobe_code add_jwt(psp_signer *signer, const char *claims, size_t len, psp_secret *jwt,
                            psprobe_error *error) {
  unsigned char signature[PSP_RSA_MAX_BITS / 8];
  size_t signature_len = sizeof signature, from = jwt->len;
  psp_secret_reserve(jwt, signer->header.len + 2 * len + 2 * sizeof signature);
  psp_secret_add(jwt, signer->header.data, signer->header.len);
  psp_secret_base64url(jwt, claims, len);
  if (jwt->failed) return psp_fail_memory(error, signer->what);
  if (!open_key(signer) ||
      !sign(signer->key, jwt->data + from, jwt->len - from, signature, &signature_len))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "%s cannot sign: its numbers do not fit together", signer->what);
  psp_secret_text(jwt, ".");
  psp_secret_base64url(jwt, signature, signature_len);
  explicit_bzero(signature, signature_len);
  return jwt->failed ? psp_fail_memory(error, signer->what) : PSPROBE_OK;
}

psprobe_code psp_signer_jwt(psp_signer *signer, const char *claims, size_t len, psp_secret *jwt,
                            psprobe_error *error) {
  size_t before = jwt->len;
  psprobe_code code = add_jwt(signer, claims, len, jwt, error);
  if (code != PSPROBE_OK && jwt->len > before) {
    explicit_bzero(jwt->data + before, jwt->len - before);
    jwt->len = before;
  }
  return code;
}
