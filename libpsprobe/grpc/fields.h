/* SPDX-License-Identifier: MIT */
#ifndef PSP_GRPC_FIELDS_H
#define PSP_GRPC_FIELDS_H
/**
 * @file
 * Header fields and trailers of a call, which gRPC calls metadata: names in lower case, values in
 * printable ASCII, or any bytes where the name ends in "-bin" (in base64 on the wire). Pure.
 */
#include <stdbool.h>
#include <stddef.h>

typedef struct psp_rpc_field {
  struct psp_rpc_field *next;
  const char *value; /**< zero-terminated beyond `len` */
  size_t len;
  char name[];
} psp_rpc_field;

/** In their order; valid when zeroed. */
typedef struct psp_fields {
  psp_rpc_field *first, *last;
  size_t size; /**< as HTTP/2 counts it: names, values, 32 each (RFC 9113, 6.5.2) */
} psp_fields;

/** Copies. False: no memory. */
bool psp_fields_add(psp_fields *fields, const char *name, const void *value, size_t len);
/** As it stands on the wire; the value of a "-bin" field is decoded (each of several, parted by
 * commas), and left out when it is no base64. False: no memory. */
bool psp_fields_take(psp_fields *fields, const char *name, size_t name_len, const char *value,
                     size_t len);
/** The first of that name, or NULL. */
const psp_rpc_field *psp_fields_get(const psp_fields *fields, const char *name);
void psp_fields_clear(psp_fields *fields);

bool psp_field_is_binary(const char *name);
/** Whether a caller may send it: a name of [a-z0-9_.-] that gRPC and HTTP do not keep for
 * themselves, and a value of its kind. */
bool psp_field_check(const char *name, const void *value, size_t len);

#endif
