/* SPDX-License-Identifier: MIT */
#include "http/client/dial.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/text.h"
#include "http/client/handle.h"
#include "http/client/transport.h"
#include "http/url.h"

struct psp_dial {
  CURLM *multi;
  CURL *easy;
  bool added;
  char cause[CURL_ERROR_SIZE];
  char target[280];
};

/* The proxy of the environment: for TLS https_proxy, whatever case, as curl has it for https URLs;
 * ours is an http one, since TLS is not curl's here. "": none. */
static const char *proxy(const char *url, bool tls) {
  const char *names[] = {tls ? "https_proxy" : "http_proxy", tls ? "HTTPS_PROXY" : NULL,
                         "all_proxy", "ALL_PROXY"};
  if (psp_http_url_is_loopback(url)) return "";
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *value = names[i] != NULL ? getenv(names[i]) : NULL;
    if (value != NULL && *value != 0) return value;
  }
  return "";
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)arg, (void)purpose;
  int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static bool set(psp_dial *dial, const char *url, const char *by, int64_t timeout_ns) {
  CURL *easy = dial->easy;
  psp_handle_settle(easy);
  curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(timeout_ns / 1000000 + 1));
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, dial->cause);
  return curl_easy_setopt(easy, CURLOPT_PROXY, by) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK;
}

psprobe_code psp_dial_begin(const char *target, bool tls, int64_t timeout_ns, psp_dial **dial,
                            psprobe_error *error) {
  char url[300];
  snprintf(url, sizeof url, "http://%s", target);
  const char *by = proxy(url, tls);
  /* Its TLS would be curl's, and what we read from the socket not ours. */
  if (strncasecmp(by, "https:", 6) == 0)
    return psp_fail(error, PSPROBE_UNIMPLEMENTED,
                    "connecting to %s: the environment's proxy is an https:// one: http:// and "
                    "socks5h:// are what gRPC can go through",
                    target);
  psp_dial *made = psp_http_begin() ? calloc(1, sizeof *made) : NULL;
  bool ok = made != NULL &&
            (size_t)snprintf(made->target, sizeof made->target, "%s", target) < sizeof made->target;
  if (ok) {
    made->multi = curl_multi_init();
    made->easy = curl_easy_init();
    ok = made->multi != NULL && made->easy != NULL && set(made, url, by, timeout_ns) &&
         curl_multi_add_handle(made->multi, made->easy) == CURLM_OK;
    made->added = ok;
  }
  if (ok) {
    *dial = made;
    return PSPROBE_OK;
  }
  psp_dial_free(made);
  return psp_fail_memory(error, "a connection");
}

/* What curl says of a proxy's URL could show the password in it. */
static psp_dial_state fail(const psp_dial *dial, CURLcode result, psprobe_error *error) {
  long number = 0;
  curl_easy_getinfo(dial->easy, CURLINFO_OS_ERRNO, &number);
  const char *cause = dial->cause[0] != 0 ? dial->cause : curl_easy_strerror(result);
  if (result == CURLE_COULDNT_RESOLVE_PROXY || psp_text_starts(cause, "Unsupported proxy"))
    cause = "cannot use the proxy that the environment names";
  psprobe_code code = result == CURLE_OUT_OF_MEMORY   ? PSPROBE_RESOURCE_EXHAUSTED
                      : result == CURLE_URL_MALFORMAT ? PSPROBE_INVALID_ARGUMENT
                                                      : PSPROBE_UNAVAILABLE;
  if (result == CURLE_COULDNT_CONNECT && number != 0)
    psp_fail(error, code, "connecting to %s: %s (%s)", dial->target, cause, strerror((int)number));
  else
    psp_fail(error, code, "connecting to %s: %s", dial->target, cause);
  return PSP_DIAL_FAILED;
}

/* The socket is duplicated, so that curl may close what is its own. */
static psp_dial_state take(const psp_dial *dial, int *fd, psprobe_error *error) {
  curl_socket_t socket = CURL_SOCKET_BAD;
  curl_easy_getinfo(dial->easy, CURLINFO_ACTIVESOCKET, &socket);
  *fd = socket != CURL_SOCKET_BAD ? fcntl(socket, F_DUPFD_CLOEXEC, 0) : -1;
  if (*fd >= 0) return PSP_DIALED;
  psp_fail(error, PSPROBE_UNAVAILABLE, "connecting to %s: %s", dial->target,
           socket != CURL_SOCKET_BAD ? strerror(errno) : "the connection was lost at once");
  return PSP_DIAL_FAILED;
}

psp_dial_state psp_dial_wait(psp_dial *dial, struct pollfd *others, size_t count, int timeout_ms,
                             int *fd, psprobe_error *error) {
  struct curl_waitfd waits[8];
  int running, left;
  CURLMsg *message;
  /* Those beyond are waited for a little, all the same. */
  size_t n = count < sizeof waits / sizeof *waits ? count : sizeof waits / sizeof *waits;
  curl_multi_perform(dial->multi, &running);
  for (size_t i = 0; i < n; i++)
    waits[i] = (struct curl_waitfd){.fd = others[i].fd, .events = others[i].events};
  if (running > 0) curl_multi_poll(dial->multi, waits, (unsigned)n, timeout_ms, NULL);
  poll(others, count, 0);
  curl_multi_perform(dial->multi, &running);
  while ((message = curl_multi_info_read(dial->multi, &left)) != NULL)
    if (message->msg == CURLMSG_DONE)
      return message->data.result == CURLE_OK ? take(dial, fd, error)
                                              : fail(dial, message->data.result, error);
  return PSP_DIALING;
}

void psp_dial_free(psp_dial *dial) {
  if (dial == NULL) return;
  if (dial->added) curl_multi_remove_handle(dial->multi, dial->easy);
  curl_easy_cleanup(dial->easy);
  curl_multi_cleanup(dial->multi);
  free(dial);
}
