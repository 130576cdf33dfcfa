/* SPDX-License-Identifier: MIT */
#include "auth/sources/jwt_sign.h"

#include <stdlib.h>
#include <string.h>

#include <jwt.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/error.h"
#include "base/text.h"

struct psp_signer {
  psp_secret pem;
  char *key_id, *what;
};

/* What can be told from the two lines around the key; NULL: nothing is wrong with them. OpenSSL
 * would say less, and ask for an encrypted key's pass phrase on the terminal. */
static const char *check_lines(const char *pem) {
  static const char begin[] = "-----BEGIN ";
  const char *label = strstr(pem, begin);
  if (label == NULL) return "is no PEM text (\"-----BEGIN PRIVATE KEY-----\" is missing)";
  label += strlen(begin);
  if (strncmp(label, "ENCRYPTED", 9) == 0 || strstr(pem, "Proc-Type: 4,ENCRYPTED") != NULL)
    return "is encrypted: only an unencrypted key can be used unattended";
  if (strncmp(label, "EC ", 3) == 0 || strncmp(label, "DSA ", 4) == 0)
    return "is not an RSA key: Google's service accounts have RSA keys";
  if (strncmp(label, "RSA PRIVATE KEY-----", 20) != 0 &&
      strncmp(label, "PRIVATE KEY-----", 16) != 0)
    return "is not a private key (\"-----BEGIN PRIVATE KEY-----\" is missing)";
  if (strstr(label, "-----END ") == NULL)
    return "is cut short (\"-----END PRIVATE KEY-----\" is missing)";
  return NULL;
}

static int no_pass_phrase(char *buffer, int size, int writing, void *arg) {
  (void)buffer, (void)size, (void)writing, (void)arg;
  return -1;
}

static const char *check_key(const char *pem) {
  BIO *bio = BIO_new_mem_buf(pem, -1);
  EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL) : NULL;
  const char *why = NULL;
  if (key == NULL)
    why = "is no private key that OpenSSL can read (cut short?)";
  else if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
    why = "is not an RSA key: Google's service accounts have RSA keys";
  else if (EVP_PKEY_get_bits(key) < PSP_RSA_MIN_BITS)
    why = "has fewer than 2048 bits: make a new one";
  else if (EVP_PKEY_get_bits(key) > PSP_RSA_MAX_BITS)
    why = "has more than 16384 bits";
  EVP_PKEY_free(key);
  BIO_free(bio);
  ERR_clear_error(); /* else TLS on this thread takes what is left there for its own */
  return why;
}

psprobe_code psp_signer_new(const char *pem, const char *key_id, const char *what,
                            psp_signer **signer, psprobe_error *error) {
  const char *why = check_lines(pem);
  if (why == NULL) why = check_key(pem);
  if (why != NULL) return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s %s", what, why);
  psp_signer *made = calloc(1, sizeof *made);
  if (made == NULL) return psp_fail_memory(error, what);
  psp_secret_text(&made->pem, pem);
  made->key_id = psp_strdup(key_id);
  made->what = psp_strdup(what);
  if (made->pem.failed || made->what == NULL || (key_id != NULL && made->key_id == NULL)) {
    psp_signer_free(made);
    return psp_fail_memory(error, what);
  }
  *signer = made;
  return PSPROBE_OK;
}

void psp_signer_free(psp_signer *signer) {
  if (signer == NULL) return;
  psp_secret_free(&signer->pem);
  free(signer->key_id);
  free(signer->what);
  free(signer);
}

/* The token in libjwt's memory, or NULL. */
static char *sign(const psp_signer *signer, const char *claims) {
  jwt_t *jwt = NULL;
  char *token = NULL;
  if (jwt_new(&jwt) == 0 && jwt_add_grants_json(jwt, claims) == 0 &&
      (signer->key_id == NULL || jwt_add_header(jwt, "kid", signer->key_id) == 0) &&
      jwt_set_alg(jwt, JWT_ALG_RS256, (const unsigned char *)signer->pem.data,
                  (int)signer->pem.len) == 0)
    token = jwt_encode_str(jwt);
  jwt_free(jwt); /* wipes its copy of the key */
  ERR_clear_error();
  return token;
}

psprobe_code psp_signer_jwt(psp_signer *signer, const char *claims, psp_secret *jwt,
                            psprobe_error *error) {
  char *token = sign(signer, claims);
  if (token == NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "%s cannot sign: libjwt refuses it (its numbers do not fit together?)",
                    signer->what);
  psp_secret_text(jwt, token);
  explicit_bzero(token, strlen(token));
  free(token);
  return jwt->failed ? psp_fail_memory(error, signer->what) : PSPROBE_OK;
}
