/* SPDX-License-Identifier: MIT */
/** @file Firestore's order of values, and their equality. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "firestore/value/value.h"

static int sign(int64_t a, int64_t b) {
  return (a > b) - (a < b);
}

static int compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len) {
  size_t len = a_len < b_len ? a_len : b_len;
  int order = len > 0 ? memcmp(a, b, len) : 0;
  return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_doubles(double a, double b) {
  if (isnan(a) || isnan(b)) return !!isnan(b) - !!isnan(a);
  return (a > b) - (a < b);
}

/* Exact, where a double has not the bits for the integer. */
static int compare_mixed(int64_t a, double b) {
  if (isnan(b)) return 1;
  if (b >= 9223372036854775808.0) return -1;
  if (b < -9223372036854775808.0) return 1;
  double whole = trunc(b);
  int order = sign(a, (int64_t)whole);
  return order != 0 ? order : (whole > b) - (whole < b);
}

static int compare_numbers(const psprobe_value *a, const psprobe_value *b) {
  bool a_int = a->type == PSPROBE_VALUE_INTEGER, b_int = b->type == PSPROBE_VALUE_INTEGER;
  if (a_int && b_int) return sign(a->as.integer, b->as.integer);
  if (a_int) return compare_mixed(a->as.integer, b->as.number);
  if (b_int) return -compare_mixed(b->as.integer, a->as.number);
  return compare_doubles(a->as.number, b->as.number);
}

static int compare_timestamps(psprobe_timestamp a, psprobe_timestamp b) {
  int order = sign(a.seconds, b.seconds);
  return order != 0 ? order : sign(a.nanos, b.nanos);
}

/* References in order: segment by segment, not by the bytes of the whole. */
static int compare_names(const char *a, size_t a_len, const char *b, size_t b_len) {
  for (;;) {
    const char *a_slash = a_len ? memchr(a, '/', a_len) : NULL;
    const char *b_slash = b_len ? memchr(b, '/', b_len) : NULL;
    size_t a_seg = a_slash != NULL ? (size_t)(a_slash - a) : a_len;
    size_t b_seg = b_slash != NULL ? (size_t)(b_slash - b) : b_len;
    int order = compare_bytes(a, a_seg, b, b_seg);
    if (order != 0) return order;
    if (a_slash == NULL || b_slash == NULL) return (a_slash != NULL) - (b_slash != NULL);
    a_len -= a_seg + 1;
    b_len -= b_seg + 1;
    a = a_slash + 1;
    b = b_slash + 1;
  }
}

static int rank(psprobe_value_type type) {
  static const int ranks[] = {
      [PSPROBE_VALUE_NULL] = 0,   [PSPROBE_VALUE_BOOLEAN] = 1,   [PSPROBE_VALUE_INTEGER] = 2,
      [PSPROBE_VALUE_DOUBLE] = 2, [PSPROBE_VALUE_TIMESTAMP] = 3, [PSPROBE_VALUE_STRING] = 4,
      [PSPROBE_VALUE_BYTES] = 5,  [PSPROBE_VALUE_REFERENCE] = 6, [PSPROBE_VALUE_GEO_POINT] = 7,
      [PSPROBE_VALUE_ARRAY] = 8,  [PSPROBE_VALUE_MAP] = 9};
  return ranks[type];
}

static int compare_at(const psprobe_value *a, const psprobe_value *b, int depth);

static int compare_arrays(const psp_value_list *a, const psp_value_list *b, int depth) {
  for (size_t i = 0; i < a->count && i < b->count; i++) {
    int order = compare_at(a->items[i], b->items[i], depth + 1);
    if (order != 0) return order;
  }
  return (a->count > b->count) - (a->count < b->count);
}

typedef struct entry {
  const char *key;
  const psprobe_value *item;
} entry;

static int by_key(const void *a, const void *b) {
  return strcmp(((const entry *)a)->key, ((const entry *)b)->key);
}

/* NULL without memory or entries. */
static entry *sorted(const psp_value_list *list) {
  entry *entries = list->count ? calloc(list->count, sizeof *entries) : NULL;
  for (size_t i = 0; entries != NULL && i < list->count; i++)
    entries[i] = (entry){list->keys[i], list->items[i]};
  if (entries != NULL) qsort(entries, list->count, sizeof *entries, by_key);
  return entries;
}

/* Key by key in the keys' order, the key before its value. */
static int compare_maps(const psp_value_list *a, const psp_value_list *b, int depth) {
  entry *x = sorted(a), *y = sorted(b);
  int order = 0;
  for (size_t i = 0; x != NULL && y != NULL && order == 0 && i < a->count && i < b->count; i++) {
    order = strcmp(x[i].key, y[i].key);
    if (order == 0) order = compare_at(x[i].item, y[i].item, depth + 1);
  }
  free(x);
  free(y);
  return order != 0 ? order : (a->count > b->count) - (a->count < b->count);
}

static int compare_at(const psprobe_value *a, const psprobe_value *b, int depth) {
  int order = rank(a->type) - rank(b->type);
  if (order != 0 || depth > PSP_VALUE_DEEPEST) return order;
  switch (a->type) {
    case PSPROBE_VALUE_NULL:
      return 0;
    case PSPROBE_VALUE_BOOLEAN:
      return a->as.boolean - b->as.boolean;
    case PSPROBE_VALUE_INTEGER:
    case PSPROBE_VALUE_DOUBLE:
      return compare_numbers(a, b);
    case PSPROBE_VALUE_TIMESTAMP:
      return compare_timestamps(a->as.timestamp, b->as.timestamp);
    case PSPROBE_VALUE_STRING:
    case PSPROBE_VALUE_BYTES:
      return compare_bytes(a->as.text.data, a->as.text.len, b->as.text.data, b->as.text.len);
    case PSPROBE_VALUE_REFERENCE:
      return compare_names(a->as.text.data, a->as.text.len, b->as.text.data, b->as.text.len);
    case PSPROBE_VALUE_GEO_POINT:
      order = compare_doubles(a->as.geo.latitude, b->as.geo.latitude);
      return order != 0 ? order : compare_doubles(a->as.geo.longitude, b->as.geo.longitude);
    case PSPROBE_VALUE_ARRAY:
      return compare_arrays(&a->as.list, &b->as.list, depth);
    case PSPROBE_VALUE_MAP:
      return compare_maps(&a->as.list, &b->as.list, depth);
  }
  return 0;
}

int psp_value_compare(const psprobe_value *a, const psprobe_value *b) {
  return compare_at(a, b, 0);
}

static bool equal_at(const psprobe_value *a, const psprobe_value *b, int depth) {
  if (a == NULL || b == NULL || a->type != b->type || depth > PSP_VALUE_DEEPEST) return false;
  if (a->type != PSPROBE_VALUE_ARRAY && a->type != PSPROBE_VALUE_MAP)
    return compare_at(a, b, 0) == 0;
  const psp_value_list *list = &a->as.list;
  if (list->count != b->as.list.count) return false;
  for (size_t i = 0; i < list->count; i++) {
    const psprobe_value *other =
        a->type == PSPROBE_VALUE_ARRAY ? b->as.list.items[i] : psprobe_value_find(b, list->keys[i]);
    if (!equal_at(list->items[i], other, depth + 1)) return false;
  }
  return true;
}

bool psprobe_value_equal(const psprobe_value *a, const psprobe_value *b) {
  return equal_at(a, b, 0);
}
