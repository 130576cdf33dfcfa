/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_VALUE_H
#define PSPROBE_VALUE_H
/**
 * @file
 * What a Firestore document's fields hold.
 * Source: https://cloud.google.com/firestore/docs/reference/rest/Shared.Types/ArrayValue#Value
 *
 * Ownership: what is given is copied; what is received is the caller's.
 * Threading: any thread may call; a value is one thread's at a time while it is changed.
 * Blocks: never.
 */
#include <psprobe/client.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum psprobe_value_type {
  PSPROBE_VALUE_NULL,
  PSPROBE_VALUE_BOOLEAN,
  PSPROBE_VALUE_INTEGER,
  PSPROBE_VALUE_DOUBLE,
  PSPROBE_VALUE_TIMESTAMP,
  PSPROBE_VALUE_STRING,
  PSPROBE_VALUE_BYTES,
  PSPROBE_VALUE_REFERENCE,
  PSPROBE_VALUE_GEO_POINT,
  PSPROBE_VALUE_ARRAY,
  PSPROBE_VALUE_MAP
} psprobe_value_type;

/**
 * A value, and all values in it. Anything can be built here. What the service would refuse is
 * refused by the call that sends it, with INVALID_ARGUMENT and the field's name: a field's name
 * that is empty, of the form `__x__` or longer than 1,500 bytes; arrays and maps nested more than
 * 20 deep; an array directly in an array; text that is not UTF-8, or longer than 1,048,487 bytes; a
 * timestamp outside the years 0001 to 9999; a geo point that is none; a reference that is no
 * document's full name. Source: https://cloud.google.com/firestore/quotas
 */
typedef struct psprobe_value psprobe_value;

/** Makes a null. @return a new value; NULL without memory. Ownership: psprobe_value_free. */
PSPROBE_API psprobe_value *psprobe_value_null(void);
/** Makes a boolean. @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_boolean(bool value);
/** Makes an integer. @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_integer(int64_t value);
/** Makes a double. @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_double(double value);
/** Makes a timestamp, kept to the nanosecond here; the service cuts to microseconds.
 * @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_timestamp(psprobe_timestamp value);
/** Makes a string. @param text copied. @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_string(const char *text);
/** Makes a string. @param text UTF-8, zero bytes allowed, copied. @param len its bytes.
 * @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_string_n(const char *text, size_t len);
/** Makes bytes. @param data copied. @param len how many. @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_bytes(const void *data, size_t len);
/** Makes a reference. @param name a document's full name,
 * "projects/p/databases/(default)/documents/c/d", copied. @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_reference(const char *name);
/** Makes a geo point. @param latitude, longitude in degrees. @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_geo_point(double latitude, double longitude);
/** Makes an empty array. @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_array(void);
/** Makes an empty map. @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_map(void);

/** Frees a value with all that is in it. NULL is fine. */
PSPROBE_API void psprobe_value_free(psprobe_value *value);

/**
 * Puts an item at the end of an array.
 * @param item may be NULL (as the makers return without memory), so that calls can be nested
 * @return true; false without memory, without an item, or when `array` is no array
 * Ownership: takes `item`, and frees it on failure.
 */
PSPROBE_API bool psprobe_value_append(psprobe_value *array, psprobe_value *item);
/**
 * Puts an item into a map, in place of what was there.
 * @param key  copied
 * @param item may be NULL, as above
 * @return true; false without memory, without an item, or when `map` is no map
 * Ownership: as psprobe_value_append.
 */
PSPROBE_API bool psprobe_value_set(psprobe_value *map, const char *key, psprobe_value *item);

/** Tells what a value is. @return its type; null for NULL */
PSPROBE_API psprobe_value_type psprobe_value_get_type(const psprobe_value *value);
/** Reads a boolean. @param out receives it. @return true; false, with `out` untouched, for another
 * type */
PSPROBE_API bool psprobe_value_get_boolean(const psprobe_value *value, bool *out);
/** Reads an integer. @param out receives it. @return as psprobe_value_get_boolean */
PSPROBE_API bool psprobe_value_get_integer(const psprobe_value *value, int64_t *out);
/** Reads a double. @param out receives it. @return as psprobe_value_get_boolean */
PSPROBE_API bool psprobe_value_get_double(const psprobe_value *value, double *out);
/** Reads a timestamp. @param out receives it. @return as psprobe_value_get_boolean */
PSPROBE_API bool psprobe_value_get_timestamp(const psprobe_value *value, psprobe_timestamp *out);
/** Reads a string or a reference. @param text receives it, zero-terminated. @param len its bytes;
 * may be NULL. @return as psprobe_value_get_boolean. Ownership: the value's. */
PSPROBE_API bool psprobe_value_get_text(const psprobe_value *value, const char **text, size_t *len);
/** Reads bytes. @param data receives them. @param len how many. @return as
 * psprobe_value_get_boolean. Ownership: the value's. */
PSPROBE_API bool psprobe_value_get_bytes(const psprobe_value *value, const void **data,
                                         size_t *len);
/** Reads a geo point. @param latitude, longitude receive it, in degrees. @return as
 * psprobe_value_get_boolean */
PSPROBE_API bool psprobe_value_get_geo_point(const psprobe_value *value, double *latitude,
                                             double *longitude);
/** Counts what is in an array or a map. @return how many; 0 for other types */
PSPROBE_API size_t psprobe_value_count(const psprobe_value *value);
/** Looks at an item of an array or a map. @param index from 0. @param key receives a map's key; may
 * be NULL. @return the item; NULL past the end. Ownership: the value's. */
PSPROBE_API const psprobe_value *psprobe_value_at(const psprobe_value *value, size_t index,
                                                  const char **key);
/** Finds an item of a map. @param key its own. @return the item, or NULL. Ownership: the map's. */
PSPROBE_API const psprobe_value *psprobe_value_find(const psprobe_value *map, const char *key);
/** Compares type and content (NaN equals NaN; -0.0 equals 0.0; maps in any order).
 * @param a, b may be NULL. @return true when they are the same */
PSPROBE_API bool psprobe_value_equal(const psprobe_value *a, const psprobe_value *b);

#ifdef __cplusplus
}
#endif
#endif
