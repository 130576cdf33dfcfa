/* SPDX-License-Identifier: MIT */
#include "grpc/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/shown.h"

struct psp_tls {
  SSL_CTX *context;
};

typedef struct secured {
  psp_link link; /* first */
  SSL *ssl;
  bool ready;
} secured;

static const unsigned char h2[] = {2, 'h', '2'};

psprobe_code psp_tls_new(const char *ca_file, psp_tls **tls, psprobe_error *error) {
  psp_tls *made = calloc(1, sizeof *made);
  if (made != NULL) made->context = SSL_CTX_new(TLS_client_method());
  if (made == NULL || made->context == NULL ||
      SSL_CTX_set_alpn_protos(made->context, h2, sizeof h2) != 0 ||
      SSL_CTX_set_min_proto_version(made->context, TLS1_2_VERSION) != 1) {
    psp_tls_free(made);
    return psp_fail_memory(error, "TLS");
  }
  SSL_CTX_set_verify(made->context, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_mode(made->context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  int rc = ca_file != NULL ? SSL_CTX_load_verify_locations(made->context, ca_file, NULL)
                           : SSL_CTX_set_default_verify_paths(made->context);
  if (rc == 1) {
    *tls = made;
    return PSPROBE_OK;
  }
  psp_tls_free(made);
  ERR_clear_error();
  return psp_setting_refuse(error, "CA file", ca_file != NULL ? ca_file : "(the system's)",
                            "it cannot be read, or holds no certificate");
}

void psp_tls_free(psp_tls *tls) {
  if (tls == NULL) return;
  SSL_CTX_free(tls->context);
  free(tls);
}

/* ---- a link ---- */

/* What OpenSSL says last says most. The certificate's fault goes before it. */
static ssize_t broken(secured *s, const char *doing) {
  long verdict = SSL_get_verify_result(s->ssl);
  unsigned long code = ERR_peek_last_error();
  const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
  s->link.refused = !s->ready && verdict != X509_V_OK;
  if (s->link.refused)
    reason = X509_verify_cert_error_string(verdict);
  else if (reason == NULL)
    reason = errno != 0 ? strerror(errno) : "the connection was cut off";
  snprintf(s->link.why, sizeof s->link.why, "TLS, %s: %s", doing, reason);
  return PSP_LINK_BROKEN;
}

static ssize_t outcome(secured *s, int rc, short *on, const char *doing) {
  switch (SSL_get_error(s->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
      *on = POLLIN;
      return PSP_LINK_AGAIN;
    case SSL_ERROR_WANT_WRITE:
      *on = POLLOUT;
      return PSP_LINK_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
      return s->ready ? 0 : broken(s, doing);
    default:
      return broken(s, doing);
  }
}

/* 1: it is done. Else what read or write is to return. */
static ssize_t shake(secured *s, short *on) {
  const unsigned char *chosen = NULL;
  unsigned len = 0;
  ERR_clear_error();
  errno = 0;
  if (s->ready) return 1;
  int rc = SSL_do_handshake(s->ssl);
  if (rc != 1) return outcome(s, rc, on, "handshake");
  SSL_get0_alpn_selected(s->ssl, &chosen, &len);
  s->ready = len == 2 && memcmp(chosen, "h2", 2) == 0;
  if (s->ready) return 1;
  s->link.foreign = true;
  snprintf(s->link.why, sizeof s->link.why, "TLS: the server does not speak HTTP/2 (ALPN)");
  return PSP_LINK_BROKEN;
}

static ssize_t tls_read(psp_link *link, void *room, size_t size) {
  secured *s = (secured *)link;
  size_t n = 0;
  ssize_t ready = shake(s, &link->read_on);
  if (ready != 1) return ready;
  int rc = SSL_read_ex(s->ssl, room, size, &n);
  link->read_on = POLLIN;
  return rc == 1 ? (ssize_t)n : outcome(s, rc, &link->read_on, "receiving");
}

static ssize_t tls_write(psp_link *link, const void *data, size_t len) {
  secured *s = (secured *)link;
  size_t n = 0;
  ssize_t ready = shake(s, &link->write_on);
  if (ready != 1) return ready;
  int rc = SSL_write_ex(s->ssl, data, len, &n);
  link->write_on = POLLOUT;
  return rc == 1 ? (ssize_t)n : outcome(s, rc, &link->write_on, "sending");
}

static void tls_free(psp_link *link) {
  SSL_free(((secured *)link)->ssl);
  free(link);
}

static const psp_link_kind kind = {tls_read, tls_write, tls_free};

static bool expect(SSL *ssl, const char *host) {
  unsigned char address[16];
  bool is_address =
      inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (is_address) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
  return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

psp_link *psp_tls_link(psp_tls *tls, int fd, const char *host) {
  secured *s = calloc(1, sizeof *s);
  if (s != NULL) s->ssl = SSL_new(tls->context);
  bool ok = s != NULL && s->ssl != NULL && SSL_set_fd(s->ssl, fd) == 1 && expect(s->ssl, host);
  if (!ok) {
    if (s != NULL) SSL_free(s->ssl);
    free(s);
    close(fd);
    return NULL;
  }
  psp_link_init(&s->link, &kind, fd);
  SSL_set_connect_state(s->ssl);
  return &s->link;
}
