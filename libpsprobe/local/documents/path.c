/* SPDX-License-Identifier: MIT */
/** @file Names of documents, field paths, masks. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "firestore/path.h"
#include "local/documents/value.h"

/* Deeper than any document's maps. */
#define DEEPEST_PATH 64

/* https://cloud.google.com/firestore/quotas */

/* ---- names ---- */

/* Takes `literal` from *at. */
static bool take(const char **at, const char *literal) {
  if (!psp_text_starts(*at, literal)) return false;
  *at += strlen(literal);
  return true;
}

/* Takes an id, up to a slash or the end. */
static void take_id(const char **at) {
  *at += strcspn(*at, "/");
}

/* Walks down to "documents". @return what is missing, with *at where; NULL: nothing is */
static const char *walk_root(const char **at) {
  static const char *const parts[] = {"projects", "/",  NULL, "/",        "databases",
                                      "/",        NULL, "/",  "documents"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    if (parts[i] == NULL)
      take_id(at);
    else if (!take(at, parts[i]))
      return parts[i];
  }
  return NULL;
}

static psprobe_code lacks(const char *what, const char *name, const char *part, const char *at,
                          psprobe_error *error) {
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s \"%s\" lacks \"%s\" at index %zu.", what,
                  name, part, (size_t)(at - name));
}

/* Takes the id of a collection or a document, and checks it. */
static psprobe_code check_id(const char *what, const char *name, const char **at, bool collection,
                             psprobe_error *error) {
  const char *kind = collection ? "collection" : "resource", *start = *at;
  char id[PSP_DOCUMENT_ID_MAX + 2];
  take_id(at);
  size_t len = (size_t)(*at - start), index = (size_t)(start - name);
  if (len == 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s \"%s\" lacks a %s id at index %zu.", what,
                    name, kind, index);
  if (len <= 2 && strspn(start, ".") >= len)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "%s \"%s\" contains a %s id \"%.*s\" at index %zu.", what, name, kind, (int)len,
                    start, index);
  if (len > PSP_DOCUMENT_ID_MAX) return PSPROBE_OK; /* is told when it is written */
  memcpy(id, start, len);
  id[len] = '\0';
  return psp_documents_id_check(collection ? "Collection id" : "Resource id", id, error);
}

static psprobe_code check(const char *what, const char *name, bool document, psprobe_error *error) {
  const char *at = name, *missing = walk_root(&at);
  if (missing != NULL) return lacks(what, name, missing, at, error);
  if (!document && !*at) return PSPROBE_OK;
  do {
    for (int i = 0; i < 2; i++) { /* a collection, a document */
      if (!take(&at, "/")) return lacks(what, name, "/", at, error);
      psprobe_code code = check_id(what, name, &at, i == 0, error);
      if (code != PSPROBE_OK) return code;
    }
  } while (*at);
  return PSPROBE_OK;
}

psprobe_code psp_documents_name_fits(const char *name, psprobe_error *error) {
  for (const char *at = name, *end; *at; at = *end ? end + 1 : end) {
    end = at + strcspn(at, "/");
    if (end - at > PSP_DOCUMENT_ID_MAX)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                      "The key path element name is longer than %d bytes.", PSP_DOCUMENT_ID_MAX);
  }
  return PSPROBE_OK;
}

psprobe_code psp_documents_name_check(const char *what, const char *name, psprobe_error *error) {
  return check(what, name, true, error);
}

psprobe_code psp_documents_parent_check(const char *name, psprobe_error *error) {
  return check("Document parent name", name, false, error);
}

psprobe_code psp_documents_id_check(const char *what, const char *id, psprobe_error *error) {
  size_t len = strlen(id);
  const char *why = NULL;
  /* "__id7__" is how documents with number ids, of Datastore's time, are written. */
  bool number = psp_text_starts(id, "__id") && len > 6 && strspn(id + 4, "-0123456789") == len - 6;
  if (len == 0)
    why = "it is empty";
  else if (strchr(id, '/') != NULL)
    why = "it contains \"/\"";
  else if (strcmp(id, ".") == 0 || strcmp(id, "..") == 0 ||
           (len >= 4 && psp_text_starts(id, "__") && psp_text_ends(id, "__") && !number))
    why = "it is reserved";
  if (why == NULL) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s \"%s\" is invalid because %s.", what, id,
                  why);
}

/* ---- field paths ---- */

/* The whole path as one reserved name, or its last part so: "a.__x__". */
static const char *reserved_in(const char *text) {
  const char *dot = strrchr(text, '.'), *last = dot != NULL ? dot + 1 : text;
  size_t len = strlen(last);
  bool form = len >= 4 && psp_text_starts(last, "__") && psp_text_ends(last, "__");
  return form && strcmp(text, "__name__") != 0 ? last : NULL;
}

psprobe_code psp_documents_path_parse(const char *text, psp_documents_path *path,
                                      psprobe_error *error) {
  psp_buf names = {0};
  *path = (psp_documents_path){0};
  if (!*text)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Invalid empty property path string.");
  if (reserved_in(text) != NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Invalid reserved name in field path %s",
                    reserved_in(text));
  if (psp_field_path_parse(text, &names, NULL) != PSPROBE_OK || names.len == 0) {
    psp_buf_free(&names);
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "Invalid property path \"%s\". Unquoted property paths must match regex "
                    "([a-zA-Z_][a-zA-Z_0-9]*), and quoted property paths must match regex "
                    "(`(?:[^`\\\\]|(?:\\\\.))+`)",
                    text);
  }
  size_t count = 0, len = names.len;
  for (size_t i = 0; i < len; i++)
    count += names.data[i] == '\0';
  path->names = malloc((count + 1) * sizeof(char *));
  path->memory = psp_buf_take(&names, NULL);
  if (path->names == NULL || path->memory == NULL) {
    psp_documents_path_free(path);
    return psp_fail_memory(error, "field path");
  }
  for (char *at = path->memory; path->count < count; at += strlen(at) + 1)
    path->names[path->count++] = at;
  return PSPROBE_OK;
}

