/* SPDX-License-Identifier: MIT */
#include "http/client/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/log.h"
#include "http/client/handle.h"
#include "http/url.h"
#include "os/clock.h"

#define DEFAULT_TIMEOUT_NS 60000000000
#define DEFAULT_CONNECT_NS 10000000000
#define DEFAULT_MAX_BODY   ((size_t)32 << 20)
#define MAX_HEAD           ((size_t)256 << 10)
#define SECRET_ROOM        ((size_t)16 << 10)

void psp_transfer_append(psp_transfer_list *list, psp_transfer *t) {
  t->next = NULL;
  if (list->last != NULL)
    list->last->next = t;
  else
    list->first = t;
  list->last = t;
}

psp_transfer *psp_transfer_take(psp_transfer_list *list) {
  psp_transfer *t = list->first;
  if (t != NULL) list->first = t->next;
  if (list->first == NULL) list->last = NULL;
  return t;
}

/* curl tells the head line by line; each answer begins with a status line, and an interim one
 * (100 Continue) is followed by the one that counts. */
static size_t take_head(char *data, size_t size, size_t count, void *arg) {
  psp_transfer *t = arg;
  size_t len = size * count;
  if (len >= 5 && memcmp(data, "HTTP/", 5) == 0) {
    psp_buf_reset(&t->head);
    t->head_whole = false;
  }
  if (*data == '\r' || *data == '\n') t->head_whole = true;
  if (t->head.len + len > MAX_HEAD) t->too_large = true;
  if (!t->too_large) psp_buf_add(&t->head, data, len);
  return t->too_large || t->head.failed ? 0 : len;
}

static bool is_success(const psp_transfer *t) {
  long status = 0;
  curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
  return status >= 200 && status < 300;
}

static size_t take_body(char *data, size_t size, size_t count, void *arg) {
  psp_transfer *t = arg;
  size_t len = size * count;
  if (t->no_response) return len;
  if (t->part != NULL && is_success(t))
    return t->part(t->part_arg, data, len) ? len : CURL_WRITEFUNC_PAUSE;
  if (len > t->max_response - t->body.len) t->too_large = true;
  if (!t->too_large) psp_buf_add(&t->body, data, len);
  return t->too_large || t->body.failed ? 0 : len;
}

static long milliseconds(int64_t ns) {
  int64_t ms = ns / 1000000 + (ns % 1000000 != 0);
  return (long)(ms < 1 ? 1 : ms > INT32_MAX ? INT32_MAX : ms);
}

static void set_protocols(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static bool set_defaults(psp_transfer *t, const psp_transfer_defaults *defaults) {
  CURL *easy = t->easy;
  int64_t connect_ns = defaults->connect_timeout_ns;
  set_protocols(easy);
  psp_handle_settle(easy);
  /* What is asked for is what was meant, also with dots in it: an endpoint that somebody gave. */
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   milliseconds(connect_ns > 0 ? connect_ns : DEFAULT_CONNECT_NS));
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_head);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->cause);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, defaults->open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, defaults->socket_arg);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, defaults->close_socket);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, defaults->socket_arg);
  if (curl_easy_setopt(easy, CURLOPT_USERAGENT, defaults->user_agent) != CURLE_OK) return false;
  if (defaults->ca_file == NULL) return true;
  /* Only the file that was named counts: without the second line the system's directory of
   * certificates would be trusted beside it. */
  return curl_easy_setopt(easy, CURLOPT_CAINFO, defaults->ca_file) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK;
}

psp_transfer *psp_transfer_new(const psp_transfer_defaults *defaults) {
  psp_transfer *t = calloc(1, sizeof *t);
  if (t == NULL) return NULL;
  t->easy = curl_easy_init();
  if (t->easy != NULL && set_defaults(t, defaults)) return t;
  psp_transfer_free(t);
  return NULL;
}

/* Headers hold access tokens, the bodies of some requests and answers worse. */
static void wipe(psp_transfer *t) {
  if (t->request.data != NULL) explicit_bzero(t->request.data, t->request.len);
  if (t->secret && t->body.data != NULL) explicit_bzero(t->body.data, t->body.len);
}

