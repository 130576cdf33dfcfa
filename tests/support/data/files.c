/* SPDX-License-Identifier: MIT */
#include "files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

bool test_read_file(const char *path, psp_buf *out) {
  char chunk[65536];
  FILE *file = fopen(path, "rb");
  if (file == NULL) return false;
  for (size_t n; (n = fread(chunk, 1, sizeof chunk, file)) > 0;)
    psp_buf_add(out, chunk, n);
  bool whole = ferror(file) == 0;
  fclose(file);
  return whole && !out->failed;
}

psp_buf test_file(const char *path) {
  psp_buf buf = {0};
  if (!test_read_file(path, &buf)) fail_msg("%s cannot be read", path);
  return buf;
}

void test_prefixes(const psp_buf *body, void (*feed)(const char *text, size_t len, void *arg),
                   void *arg) {
  for (size_t len = 0; len < body->len; len++) {
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, body->data, len);
    feed(copy, len, arg);
    free(copy);
  }
}