void psp_documents_path_free(psp_documents_path *path) {
  free(path->names);
  free(path->memory);
  *path = (psp_documents_path){0};
}

bool psp_documents_path_is_name(const psp_documents_path *path) {
  return path->count == 1 && strcmp(path->names[0], "__name__") == 0;
}

const psprobe_value *psp_documents_path_find(const psprobe_value *map,
                                             const psp_documents_path *path) {
  for (size_t i = 0; map != NULL && i < path->count; i++)
    map = map->type == PSPROBE_VALUE_MAP ? psprobe_value_find(map, path->names[i]) : NULL;
  return map;
}

static size_t place_of(const psprobe_value *map, const char *key) {
  size_t i = 0;
  while (i < map->as.list.count && strcmp(map->as.list.keys[i], key) != 0)
    i++;
  return i;
}

static void remove_at(psp_value_list *list, size_t at) {
  if (at == list->count) return;
  psprobe_value_free(list->items[at]);
  free(list->keys[at]);
  list->count--;
  memmove(&list->items[at], &list->items[at + 1], (list->count - at) * sizeof(psprobe_value *));
  memmove(&list->keys[at], &list->keys[at + 1], (list->count - at) * sizeof *list->keys);
  free(list->index); /* of places that are others now; it comes again when it is needed */
  list->index = NULL;
  list->index_size = 0;
}

bool psp_documents_path_put(psprobe_value *map, const psp_documents_path *path,
                            psprobe_value *value) {
  for (size_t i = 0; i + 1 < path->count; i++) {
    psp_value_list *list = &map->as.list;
    size_t at = place_of(map, path->names[i]);
    if (at == list->count || list->items[at]->type != PSPROBE_VALUE_MAP) {
      if (value == NULL) return true; /* nothing is there */
      remove_at(list, at);
      at = list->count;
      if (!psprobe_value_set(map, path->names[i], psprobe_value_map())) {
        psprobe_value_free(value);
        return false;
      }
    }
    map = list->items[at];
  }
  const char *last = path->names[path->count - 1];
  remove_at(&map->as.list, place_of(map, last));
  return value == NULL || psprobe_value_set(map, last, value);
}

/* ---- masks ---- */

psprobe_code psp_documents_mask_add(psp_documents_mask *mask, const char *text,
                                    psprobe_error *error) {
  psp_documents_path *paths = realloc(mask->paths, (mask->count + 1) * sizeof *paths);
  if (paths == NULL) return psp_fail_memory(error, "mask");
  mask->paths = paths;
  mask->set = true;
  psprobe_code code = psp_documents_path_parse(text, &paths[mask->count], error);
  if (code == PSPROBE_OK) mask->count++;
  return code;
}

void psp_documents_mask_free(psp_documents_mask *mask) {
  for (size_t i = 0; i < mask->count; i++)
    psp_documents_path_free(&mask->paths[i]);
  free(mask->paths);
  *mask = (psp_documents_mask){0};
}

/* How far a mask reaches into a value that stands below `names`. */
typedef enum reach { NOT_AT_ALL, PARTLY, WHOLLY } reach;

static reach reaches(const psp_documents_mask *mask, const char *const *names, size_t depth) {
  reach best = NOT_AT_ALL;
  for (size_t i = 0; i < mask->count; i++) {
    const psp_documents_path *path = &mask->paths[i];
    size_t same = 0;
    while (same < path->count && same < depth && strcmp(path->names[same], names[same]) == 0)
      same++;
    if (same == path->count) return WHOLLY;
    if (same == depth) best = PARTLY;
  }
  return best;
}

static psprobe_value *pick(const psp_documents_mask *mask, const psprobe_value *map,
                           const char **names, size_t depth) {
  psprobe_value *picked = psprobe_value_map();
  const char *key;
  const psprobe_value *item;
  for (size_t i = 0; picked != NULL && (item = psprobe_value_at(map, i, &key)) != NULL; i++) {
    names[depth] = key;
    reach how = reaches(mask, names, depth + 1);
    bool map_inside = how == PARTLY && item->type == PSPROBE_VALUE_MAP && depth < DEEPEST_PATH;
    if (how != WHOLLY && !map_inside) continue;
    psprobe_value *part = how == WHOLLY ? psp_value_copy(item) : pick(mask, item, names, depth + 1);
    if (part != NULL && how == PARTLY && psprobe_value_count(part) == 0) {
      psprobe_value_free(part);
      continue;
    }
    if (psprobe_value_set(picked, key, part)) continue;
    psprobe_value_free(picked);
    picked = NULL;
  }
  return picked;
}

psprobe_value *psp_documents_mask_pick(const psp_documents_mask *mask, const psprobe_value *map) {
  const char *names[DEEPEST_PATH + 1];
  return pick(mask, map, names, 0);
}
