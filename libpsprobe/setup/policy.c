/* SPDX-License-Identifier: MIT */
/**
 * @file IAM policies, read, edited and written back: whatever we do not know of stays as it is, and
 * so does the etag, by which a policy that somebody else has changed meanwhile is not overwritten
 * (https://cloud.google.com/iam/docs/policies#etag). A binding with a condition is another one than
 * the same role without.
 */
#include <string.h>

#include "base/text.h"
#include "setup/parts.h"

static bool is_plain(const psp_json *binding, const char *role) {
  return psp_text_equal(psp_json_string(psp_json_get(binding, "role")), role) &&
         psp_json_get(binding, "condition") == NULL;
}

static bool names(const psp_json *binding, const char *member) {
  const psp_json *item = psp_json_first(psp_json_get(binding, "members"));
  while (item != NULL && !psp_text_equal(psp_json_string(item), member))
    item = psp_json_next(item);
  return item != NULL;
}

bool psp_policy_has(const psp_json *policy, const char *role, const char *member) {
  const psp_json *b = psp_json_first(psp_json_get(policy, "bindings"));
  while (b != NULL && !(is_plain(b, role) && names(b, member)))
    b = psp_json_next(b);
  return b != NULL;
}

/* What is done to a policy. */
typedef struct edit {
  const psp_grant *grants;
  const char *const *members; /* by grant */
  size_t count;
  bool take_away;
} edit;

static bool is_taken(const edit *e, const psp_json *binding, const char *member) {
  for (size_t i = 0; e->take_away && i < e->count; i++)
    if (is_plain(binding, e->grants[i].role) && psp_text_equal(e->members[i], member)) return true;
  return false;
}

static size_t count_left(const edit *e, const psp_json *binding) {
  size_t left = 0;
  const psp_json *item = psp_json_first(psp_json_get(binding, "members"));
  for (; item != NULL; item = psp_json_next(item))
    left += !is_taken(e, binding, psp_json_string(item));
  return left;
}

/* The first plain binding of a role takes its new members. */
static bool is_first(const psp_json *bindings, const psp_json *binding, const char *role) {
  const psp_json *b = psp_json_first(bindings);
  while (b != NULL && !is_plain(b, role))
    b = psp_json_next(b);
  return b == binding;
}

static void put_members(const edit *e, const psp_json *policy, const psp_json *binding,
                        psp_json_writer *w) {
  const psp_json *item = psp_json_first(psp_json_get(binding, "members"));
  psp_json_begin_array(w);
  for (; item != NULL; item = psp_json_next(item))
    if (!is_taken(e, binding, psp_json_string(item))) psp_json_put_json(w, item);
  for (size_t i = 0; !e->take_away && i < e->count; i++)
    if (is_first(psp_json_get(policy, "bindings"), binding, e->grants[i].role) &&
        !psp_policy_has(policy, e->grants[i].role, e->members[i]))
      psp_json_put_string(w, e->members[i]);
  psp_json_end_array(w);
}

static void put_binding(const edit *e, const psp_json *policy, const psp_json *binding,
                        psp_json_writer *w) {
  psp_json_begin_object(w);
  const psp_json *m = psp_json_first(binding);
  for (; m != NULL; m = psp_json_next(m)) {
    psp_json_put_key(w, psp_json_key(m));
    if (strcmp(psp_json_key(m), "members") == 0)
      put_members(e, policy, binding, w);
    else
      psp_json_put_json(w, m);
  }
  psp_json_end_object(w);
}

/* A role that no plain binding has yet, for each of its members at once. */
static void put_new(const edit *e, const psp_json *policy, size_t first, psp_json_writer *w) {
  const char *role = e->grants[first].role;
  for (size_t i = 0; i < first; i++)
    if (strcmp(e->grants[i].role, role) == 0) return;
  const psp_json *b = psp_json_first(psp_json_get(policy, "bindings"));
  for (; b != NULL; b = psp_json_next(b))
    if (is_plain(b, role)) return;
  psp_json_begin_object(w);
  psp_json_put_member(w, "role", role);
  psp_json_begin_array_member(w, "members");
  for (size_t i = first; i < e->count; i++)
    if (strcmp(e->grants[i].role, role) == 0) psp_json_put_string(w, e->members[i]);
  psp_json_end_array(w);
  psp_json_end_object(w);
}

static void put_bindings(const edit *e, const psp_json *policy, psp_json_writer *w) {
  psp_json_begin_array_member(w, "bindings");
  const psp_json *b = psp_json_first(psp_json_get(policy, "bindings"));
  for (; b != NULL; b = psp_json_next(b))
    if (count_left(e, b) > 0) put_binding(e, policy, b, w);
  for (size_t i = 0; !e->take_away && i < e->count; i++)
    put_new(e, policy, i, w);
  psp_json_end_array(w);
}

void psp_policy_body(const psp_json *policy, const psp_grant *grants, const char *const *members,
                     size_t count, bool take_away, psp_buf *body) {
  const edit e = {grants, members, count, take_away};
  psp_json_writer w = {.buf = body};
  psp_json_begin_object(&w);
  psp_json_begin_object_member(&w, "policy");
  const psp_json *m = psp_json_first(policy);
  for (; m != NULL; m = psp_json_next(m)) {
    if (strcmp(psp_json_key(m), "bindings") == 0) continue;
    psp_json_put_key(&w, psp_json_key(m));
    psp_json_put_json(&w, m);
  }
  put_bindings(&e, policy, &w);
  psp_json_end_object(&w);
  psp_json_end_object(&w);
}
