/* SPDX-License-Identifier: MIT */
#include "functions/targets.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"

static const struct {
  const char *name;
  unsigned kinds; /* the one it is, and those that do as well */
} types[] = {
    {"http", 1U << PSPROBE_TARGET_HTTP | 1U << PSPROBE_TARGET_TYPED},
    {"typed", 1U << PSPROBE_TARGET_TYPED},
    {"cloudevent", 1U << PSPROBE_TARGET_CLOUDEVENT | 1U << PSPROBE_TARGET_MESSAGE},
    {"event", 1U << PSPROBE_TARGET_EVENT | 1U << PSPROBE_TARGET_MESSAGE},
};
#define TYPES (sizeof types / sizeof *types)

static const char *const kind_names[] = {"http", "typed", "cloudevent", "event", "message"};

/* "hello (message), page (http)", cut to fit. */
static const char *list_of(const psprobe_target *targets, size_t count, char *out, size_t size) {
  size_t len = 0;
  *out = 0;
  for (size_t i = 0; i < count && len < size; i++) {
    int more = snprintf(out + len, size - len, "%s%s (%s)", i > 0 ? ", " : "", targets[i].name,
                        kind_names[targets[i].kind]);
    len += more > 0 ? (size_t)more : 0;
  }
  return out;
}

/* Every kind for no type; 0: there is no such type. */
static unsigned kinds_of(const char *type) {
  if (type == NULL || *type == 0) return ~0U;
  for (size_t i = 0; i < TYPES; i++)
    if (strcmp(types[i].name, type) == 0) return types[i].kinds;
  return 0;
}

/* The first that is just of the type, or else the first that does as well. */
static const psprobe_target *first_of(const psprobe_target *targets, size_t count,
                                      const char *type) {
  unsigned kinds = kinds_of(type);
  for (size_t i = 0; i < count; i++)
    if (strcmp(kind_names[targets[i].kind], type) == 0) return &targets[i];
  for (size_t i = 0; i < count; i++)
    if (kinds >> targets[i].kind & 1) return &targets[i];
  return NULL;
}

/* What a target is stands in the program: a type beside its name only tells two of one name apart.
 */
static const psprobe_target *named(const psprobe_target *targets, size_t count, const char *name,
                                   const char *type) {
  const psprobe_target *found = NULL;
  for (size_t i = 0; i < count; i++) {
    if (!psp_text_equal(targets[i].name, name)) continue;
    if (found == NULL) found = &targets[i];
    if (kinds_of(type) >> targets[i].kind & 1) return &targets[i];
  }
  return found;
}

psprobe_code psp_target_choose(const psprobe_target *targets, size_t count, const char *name,
                               const char *type, const psprobe_target **target,
                               psprobe_error *error) {
  char all[300], shown[PSP_SHOWN_SIZE];
  list_of(targets, count, all, sizeof all);
  if (kinds_of(type) == 0)
    return psp_setting_refuse(error, "FUNCTION_SIGNATURE_TYPE", type,
                              "there is http, typed, cloudevent and event");
  if (name != NULL && *name != 0) {
    *target = named(targets, count, name, type);
    if (*target != NULL) return PSPROBE_OK;
    return psp_fail(error, PSPROBE_NOT_FOUND, "FUNCTION_TARGET \"%s\": there is %s",
                    psp_setting_shown(shown, sizeof shown, name), all);
  }
  bool typed = type != NULL && *type != 0;
  if (!typed && count != 1)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "which function is to be served? Set FUNCTION_TARGET to one of: %s", all);
  *target = typed ? first_of(targets, count, type) : targets;
  if (*target != NULL) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_NOT_FOUND, "no function is of the type %s: there is %s", type,
                  all);
}
