/* SPDX-License-Identifier: MIT */
#include "base/json_items.h"

#include <string.h>

#define DEEPEST 1000 /* no text that json.h reads has so many brackets open */

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Looks at a byte of an item. @return whether it is the item's last; `rest`: it is beyond it */
static bool look(psp_json_items *items, char c, bool *rest) {
  *rest = false;
  if (items->in_string) {
    bool closes = c == '"' && !items->escaped;
    items->escaped = c == '\\' && !items->escaped;
    items->in_string = !closes;
    return closes && items->depth == 0;
  }
  if (c == '"') items->in_string = true;
  if (c == '{' || c == '[') items->depth++;
  bool closer = c == '}' || c == ']';
  if (items->depth == 0 && (closer || c == ',' || is_space(c))) return *rest = true;
  if (closer) items->depth--;
  return closer && items->depth == 0;
}

/* A byte between two items. False: it cannot stand there. */
static bool between(psp_json_items *items, char c, bool *begins) {
  *begins = false;
  if (is_space(c)) return true;
  if (items->ended) return false;
  if (c == '[' && !items->begun) return items->array = items->begun = true;
  items->begun = true;
  if (c == ',') {
    bool fits = items->array && items->any && !items->comma;
    items->comma = true;
    return fits;
  }
  if (c == ']') {
    return items->ended = items->array && !items->comma;
  }
  if ((items->any && !items->comma) || c == '}' || c == ':') return false;
  items->comma = false;
  return *begins = true;
}

/* Reads on in an item. @return whether it is whole now */
static bool read_item(psp_json_items *items, const char **data, size_t *len) {
  const char *from = *data;
  bool whole = false, rest = false;
  size_t at = 0;
  while (!whole && at < *len && items->depth < DEEPEST) {
    whole = look(items, from[at], &rest);
    if (!rest) at++;
  }
  psp_buf_add(&items->item, from, at);
  *data += at;
  *len -= at;
  return whole;
}

static bool too_large(const psp_json_items *items) {
  return items->item.failed || items->item.len > items->most || items->depth >= DEEPEST;
}

psp_json_items_found psp_json_items_take(psp_json_items *items, const char **data, size_t *len) {
  if (items->given) psp_buf_reuse(&items->item);
  items->given = false;
  while (*len > 0) {
    bool begins = items->item.len > 0;
    if (!begins) {
      if (!between(items, **data, &begins)) return PSP_JSON_ITEMS_BROKEN;
      if (!begins) {
        ++*data;
        --*len;
        continue;
      }
    }
    bool whole = read_item(items, data, len);
    if (too_large(items)) return PSP_JSON_ITEMS_LARGE;
    if (!whole) continue;
    items->any = items->given = true;
    items->ended = !items->array;
    return PSP_JSON_ITEMS_ONE;
  }
  return PSP_JSON_ITEMS_MORE;
}

bool psp_json_items_whole(const psp_json_items *items) {
  return items->ended && !items->in_string && items->depth == 0;
}

void psp_json_items_free(psp_json_items *items) {
  psp_buf_free(&items->item);
}
