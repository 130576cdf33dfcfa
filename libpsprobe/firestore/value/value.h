/* SPDX-License-Identifier: MIT */
#ifndef PSP_FIRESTORE_VALUE_VALUE_H
#define PSP_FIRESTORE_VALUE_VALUE_H
/**
 * @file
 * What a value is made of, and the rules that a value must keep to be stored.
 */
#include <psprobe/value.h>

/** Values within values beyond this are not followed: the stack has an end. */
#define PSP_VALUE_DEEPEST 1000

/**
 * The items of an array or a map, in the order added. A map has a key for each
 * item, and past a few of them an index: a hash table of positions plus one, 0
 * for an empty place. A zero byte in a key is held as C0 80, the form that
 * base/json.h gives it.
 */
typedef struct psp_value_list {
  psprobe_value **items;
  char **keys;
  size_t count, cap;
  uint32_t *index;
  size_t index_size; /**< a power of two, or 0 */
} psp_value_list;

struct psprobe_value {
  psprobe_value_type type;
  union {
    bool boolean;
    int64_t integer;
    double number;
    psprobe_timestamp timestamp;
    struct {
      char *data; /**< zero-terminated, beyond len */
      size_t len;
    } text; /**< string, reference, bytes */
    struct {
      double latitude, longitude;
    } geo;
    psp_value_list list;
  } as;
};

/** A new value of a type, empty; NULL without memory. */
psprobe_value *psp_value_new(psprobe_value_type type);
/** String, bytes or reference of `len` bytes. */
psprobe_value *psp_value_new_text(psprobe_value_type type, const void *data, size_t len);
/** A value with copies of all that is in it; NULL without memory, or nested 1,000 deep. */
psprobe_value *psp_value_copy(const psprobe_value *value);

/** "a string" and so on, for messages. */
const char *psp_value_type_name(psprobe_value_type type);

/**
 * Firestore's order of values: by type (null, boolean, number, timestamp,
 * string, bytes, reference, geo point, array, map), then by content; integers
 * and doubles are one type, and NaN is the least number.
 * Source: https://cloud.google.com/firestore/docs/concepts/data-types
 * @return < 0, 0, > 0
 */
int psp_value_compare(const psprobe_value *a, const psprobe_value *b);

/** How deep arrays and maps may be nested under a field, both counted (as the emulator does). */
#define PSP_VALUE_DEPTH 20
/** The longest string or bytes, and the longest field name. */
#define PSP_VALUE_TEXT_MAX 1048487
#define PSP_FIELD_NAME_MAX 1500

/** The largest document, and what one of these fields counts against that. `path`: below the
 * database. */
#define PSP_DOCUMENT_MAX 1048576
size_t psp_document_size(const char *path, const psprobe_value *fields);

/**
 * Whether the service would take `fields` as a document's: names (not empty,
 * not `__x__`, at most 1,500 bytes of UTF-8), nesting (20 levels, no array
 * directly in an array), ranges and text.
 * Source: https://cloud.google.com/firestore/quotas
 * @return PSPROBE_OK, or INVALID_ARGUMENT whose message names field and rule
 */
psprobe_code psp_fields_check(const psprobe_value *fields, psprobe_error *error);
/** The same for one value that is not a document's: a filter's, a cursor's. */
psprobe_code psp_value_check(const psprobe_value *value, psprobe_error *error);
/** A name that a field can have. @param why receives the rule it breaks */
bool psp_field_name_check(const char *name, const char **why);

#endif