void psp_transfer_free(psp_transfer *t) {
  if (t == NULL) return;
  curl_easy_cleanup(t->easy);
  wipe(t);
  psp_buf_free(&t->request);
  psp_buf_free(&t->head);
  psp_buf_free(&t->body);
  free(t->lines);
  free(t->headers);
  free(t);
}

/* curl counts the times that it had to take a fresh connection because an idle one was dead, and
 * gives up at the sixth. In 7.88 only a reset sets that count back, so that a handle that lives
 * long would fail one day for no reason. */
bool psp_transfer_reset(psp_transfer *t, const psp_transfer_defaults *defaults) {
  wipe(t);
  psp_buf_reuse(&t->request);
  psp_buf_reuse(&t->head);
  psp_buf_reuse(&t->body);
  curl_easy_reset(t->easy);
  return set_defaults(t, defaults);
}

static bool has_header(const psp_http_request *request, const char *name) {
  for (size_t i = 0; i < request->header_count; i++) {
    if (strcasecmp(request->headers[i].name, name) == 0) return true;
  }
  return false;
}

/* The body unless it is kept, a zero, and "name: value" lines, all in one buffer. The list that
 * curl wants points into it; two lines keep curl from adding headers of its own: Expect, which
 * costs a round trip, and Content-Type, which it would make up for a body without one. */
static bool copy_request(psp_transfer *t, const psp_http_request *request) {
  static char no_expect[] = "Expect:", no_type[] = "Content-Type:";
  size_t len = request->body != NULL && !request->body_kept ? request->body_len : 0, need = len + 1;
  for (size_t i = 0; i < request->header_count; i++)
    need += strlen(request->headers[i].name) + strlen(request->headers[i].value) + 3;
  size_t lines = request->header_count + 2;
  if (lines > t->line_capacity) {
    struct curl_slist *grown = realloc(t->lines, lines * sizeof *grown);
    if (grown == NULL) return false;
    t->lines = grown;
    t->line_capacity = lines;
  }
  psp_buf_reset(&t->request);
  if (!psp_buf_reserve(&t->request, need)) return false;
  if (len > 0) psp_buf_add(&t->request, request->body, len);
  psp_buf_char(&t->request, 0);
  size_t used = 0;
  for (size_t i = 0; i < request->header_count; i++) {
    const psp_header *header = &request->headers[i];
    t->lines[used++].data = t->request.data + t->request.len;
    psp_buf_text(&t->request, header->name);
    /* "Name;" is curl's way to say a header without a value. */
    psp_buf_text(&t->request, *header->value ? ": " : ";");
    psp_buf_text(&t->request, header->value);
    psp_buf_char(&t->request, 0);
  }
  t->lines[used++].data = no_expect;
  if (!has_header(request, "content-type")) t->lines[used++].data = no_type;
  for (size_t i = 0; i < used; i++)
    t->lines[i].next = i + 1 < used ? &t->lines[i + 1] : NULL;
  return !t->request.failed;
}

/* curl follows the method from how a body is given; what differs from that is said in words. */
static bool set_method(psp_transfer *t, const psp_http_request *request) {
  const char *method = request->method;
  size_t len = request->body != NULL ? request->body_len : 0;
  bool post = strcmp(method, "POST") == 0;
  bool with_body = len > 0 || post || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
  const char *natural = with_body ? "POST" : "GET";
  curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
  if (with_body) {
    curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS,
                     request->body_kept ? request->body : t->request.data);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
  } else if (strcmp(method, "HEAD") == 0) {
    curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
    natural = "HEAD";
  }
  const char *custom = strcmp(method, natural) == 0 ? NULL : method;
  return curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, custom) == CURLE_OK;
}

/* A connection is there, and the request is about to be sent: also when curl does so once more
 * since a kept connection turned out to be dead under it. */
