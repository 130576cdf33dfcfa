/* SPDX-License-Identifier: MIT */
#include "http/server/gunzip.h"

#include <stdlib.h>
#include <zlib.h>

#define GZIP_ONLY (16 + MAX_WBITS) /* no zlib or raw form beside it */
#define PIECE     16384

struct psp_gunzip {
  z_stream z;
  bool whole; /* at the end of a member, of which there may be several (RFC 1952, 2.2) */
};

psp_gunzip *psp_gunzip_new(void) {
  psp_gunzip *g = calloc(1, sizeof *g);
  if (g != NULL && inflateInit2(&g->z, GZIP_ONLY) == Z_OK) return g;
  free(g);
  return NULL;
}

void psp_gunzip_free(psp_gunzip *g) {
  if (g == NULL) return;
  inflateEnd(&g->z);
  free(g);
}

static psp_gunzip_result result_of(int code) {
  switch (code) {
    case Z_OK:
    case Z_STREAM_END:
    case Z_BUF_ERROR: /* wants more */
      return PSP_GUNZIP_OK;
    case Z_MEM_ERROR:
      return PSP_GUNZIP_NO_MEMORY;
    default:
      return PSP_GUNZIP_BROKEN;
  }
}

psp_gunzip_result psp_gunzip_add(psp_gunzip *g, const char *data, size_t len, size_t max,
                                 psp_buf *out) {
  unsigned char piece[PIECE];
  g->z.next_in = (z_const Bytef *)(const void *)data;
  g->z.avail_in = (uInt)len;
  do {
    if (g->whole && g->z.avail_in > 0) {
      inflateReset(&g->z);
      g->whole = false;
    }
    g->z.next_out = piece;
    g->z.avail_out = sizeof piece;
    int code = inflate(&g->z, Z_NO_FLUSH);
    psp_gunzip_result result = result_of(code);
    if (result != PSP_GUNZIP_OK) return result;
    size_t got = sizeof piece - g->z.avail_out;
    if (got > max - out->len) return PSP_GUNZIP_TOO_LONG;
    psp_buf_add(out, piece, got);
    if (out->failed) return PSP_GUNZIP_NO_MEMORY;
    g->whole = code == Z_STREAM_END;
  } while (g->z.avail_in > 0 || (g->z.avail_out == 0 && !g->whole));
  return PSP_GUNZIP_OK;
}

bool psp_gunzip_is_whole(const psp_gunzip *g) {
  return g->whole;
}
