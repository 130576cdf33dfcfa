/* SPDX-License-Identifier: MIT */
/** @file What counts against the limit of a document's size
 * (https://cloud.google.com/firestore/docs/storage-size). */
#include <string.h>

#include "firestore/value/value.h"

enum { NAME_OVERHEAD = 16, DOCUMENT_OVERHEAD = 32 };

static size_t value_size(const psprobe_value *value) {
  size_t size = 0;
  switch (value->type) {
    case PSPROBE_VALUE_NULL:
    case PSPROBE_VALUE_BOOLEAN:
      return 1;
    case PSPROBE_VALUE_INTEGER:
    case PSPROBE_VALUE_DOUBLE:
    case PSPROBE_VALUE_TIMESTAMP:
      return 8;
    case PSPROBE_VALUE_GEO_POINT:
      return 16;
    case PSPROBE_VALUE_STRING:
    case PSPROBE_VALUE_BYTES:
    case PSPROBE_VALUE_REFERENCE:
      return value->as.text.len + 1;
    case PSPROBE_VALUE_ARRAY:
    case PSPROBE_VALUE_MAP:
      for (size_t i = 0; i < value->as.list.count; i++) {
        if (value->type == PSPROBE_VALUE_MAP) size += strlen(value->as.list.keys[i]) + 1;
        size += value_size(value->as.list.items[i]);
      }
  }
  return size;
}

/* Of the name its ids count, and one byte for each. */
size_t psp_document_size(const char *path, const psprobe_value *fields) {
  return strlen(path) + 1 + NAME_OVERHEAD + value_size(fields) + DOCUMENT_OVERHEAD;
}
