/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_RSA_KEY_H
#define PSP_AUTH_RSA_KEY_H
/** @file An RSA private key as it stands in a PEM text: its numbers, in secret memory. Pure. */
#include <psprobe/error.h>

#include "auth/secret.h"

#define PSP_RSA_MIN_BITS 2048
#define PSP_RSA_MAX_BITS 16384

/** In the order of RFC 8017's RSAPrivateKey. */
typedef enum psp_rsa_number {
  PSP_RSA_N,
  PSP_RSA_E,
  PSP_RSA_D,
  PSP_RSA_P,
  PSP_RSA_Q,
  PSP_RSA_DP,
  PSP_RSA_DQ,
  PSP_RSA_QINV,
  PSP_RSA_NUMBERS
} psp_rsa_number;

/** Offsets and lengths within `bytes`, big-endian without leading zeros. */
typedef struct psp_rsa_key {
  psp_secret bytes;
  size_t at[PSP_RSA_NUMBERS], len[PSP_RSA_NUMBERS];
  int bits;
} psp_rsa_key;

/**
 * Reads "BEGIN PRIVATE KEY" (PKCS#8, RFC 5958) or "BEGIN RSA PRIVATE KEY" (PKCS#1, RFC 8017).
 * Encrypted keys, other kinds and fewer than 2048 bits are refused by name.
 *
 * @param what for messages: "credentials file x.json: private_key"
 * @param key zeroed by the caller, who frees it with psp_rsa_key_free also on failure
 */
psprobe_code psp_rsa_key_parse(const char *pem, const char *what, psp_rsa_key *key,
                               psprobe_error *error);
void psp_rsa_key_free(psp_rsa_key *key);

#endif
