/* SPDX-License-Identifier: MIT */
#include "tls_server.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <cmocka.h>

#include "raw_server.h"

struct tls_server {
  raw_server *raw;
  SSL_CTX *context;
  tls_answer *answer;
  void *arg;
  char ca_file[64];
  atomic_int handshakes;
  atomic_bool offered_h2;
};

static void need(bool ok, const char *what) {
  if (!ok) fail_msg("%s: %s", what, ERR_reason_error_string(ERR_peek_last_error()));
}

static void extend(X509 *certificate, X509 *issuer, int which, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, which, value);
  need(extension != NULL && X509_add_ext(certificate, extension, -1), "certificate extension");
  X509_EXTENSION_free(extension);
}

/* A certificate for `key`, signed with `issuer_key`; without an issuer it is its own. */
static X509 *certify(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *issuer_key) {
  static atomic_int serial = 1;
  X509 *made = X509_new();
  X509_NAME *subject = X509_get_subject_name(made);
  X509_set_version(made, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made), serial++);
  X509_gmtime_adj(X509_getm_notBefore(made), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made), 3600);
  X509_set_pubkey(made, key);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
  X509_set_issuer_name(made, X509_get_subject_name(issuer != NULL ? issuer : made));
  if (issuer != NULL) {
    extend(made, issuer, NID_subject_alt_name, name);
    extend(made, issuer, NID_basic_constraints, "critical,CA:FALSE");
  } else {
    extend(made, made, NID_basic_constraints, "critical,CA:TRUE");
    extend(made, made, NID_key_usage, "critical,keyCertSign");
  }
  need(X509_sign(made, issuer_key, EVP_sha256()) > 0, "signature");
  return made;
}

static void write_ca(tls_server *s, X509 *ca) {
  snprintf(s->ca_file, sizeof s->ca_file, "/tmp/psprobe-test-ca-XXXXXX");
  int fd = mkstemp(s->ca_file);
  FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
  need(file != NULL && PEM_write_X509(file, ca), "CA file");
  fclose(file);
}

/* Picks HTTP/1.1 and notes whether HTTP/2 was there to choose. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned len, void *arg) {
  tls_server *s = arg;
  (void)ssl;
  for (unsigned i = 0; i < len; i += offered[i] + 1u) {
    if (offered[i] == 2 && memcmp(offered + i + 1, "h2", 2) == 0) s->offered_h2 = true;
    if (offered[i] == 8 && memcmp(offered + i + 1, "http/1.1", 8) == 0) {
      *out = offered + i + 1;
      *out_len = 8;
    }
  }
  return *out_len ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static void prepare(tls_server *s, const char *names) {
  EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
  static atomic_int nth;
  char authority[64]; /* a name of its own, or another's would seem to be this one's issuer */
  snprintf(authority, sizeof authority, "psprobe test authority %d", ++nth);
  X509 *ca = certify(ca_key, authority, NULL, ca_key);
  X509 *certificate = certify(key, names, ca, ca_key);
  write_ca(s, ca);
  s->context = SSL_CTX_new(TLS_server_method());
  need(s->context != NULL && SSL_CTX_use_certificate(s->context, certificate) == 1 &&
           SSL_CTX_use_PrivateKey(s->context, key) == 1,
       "server certificate");
  SSL_CTX_set_alpn_select_cb(s->context, choose_protocol, s);
  X509_free(ca);
  X509_free(certificate);
  EVP_PKEY_free(ca_key);
  EVP_PKEY_free(key);
}

static bool read_request(SSL *ssl, psp_buf *head, psp_buf *body) {
  char byte;
  psp_buf_reset(head);
  psp_buf_reset(body);
  psp_buf_text(body, "");
  while (head->len < 4 || memcmp(head->data + head->len - 4, "\r\n\r\n", 4) != 0) {
    if (SSL_read(ssl, &byte, 1) != 1) return false;
    psp_buf_char(head, byte);
  }
  const char *length = strcasestr(head->data, "\r\ncontent-length:");
  for (long left = length != NULL ? atol(length + 17) : 0; left > 0; left--) {
    if (SSL_read(ssl, &byte, 1) != 1) return false;
    psp_buf_char(body, byte);
  }
  return true;
}

static void talk(void *arg, int fd, int nth) {
  tls_server *s = arg;
  SSL *ssl = SSL_new(s->context);
  psp_buf head = {0}, body = {0}, answer = {0};
  (void)nth;
  /* OpenSSL writes without MSG_NOSIGNAL. In this thread alone: the client must need no such thing.
   */
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, NULL);
  SSL_set_fd(ssl, fd);
  if (SSL_accept(ssl) == 1) {
    bool first = true;
    while (read_request(ssl, &head, &body)) {
      /* In TLS 1.3 only data tells that the client, too, was content. */
      if (first) s->handshakes++;
      first = false;
      psp_buf_reset(&answer);
      s->answer(s->arg, head.data, body.data, &answer);
      if (SSL_write(ssl, answer.data, (int)answer.len) <= 0) break;
    }
  }
  SSL_free(ssl);
  ERR_clear_error();
  psp_buf_free(&head);
  psp_buf_free(&body);
  psp_buf_free(&answer);
}

tls_server *tls_server_start(const char *names, tls_answer *answer, void *arg) {
  tls_server *s = calloc(1, sizeof *s);
  need(s != NULL, "memory");
  s->answer = answer;
  s->arg = arg;
  prepare(s, names);
  s->raw = raw_server_start(talk, s);
  return s;
}

void tls_server_stop(tls_server *s) {
  raw_server_stop(s->raw);
  SSL_CTX_free(s->context);
  unlink(s->ca_file);
  free(s);
}

int tls_server_port(const tls_server *s) {
  return raw_server_port(s->raw);
}
const char *tls_server_ca_file(const tls_server *s) {
  return s->ca_file;
}
int tls_server_handshakes(tls_server *s) {
  return s->handshakes;
}
bool tls_server_was_offered_h2(tls_server *s) {
  return s->offered_h2;
}
