/* SPDX-License-Identifier: MIT */
/** @file Lists and maps. */
#include <stdlib.h>
#include <string.h>

#include "firestore/value/value.h"

/* Below this many a map's keys are compared one after the other. */
#define INDEX_FROM 16

/* FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), 64 bits folded to 32. */
static uint32_t hash(const char *key) {
  uint64_t h = 14695981039346656037u;
  for (const unsigned char *p = (const unsigned char *)key; *p; p++)
    h = (h ^ *p) * 1099511628211u;
  return (uint32_t)(h ^ (h >> 32));
}

/* The place of `key` in the index, or the empty place where it belongs. */
static size_t probe(const psp_value_list *list, const char *key) {
  size_t mask = list->index_size - 1;
  size_t place = hash(key) & mask;
  while (list->index[place] && strcmp(list->keys[list->index[place] - 1], key) != 0)
    place = (place + 1) & mask;
  return place;
}

/* Makes the index fit for one key more. The index is a help: without memory for it, or past what it
 * can number, there is none. */
static void reindex(psp_value_list *list) {
  if (list->count < INDEX_FROM || (list->count + 1) * 2 <= list->index_size) return;
  size_t size = list->index_size ? list->index_size * 2 : (size_t)INDEX_FROM * 4;
  while (size < (list->count + 1) * 2)
    size *= 2;
  free(list->index);
  list->index = list->count < UINT32_MAX / 4 ? calloc(size, sizeof *list->index) : NULL;
  list->index_size = list->index != NULL ? size : 0;
  for (size_t i = 0; list->index != NULL && i < list->count; i++)
    list->index[probe(list, list->keys[i])] = (uint32_t)(i + 1);
}

static size_t position(const psp_value_list *list, const char *key) {
  if (list->index != NULL) {
    uint32_t found = list->index[probe(list, key)];
    return found ? found - 1 : SIZE_MAX;
  }
  for (size_t i = 0; i < list->count; i++)
    if (strcmp(list->keys[i], key) == 0) return i;
  return SIZE_MAX;
}

static bool grow(psp_value_list *list, bool keyed) {
  if (list->count < list->cap) return true;
  size_t cap = list->cap ? list->cap * 2 : 4;
  if (cap > SIZE_MAX / sizeof(psprobe_value *)) return false;
  psprobe_value **items = realloc(list->items, cap * sizeof(psprobe_value *));
  if (items == NULL) return false;
  list->items = items;
  if (keyed) {
    char **keys = realloc(list->keys, cap * sizeof *keys);
    if (keys == NULL) return false;
    list->keys = keys;
  }
  list->cap = cap;
  return true;
}

/* Adds without looking for the key: for maps whose keys are known to differ.
 * Takes `item`, which it frees on failure, as psprobe_value_set does. */
static bool list_add(psp_value_list *list, const char *key, psprobe_value *item) {
  char *copy = key != NULL ? strdup(key) : NULL;
  if (item == NULL || (key != NULL && copy == NULL) || !grow(list, key != NULL)) {
    free(copy);
    psprobe_value_free(item);
    return false;
  }
  if (key != NULL) {
    reindex(list);
    list->keys[list->count] = copy;
    if (list->index != NULL) list->index[probe(list, copy)] = (uint32_t)(list->count + 1);
  }
  list->items[list->count++] = item;
  return true;
}

bool psprobe_value_append(psprobe_value *array, psprobe_value *item) {
  if (array == NULL || array->type != PSPROBE_VALUE_ARRAY || array == item) {
    if (array != item) psprobe_value_free(item);
    return false;
  }
  return list_add(&array->as.list, NULL, item);
}

bool psprobe_value_set(psprobe_value *map, const char *key, psprobe_value *item) {
  if (map == NULL || map->type != PSPROBE_VALUE_MAP || key == NULL || map == item) {
    if (map != item) psprobe_value_free(item);
    return false;
  }
  psp_value_list *list = &map->as.list;
  size_t at = position(list, key);
  if (at == SIZE_MAX) return list_add(list, key, item);
  if (item == NULL) return false;
  if (item != list->items[at]) psprobe_value_free(list->items[at]);
  list->items[at] = item;
  return true;
}

static const psp_value_list *list_of(const psprobe_value *value) {
  bool has =
      value != NULL && (value->type == PSPROBE_VALUE_ARRAY || value->type == PSPROBE_VALUE_MAP);
  return has ? &value->as.list : NULL;
}

size_t psprobe_value_count(const psprobe_value *value) {
  const psp_value_list *list = list_of(value);
  return list != NULL ? list->count : 0;
}

const psprobe_value *psprobe_value_at(const psprobe_value *value, size_t index, const char **key) {
  const psp_value_list *list = list_of(value);
  if (list == NULL || index >= list->count) return NULL;
  if (key != NULL) *key = list->keys != NULL ? list->keys[index] : NULL;
  return list->items[index];
}

const psprobe_value *psprobe_value_find(const psprobe_value *map, const char *key) {
  if (map == NULL || map->type != PSPROBE_VALUE_MAP || key == NULL) return NULL;
  size_t at = position(&map->as.list, key);
  return at == SIZE_MAX ? NULL : map->as.list.items[at];
}

static psprobe_value *copy_at(const psprobe_value *value, int depth) {
  const psp_value_list *list = list_of(value);
  if (depth > PSP_VALUE_DEEPEST) return NULL;
  if (value->type == PSPROBE_VALUE_STRING || value->type == PSPROBE_VALUE_BYTES ||
      value->type == PSPROBE_VALUE_REFERENCE)
    return psp_value_new_text(value->type, value->as.text.data, value->as.text.len);
  psprobe_value *copy = psp_value_new(value->type);
  if (copy == NULL) return NULL;
  if (list == NULL) {
    *copy = *value;
    return copy;
  }
  for (size_t i = 0; i < list->count; i++) {
    if (!list_add(&copy->as.list, list->keys != NULL ? list->keys[i] : NULL,
                  copy_at(list->items[i], depth + 1))) {
      psprobe_value_free(copy);
      return NULL;
    }
  }
  return copy;
}

psprobe_value *psp_value_copy(const psprobe_value *value) {
  return value != NULL ? copy_at(value, 0) : NULL;
}