static int on_begin(void *arg, char *remote, char *local, int remote_port, int local_port) {
  psp_transfer *t = arg;
  (void)remote, (void)local, (void)remote_port, (void)local_port;
  return t->begun++ == 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

bool psp_transfer_prepare(psp_transfer *t, const psp_http_request *request) {
  t->result = CURLE_OK;
  t->cancelled = false;
  t->too_large = t->head_whole = false;
  t->cause[0] = 0;
  t->no_response = request->no_response;
  t->part = request->part;
  t->part_arg = request->part_arg;
  t->once = request->once;
  t->begun = 0;
  t->max_response = request->max_response ? request->max_response : DEFAULT_MAX_BODY;
  const long ms = milliseconds(request->timeout_ns > 0 ? request->timeout_ns : DEFAULT_TIMEOUT_NS);
  t->over_ns = psprobe_clock_monotonic() + ms * PSP_MS_NS;
  size_t shown = strnlen(request->method, sizeof t->method - 1);
  memcpy(t->method, request->method, shown);
  t->method[shown] = 0;
  psp_buf_reset(&t->head);
  psp_buf_reset(&t->body);
  t->secret = request->secret;
  /* Room for any token from the start: a buffer that grows leaves a copy behind. */
  if (t->secret && !psp_buf_reserve(&t->body, SECRET_ROOM)) return false;
  if (!copy_request(t, request) || !set_method(t, request)) return false;
  /* An empty text turns the environment's proxies off. They are never for this machine itself. */
  bool direct = request->no_proxy || psp_http_url_is_loopback(request->url);
  /* Over TLS, many requests at once wait for the first one's handshake and then share its HTTP/2
   * connection, where each would have made a handshake of its own. */
  bool tls = strncasecmp(request->url, "https:", 6) == 0;
  curl_easy_setopt(t->easy, CURLOPT_PIPEWAIT, tls ? 1L : 0L);
  curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->lines);
  curl_easy_setopt(t->easy, CURLOPT_MAXFILESIZE_LARGE,
                   (curl_off_t)(t->no_response || t->part != NULL ? 0 : t->max_response));
  curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, ms);
  curl_easy_setopt(t->easy, CURLOPT_PREREQFUNCTION, t->once ? on_begin : NULL);
  curl_easy_setopt(t->easy, CURLOPT_PREREQDATA, t);
  return curl_easy_setopt(t->easy, CURLOPT_PROXY, direct ? "" : NULL) == CURLE_OK &&
         curl_easy_setopt(t->easy, CURLOPT_URL, request->url) == CURLE_OK;
}

size_t psp_head_split(char *head, psp_header *headers, size_t capacity) {
  size_t count = 0;
  for (char *line = head, *end; *line && count < capacity; line = end) {
    char *next = strchr(line, '\n');
    end = next != NULL ? next + 1 : line + strlen(line);
    if (next != NULL) *next = 0;
    char *colon = strchr(line, ':');
    if (colon == NULL || colon == line) continue; /* the status line, the empty one, nonsense */
    for (char *c = line; c < colon; c++)
      *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    *colon = 0;
    char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t len = strlen(value);
    while (len > 0 && strchr(" \t\r", value[len - 1]) != NULL)
      len--;
    value[len] = 0;
    headers[count++] = (psp_header){line, value};
  }
  return count;
}

static bool split_head(psp_transfer *t, psp_http_response *response) {
  if (t->head.len == 0) return true;
  size_t lines = 0;
  for (const char *c = t->head.data; (c = strchr(c, '\n')) != NULL; c++)
    lines++;
  if (lines + 1 > t->header_capacity) {
    psp_header *grown = realloc(t->headers, (lines + 1) * sizeof *grown);
    if (grown == NULL) return false;
    t->headers = grown;
    t->header_capacity = lines + 1;
  }
  response->headers = t->headers;
  response->header_count = psp_head_split(t->head.data, t->headers, t->header_capacity);
  return true;
}

/* What curl's text says of a proxy's URL could show the password in it. */
static const char *cause_of(const psp_transfer *t) {
  if (t->result == CURLE_COULDNT_RESOLVE_PROXY || strncmp(t->cause, "Unsupported proxy", 17) == 0)
    return "cannot use the proxy that the environment names";
  if (t->result == CURLE_GOT_NOTHING && t->head.len > 0) return "the answer was cut off";
  if (strncmp(t->cause, "Failed to resolve host", 22) == 0 && strstr(t->cause, "timeout") != NULL)
    return "its time was over before it began"; /* which curl finds as it looks for the host */
  if (t->begun > 1) return "the kept connection was closed under it, and it may have been done";
  return t->cause[0] ? t->cause : curl_easy_strerror(t->result);
}

