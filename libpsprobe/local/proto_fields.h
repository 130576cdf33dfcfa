/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_PROTO_FIELDS_H
#define PSP_LOCAL_PROTO_FIELDS_H
/**
 * @file
 * Reading proto3 JSON objects into structs, as strictly as Google's servers:
 * unknown members and wrong types are refused, camelCase and snake_case names
 * are one, a member said twice counts as it was said last, null is as good as absent, numbers may
 * be text and texts numbers. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"

/** Reads one value into the place at `out`. False: not of that type (or no memory). */
typedef bool psp_field_read(const psp_json *json, void *out);

typedef struct psp_field {
  const char *name;     /**< camelCase */
  psp_field_read *read; /**< NULL: known and let go */
  size_t offset;        /**< of what it reads into */
} psp_field;

/** Reads every member of `json` by the table, which ends with a NULL name. False: refused. */
bool psp_fields_read(const psp_json *json, const psp_field *fields, void *out);
/** True when `key` is the camelCase `name`, or its snake_case form. */
bool psp_field_is(const char *key, const char *name);

psp_field_read psp_read_text;   /**< char *, owned; in place of an earlier one; "" becomes NULL */
psp_field_read psp_read_int32;  /**< int */
psp_field_read psp_read_bool;   /**< bool; "true" and "false" too */
psp_field_read psp_read_span;   /**< psp_span */
psp_field_read psp_read_moment; /**< int64_t: a time, as ns since 1970, or the end of them */
psp_field_read psp_read_pairs;  /**< psp_pairs */
psp_field_read psp_read_json;   /**< char *: the value as compact JSON */
psp_field_read psp_read_part; /**< const psp_json *: the value itself, valid as long as the rest */

#endif
