/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_SERVER_GUNZIP_H
#define PSP_HTTP_SERVER_GUNZIP_H
/** @file A gzip'd body unpacked as it comes in (RFC 1952), to a bound. Pure. */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/** What unpacking keeps in memory, about: zlib's window of 32 KiB and its tables. */
#define PSP_GUNZIP_MEMORY ((size_t)48 << 10)

typedef struct psp_gunzip psp_gunzip;

typedef enum psp_gunzip_result {
  PSP_GUNZIP_OK,
  PSP_GUNZIP_BROKEN,   /**< no gzip */
  PSP_GUNZIP_TOO_LONG, /**< more than `max` */
  PSP_GUNZIP_NO_MEMORY
} psp_gunzip_result;

psp_gunzip *psp_gunzip_new(void); /**< NULL: no memory */
void psp_gunzip_free(psp_gunzip *gunzip);
/** Unpacks what came, one piece after another, and adds it to `out`, which gets no longer than
 * `max`. After anything but OK it is of no more use. */
psp_gunzip_result psp_gunzip_add(psp_gunzip *gunzip, const char *data, size_t len, size_t max,
                                 psp_buf *out);
/** Whether what came ends where gzip does. */
bool psp_gunzip_is_whole(const psp_gunzip *gunzip);

#endif