static psprobe_code code_of(const psp_transfer *t) {
  const psprobe_code lost = t->begun > 0 ? PSPROBE_UNKNOWN : PSPROBE_UNAVAILABLE;
  switch (t->result) {
    case CURLE_OPERATION_TIMEDOUT:
      /* The connect timeout's, too, before that. Without a connection curl's own time is none. */
      return psprobe_clock_monotonic() >= t->over_ns ? PSPROBE_DEADLINE_EXCEEDED : lost;
    case CURLE_OUT_OF_MEMORY:
      return PSPROBE_RESOURCE_EXHAUSTED;
    case CURLE_URL_MALFORMAT:
      return PSPROBE_INVALID_ARGUMENT;
    case CURLE_SSL_CONNECT_ERROR:
      /* Also what a connection is called that breaks during the handshake. */
      return strstr(t->cause, "SSL_ERROR_SYSCALL") != NULL ||
                     strstr(t->cause, "reset by peer") != NULL
                 ? PSPROBE_UNAVAILABLE
                 : PSPROBE_UNAUTHENTICATED;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return PSPROBE_UNAUTHENTICATED;
    default:
      return lost;
  }
}

static void describe(psp_transfer *t, psprobe_error *error) {
  char *url = NULL;
  size_t len = 0;
  long errnum = 0;
  curl_easy_getinfo(t->easy, CURLINFO_EFFECTIVE_URL, &url);
  curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &errnum);
  const char *host = psp_http_url_authority(url != NULL ? url : "", &len);
  int shown = (int)(len < 255 ? len : 255);
  if (t->cancelled) {
    psp_fail(error, PSPROBE_CANCELLED, "%s %.*s: cancelled", t->method, shown, host);
  } else if (t->too_large || t->result == CURLE_FILESIZE_EXCEEDED) {
    psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "%s %.*s: the answer is larger than %zu bytes",
             t->method, shown, host, t->max_response);
  } else if (t->head.failed || t->body.failed) {
    psp_fail_memory(error, "HTTP answer");
  } else if (t->result == CURLE_COULDNT_CONNECT && errnum != 0) {
    psp_fail(error, code_of(t), "%s %.*s: %s (%s)", t->method, shown, host, cause_of(t),
             strerror((int)errnum));
  } else {
    psp_fail(error, code_of(t), "%s %.*s: %s", t->method, shown, host, cause_of(t));
  }
}

static void log_outcome(psp_transfer *t, const psprobe_logger *logger, int status,
                        const psprobe_error *error) {
  psp_log_line line;
  if (!psp_log_begin(&line, logger, PSPROBE_LOG_DEBUG, "http_request")) return;
  char *url = NULL, host[256];
  size_t len = 0;
  curl_easy_getinfo(t->easy, CURLINFO_EFFECTIVE_URL, &url);
  const char *authority = psp_http_url_authority(url != NULL ? url : "", &len);
  snprintf(host, sizeof host, "%.*s", (int)(len < sizeof host ? len : sizeof host - 1), authority);
  psp_log_text(&line, "method", t->method);
  psp_log_text(&line, "host", host);
  if (status)
    psp_log_int(&line, "status", status);
  else
    psp_log_error(&line, error);
  psp_log_end(&line);
}

void psp_transfer_finish(psp_transfer *t, const psprobe_logger *logger) {
  long status = 0;
  psp_http_response response = {.body = t->body.data != NULL ? t->body.data : "",
                                .body_len = t->body.len};
  psprobe_error error;
  psprobe_error_clear(&error);
  /* curl takes an answer that ends in the middle of its head for a whole one. */
  if (t->result == CURLE_OK && !t->head_whole) t->result = CURLE_GOT_NOTHING;
  if (t->cancelled || t->result != CURLE_OK) {
    describe(t, &error);
  } else if (!split_head(t, &response)) {
    psp_fail_memory(&error, "HTTP answer");
  } else {
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    response.status = (int)status;
  }
  bool answered = error.code == PSPROBE_OK;
  log_outcome(t, logger, answered ? response.status : 0, &error);
  t->done(t->arg, answered ? &response : NULL, answered ? NULL : &error);
}
