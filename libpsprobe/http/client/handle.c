/* SPDX-License-Identifier: MIT */
#include "http/client/handle.h"

void psp_handle_settle(CURL *easy) {
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC); /* never Kerberos */
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
  /* Who is called off while a name is looked up does not wait for the answer. */
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
}
