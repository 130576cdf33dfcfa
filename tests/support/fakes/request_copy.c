/* SPDX-License-Identifier: MIT */
#include "request_copy.h"

#include <stdlib.h>
#include <string.h>

void *test_need(void *memory) {
  if (memory == NULL) abort();
  return memory;
}

char *test_copy(const void *data, size_t len) {
  char *made = test_need(malloc(len + 1));
  if (len > 0) memcpy(made, data, len);
  made[len] = 0;
  return made;
}

char *test_copy_text(const char *text) {
  return text != NULL ? test_copy(text, strlen(text)) : NULL;
}

psp_http_request test_copy_request(const psp_http_request *from) {
  psp_http_request made = *from;
  psp_header *headers = test_need(calloc(from->header_count + 1, sizeof *headers));
  for (size_t i = 0; i < from->header_count; i++) {
    headers[i].name = test_copy_text(from->headers[i].name);
    headers[i].value = test_copy_text(from->headers[i].value);
  }
  made.method = test_copy_text(from->method);
  made.url = test_copy_text(from->url);
  made.headers = headers;
  made.body = test_copy(from->body, from->body != NULL ? from->body_len : 0);
  return made;
}

void test_free_request(psp_http_request *request) {
  for (size_t i = 0; i < request->header_count; i++) {
    free((char *)request->headers[i].name);
    free((char *)request->headers[i].value);
  }
  free((void *)request->headers);
  free((char *)request->method);
  free((char *)request->url);
  free((void *)request->body);
}

size_t test_split_headers(char *text, psp_header headers[TEST_HEADERS_MAX]) {
  size_t count = 0;
  char *rest = NULL;
  for (char *line = text != NULL ? strtok_r(text, "\r\n", &rest) : NULL;
       line != NULL && count < TEST_HEADERS_MAX; line = strtok_r(NULL, "\r\n", &rest)) {
    char *colon = strchr(line, ':');
    if (colon == NULL) continue;
    *colon = 0;
    for (char *c = line; *c; c++)
      *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    headers[count++] = (psp_header){line, colon + 1 + strspn(colon + 1, " ")};
  }
  return count;
}
