/* SPDX-License-Identifier: MIT */
#include "local/broker/endpoint.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "http/client/transport.h"
#include "http/url.h"

/* Names in lower case only, as the emulator has it. */
static size_t scheme_len(const char *endpoint) {
  if (psp_text_starts(endpoint, "http://")) return 7;
  return psp_text_starts(endpoint, "https://") ? 8 : 0;
}

bool psp_endpoint_url(psp_buf *url, const char *endpoint) {
  size_t scheme = scheme_len(endpoint);
  if (scheme == 0) return false;
  const char *host = endpoint + scheme, *end = host + strcspn(host, "/?#");
  const char *user = memrchr(host, '@', (size_t)(end - host));
  if (user != NULL) host = user + 1;
  psp_buf_add(url, endpoint, scheme);
  psp_buf_add(url, host, (size_t)(end - host));
  for (; *end != '\0' && *end != '#'; end++) {
    if (*end > ' ' && *end <= '~')
      psp_buf_char(url, *end);
    else
      psp_buf_printf(url, "%%%02X", (unsigned)(unsigned char)*end);
  }
  return !url->failed && psp_http_url_check(url->data, NULL);
}

bool psp_endpoint_header(const char *name, const char *value) {
  static const char *const ours[] = {"Content-Length",
                                     "Host",
                                     "Connection",
                                     "Keep-Alive",
                                     "Transfer-Encoding",
                                     "Content-Transfer-Encoding",
                                     "TE",
                                     "Trailer",
                                     "Upgrade",
                                     "Expect",
                                     "Via",
                                     "Origin",
                                     "Access-Control-Request-Headers",
                                     "Access-Control-Request-Method",
                                     "x-goog-pubsub-ordering-key",
                                     "x-goog-pubsub-message-id",
                                     "x-goog-pubsub-publish-time",
                                     "x-goog-pubsub-subscription-name"};
  for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
    if (strcasecmp(name, ours[i]) == 0) return false;
  return psp_http_header_check(name, value);
}
