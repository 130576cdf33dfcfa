/* SPDX-License-Identifier: MIT */
#ifndef PSP_FIRESTORE_VALUE_JSON_H
#define PSP_FIRESTORE_VALUE_JSON_H
/**
 * @file
 * Values in JSON, both ways. Pure.
 * Source: https://cloud.google.com/firestore/docs/reference/rest/Shared.Types/ArrayValue#Value
 */
#include "base/json.h"
#include "firestore/value/value.h"

/** `{"integerValue":"5"}`. The value must have passed psp_value_check. */
void psp_value_encode(psp_json_writer *w, const psprobe_value *value);
/** `{"a":{"integerValue":"5"}}`, what stands after "fields". Of a map that passed
 * psp_fields_check. */
void psp_fields_encode(psp_json_writer *w, const psprobe_value *map);

/**
 * Reads a value in every form that proto3 JSON allows: integers as numbers,
 * base64 of either alphabet, names in camelCase or snake_case. That it could be
 * stored is not looked at (psp_value_check).
 * @return PSPROBE_OK; INVALID_ARGUMENT, whose message names the field; RESOURCE_EXHAUSTED
 */
psprobe_code psp_value_decode(const psp_json *json, psprobe_value **value, psprobe_error *error);
/** The same for the one member: its name and what it holds. */
psprobe_code psp_value_decode_member(const char *name, const psp_json *content,
                                     psprobe_value **value, psprobe_error *error);
/** What stands after "fields" (NULL or null: nothing there, an empty map). */
psprobe_code psp_fields_decode(const psp_json *json, psprobe_value **map, psprobe_error *error);
/** A timestamp's text; NULL or null is 0/0. False: neither. */
bool psp_timestamp_decode(const psp_json *json, psprobe_timestamp *timestamp);

#endif
