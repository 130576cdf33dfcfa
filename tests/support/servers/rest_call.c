/* SPDX-License-Identifier: MIT */
#include "rest_call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

int test_rest_begin(const char *host, const char *method, const char *path, const char *body,
                    const char *more) {
  int fd = raw_connect(atoi(strrchr(host, ':') + 1));
  psp_buf request = {0};
  psp_buf_printf(&request, "%s %s HTTP/1.1\r\nHost: %s\r\n%s", method, path, host,
                 more != NULL ? more : "");
  if (body != NULL && (more == NULL || strstr(more, "Content-Type") == NULL))
    psp_buf_text(&request, "Content-Type: application/json\r\n");
  psp_buf_printf(&request, "Content-Length: %zu\r\n\r\n%s", body != NULL ? strlen(body) : 0,
                 body != NULL ? body : "");
  assert_false(request.failed);
  raw_send_bytes(fd, request.data, request.len);
  psp_buf_free(&request);
  return fd;
}

raw_answer test_rest(const char *host, const char *method, const char *path, const char *body,
                     const char *more) {
  raw_answer answer = {0};
  int fd = test_rest_begin(host, method, path, body, more);
  if (!raw_read(fd, &answer)) fail_msg("%s %s: no answer", method, path);
  close(fd);
  return answer;
}

int test_rest_status(const char *host, const char *method, const char *path, const char *body) {
  raw_answer answer = test_rest(host, method, path, body, NULL);
  int status = answer.status;
  raw_free(&answer);
  return status;
}

void test_rest_publish(const char *host, const char *topic, const char *message) {
  psp_buf path = {0}, body = {0};
  psp_buf_printf(&path, "%s:publish", topic);
  psp_buf_printf(&body, "{\"messages\":[%s]}", message);
  assert_int_equal(test_rest_status(host, "POST", path.data, body.data), 200);
  psp_buf_free(&path);
  psp_buf_free(&body);
}
