/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_UPLOAD_FIELDS_H
#define PSP_RESULTS_UPLOAD_FIELDS_H
/** @file Fields of a document, built and read. What is not known is null, never a number that is
 * none. Pure. */
#include <psprobe/firestore.h>

/** Sets one field, unless memory ran out before (`good`); the value is taken in any case. */
void psp_field_put(psprobe_value *map, const char *key, psprobe_value *value, bool *good);
/** The map, or NULL when something of it was not good. */
psprobe_value *psp_fields_finish(psprobe_value *map, bool good);
/** A time, to the nanosecond here (the service cuts it to microseconds). */
psprobe_value *psp_field_time(int64_t wall_ns);
/** A number, or null. */
psprobe_value *psp_field_known(bool known, int64_t number);
/** A text, or null. */
psprobe_value *psp_field_text(const char *text);

/** Reads an integer. @return `otherwise`: there is none */
int64_t psp_field_number(const psprobe_value *map, const char *key, int64_t otherwise);
/** Reads a text without zero bytes. @return NULL: there is none */
const char *psp_field_string(const psprobe_value *map, const char *key);
/** Reads a time as nanoseconds since 1970. @return 0: there is none, or one that has no such number
 */
int64_t psp_field_moment(const psprobe_value *map, const char *key);

#endif
