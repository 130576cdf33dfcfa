/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_PROTO_JSON_H
#define PSP_LOCAL_PROTO_JSON_H
/**
 * @file
 * Messages between protobuf and proto3 JSON, by tables of their fields
 * (https://protobuf.dev/programming-guides/json). What no table knows is left out. Pure.
 */
#include "base/json.h"
#include "local/wire.h"

typedef enum psp_proto_kind {
  PSP_PROTO_STRING,
  PSP_PROTO_BYTES, /**< in JSON base64 */
  PSP_PROTO_INT,   /**< int32, int64: in JSON a number */
  PSP_PROTO_ENUM,  /**< in JSON its name, or a number that has none */
  PSP_PROTO_BOOL,
  PSP_PROTO_MESSAGE,
  PSP_PROTO_PAIRS,    /**< map<string, string> */
  PSP_PROTO_DURATION, /**< in JSON "1.5s" */
  PSP_PROTO_TIME,     /**< google.protobuf.Timestamp, in JSON RFC 3339 */
  PSP_PROTO_MASK      /**< google.protobuf.FieldMask, in JSON "a,b" */
} psp_proto_kind;

/** A table ends with a field of number 0. */
typedef struct psp_proto_field {
  uint32_t number;
  const char *name; /**< camelCase */
  psp_proto_kind kind;
  const struct psp_proto_field *of; /**< of a MESSAGE */
  bool repeated;
  const char *const *names; /**< of an ENUM, from 0, then NULL */
} psp_proto_field;

/** False: it is no protobuf, or a text is no UTF-8. */
bool psp_proto_to_json(const psp_proto_field *fields, const void *bytes, size_t len,
                       psp_json_writer *w);
/** Of JSON of our own making: a value of another type is left out. */
void psp_proto_from_json(const psp_proto_field *fields, const psp_json *json, psp_buf *out);

#endif
