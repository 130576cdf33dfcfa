/* SPDX-License-Identifier: MIT */
#include "auth/rsa_key.h"

#include <string.h>

#include "base/error.h"

/*
 * OpenSSL could read the text itself, but its decoders leave copies of the key behind in freed
 * memory, and ask for a pass phrase on the terminal when the key is encrypted. What is needed is
 * little: base64, and nine integers in DER.
 */
typedef struct der {
  const unsigned char *p, *end;
} der;

/* One element of type `tag`; its contents to `inner`. */
static bool take(der *d, unsigned char tag, der *inner) {
  if (d->end - d->p < 2 || *d->p != tag) return false;
  size_t len = d->p[1];
  d->p += 2;
  if (len >= 0x80) {
    size_t bytes = len & 0x7f;
    if (bytes == 0 || bytes > 3 || (size_t)(d->end - d->p) < bytes) return false;
    len = 0;
    while (bytes-- > 0)
      len = len << 8 | *d->p++;
  }
  if ((size_t)(d->end - d->p) < len) return false;
  inner->p = d->p;
  inner->end = d->p += len;
  return true;
}

/* A positive INTEGER without its leading zeros, or zero with length 0. */
static bool take_number(der *d, const unsigned char **at, size_t *len) {
  der number;
  if (!take(d, 0x02, &number) || number.p == number.end || (*number.p & 0x80) != 0) return false;
  while (number.p < number.end && *number.p == 0)
    number.p++;
  *at = number.p;
  *len = (size_t)(number.end - number.p);
  return true;
}

/* PrivateKeyInfo: SEQUENCE { INTEGER 0, SEQUENCE { OID, … }, OCTET STRING { key } }. Moves `d` into
 * the key. NULL: good, else what is wrong. */
static const char *open_pkcs8(der *d) {
  static const unsigned char rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
  der info, version, algorithm, oid, key;
  if (!take(d, 0x30, &info) || !take(&info, 0x02, &version) || !take(&info, 0x30, &algorithm) ||
      !take(&algorithm, 0x06, &oid) || !take(&info, 0x04, &key))
    return "is no PKCS#8 private key (cut short?)";
  if ((size_t)(oid.end - oid.p) != sizeof rsa || memcmp(oid.p, rsa, sizeof rsa) != 0)
    return "is not an RSA key: Google's service accounts have RSA keys";
  *d = key;
  return NULL;
}

static const char *read_numbers(der d, psp_rsa_key *key) {
  static const char broken[] = "is no RSA private key (cut short?)";
  der body;
  const unsigned char *at;
  size_t len;
  if (!take(&d, 0x30, &body) || !take_number(&body, &at, &len) || len != 0) return broken;
  for (int i = 0; i < PSP_RSA_NUMBERS; i++) {
    if (!take_number(&body, &at, &len) || len == 0) return broken;
    key->at[i] = (size_t)(at - (const unsigned char *)key->bytes.data);
    key->len[i] = len;
  }
  at = (const unsigned char *)key->bytes.data + key->at[PSP_RSA_N];
  key->bits = (int)key->len[PSP_RSA_N] * 8;
  for (unsigned char top = *at; (top & 0x80) == 0; top = (unsigned char)(top << 1))
    key->bits--;
  return NULL;
}

static int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The base64 between the two lines; white space is skipped. */
static bool decode(const char *from, const char *to, psp_secret *out) {
  unsigned bits = 0;
  int have = 0;
  if (!psp_secret_reserve(out, (size_t)(to - from))) return false;
  for (; from < to && *from != '='; from++) {
    if (*from == '\n' || *from == '\r' || *from == ' ' || *from == '\t') continue;
    int value = base64_value(*from);
    if (value < 0) return false;
    bits = (bits << 6 | (unsigned)value) & 0xffffff;
    have += 6;
    if (have >= 8) {
      have -= 8;
      unsigned char byte = (unsigned char)(bits >> have);
      psp_secret_add(out, &byte, 1);
    }
  }
  return out->len > 0;
}

static const char *parse(const char *pem, psp_rsa_key *key) {
  static const char begin[] = "-----BEGIN ", dashes[] = "-----";
  const char *label = strstr(pem, begin);
  if (label == NULL) return "is no PEM text (\"-----BEGIN PRIVATE KEY-----\" is missing)";
  label += strlen(begin);
  if (strncmp(label, "ENCRYPTED", 9) == 0 || strstr(pem, "Proc-Type: 4,ENCRYPTED") != NULL)
    return "is encrypted: only an unencrypted key can be used unattended";
  if (strncmp(label, "EC ", 3) == 0 || strncmp(label, "DSA ", 4) == 0)
    return "is not an RSA key: Google's service accounts have RSA keys";
  bool pkcs1 = strncmp(label, "RSA PRIVATE KEY-----", 20) == 0;
  if (!pkcs1 && strncmp(label, "PRIVATE KEY-----", 16) != 0)
    return "is not a private key (\"-----BEGIN PRIVATE KEY-----\" is missing)";
  const char *text = strstr(label, dashes) + strlen(dashes);
  const char *end = strstr(text, "-----END ");
  if (end == NULL) return "is cut short (\"-----END PRIVATE KEY-----\" is missing)";
  if (!decode(text, end, &key->bytes)) return "is not base64 between its two lines";
  der d = {.p = (const unsigned char *)key->bytes.data};
  d.end = d.p + key->bytes.len;
  const char *why = pkcs1 ? NULL : open_pkcs8(&d);
  if (why == NULL) why = read_numbers(d, key);
  if (why != NULL) return why;
  if (key->bits < PSP_RSA_MIN_BITS) return "has fewer than 2048 bits: make a new one";
  if (key->bits > PSP_RSA_MAX_BITS) return "has more than 16384 bits";
  return NULL;
}

psprobe_code psp_rsa_key_parse(const char *pem, const char *what, psp_rsa_key *key,
                               psprobe_error *error) {
  const char *why = parse(pem, key);
  if (key->bytes.failed) return psp_fail_memory(error, what);
  return why == NULL ? PSPROBE_OK : psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s %s", what, why);
}

void psp_rsa_key_free(psp_rsa_key *key) {
  psp_secret_free(&key->bytes);
  *key = (psp_rsa_key){0};
}
