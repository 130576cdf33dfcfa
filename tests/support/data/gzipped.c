/* SPDX-License-Identifier: MIT */
#include "gzipped.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include <cmocka.h>

void gzip_add(psp_buf *out, const void *data, size_t len) {
  z_stream z = {.next_in = (z_const Bytef *)data, .avail_in = (uInt)len};
  unsigned char piece[4096];
  int code;
  assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
  do {
    z.next_out = piece;
    z.avail_out = sizeof piece;
    code = deflate(&z, Z_FINISH);
    psp_buf_add(out, piece, sizeof piece - z.avail_out);
  } while (code == Z_OK);
  assert_int_equal(code, Z_STREAM_END);
  deflateEnd(&z);
}
