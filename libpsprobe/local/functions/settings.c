/* SPDX-License-Identifier: MIT */
#include "local/functions/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"

#define DEFAULT_CONCURRENCY 1
#define DEFAULT_INSTANCES   8
#define DEFAULT_IDLE_NS     INT64_C(15000000000)
#define DEFAULT_START_NS    INT64_C(10000000000)
#define DEFAULT_GRACE_NS    INT64_C(10000000000)
#define DEFAULT_TIMEOUT_NS  INT64_C(300000000000)
#define DEFAULT_WAIT_NS     INT64_C(10000000000)
#define MAX_NAME            63

static bool is_name(const char *name) {
  size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
  return len > 0 && len <= MAX_NAME && name[len] == '\0';
}

static psprobe_code check_numbers(const psprobe_local_function_options *o, psprobe_error *error) {
  const int64_t numbers[] = {o->concurrency, o->max_instances, o->min_instances, o->idle_ns,
                             o->start_ns,    o->grace_ns,      o->timeout_ns,    o->wait_ns};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (numbers[i] < 0)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                      "add function %s: concurrency, numbers of instances and times are not "
                      "negative",
                      o->argv[0]);
  int most = o->max_instances != 0 ? o->max_instances : DEFAULT_INSTANCES;
  if (o->min_instances > most)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "add function %s: %d instances are to be kept, and there may be only %d",
                    o->argv[0], o->min_instances, most);
  return PSPROBE_OK;
}

static psprobe_code check(const psprobe_local_function_options *o, psprobe_error *error) {
  if (o->argv == NULL || o->argv[0] == NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "add function: no program is given");
  if (o->name != NULL && !is_name(o->name))
    return psp_setting_refuse(error, "function", o->name,
                              "it is no name: 1 to %d letters, digits, '-', '_' and '.'", MAX_NAME);
  for (size_t i = 0; o->env != NULL && o->env[i] != NULL; i++)
    if (strchr(o->env[i], '=') == NULL || o->env[i][0] == '=')
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                      "add function %s: entry %zu of its environment is no NAME=value", o->argv[0],
                      i + 1);
  return check_numbers(o, error);
}

static void list_free(char **list) {
  for (size_t i = 0; list != NULL && list[i] != NULL; i++)
    free(list[i]);
  free(list);
}

/* `list` may be NULL, which is an empty one. */
static char **list_copy(const char *const *list) {
  size_t count = 0;
  while (list != NULL && list[count] != NULL)
    count++;
  char **copy = calloc(count + 1, sizeof *copy);
  for (size_t i = 0; copy != NULL && i < count; i++) {
    if ((copy[i] = psp_strdup(list[i])) != NULL) continue;
    list_free(copy);
    return NULL;
  }
  return copy;
}

static int64_t or_default(int64_t value, int64_t fallback) {
  return value != 0 ? value : fallback;
}

psprobe_code psp_function_new(const psprobe_local_function_options *o, psp_function **out,
                              psprobe_error *error) {
  psprobe_code code = check(o, error);
  if (code != PSPROBE_OK) return code;
  psp_function *function = calloc(1, sizeof *function);
  if (function == NULL) return psp_fail_memory(error, "function");
  function->argv = list_copy(o->argv);
  function->env = list_copy(o->env);
  function->name = psp_strdup(o->name != NULL ? o->name : "function");
  function->concurrency = (int)or_default(o->concurrency, DEFAULT_CONCURRENCY);
  function->max_instances = (int)or_default(o->max_instances, DEFAULT_INSTANCES);
  function->min_instances = o->min_instances;
  function->idle_ns = or_default(o->idle_ns, DEFAULT_IDLE_NS);
  function->start_ns = or_default(o->start_ns, DEFAULT_START_NS);
  function->grace_ns = or_default(o->grace_ns, DEFAULT_GRACE_NS);
  function->timeout_ns = or_default(o->timeout_ns, DEFAULT_TIMEOUT_NS);
  function->wait_ns = or_default(
      o->wait_ns, function->start_ns > DEFAULT_WAIT_NS ? function->start_ns : DEFAULT_WAIT_NS);
  if (function->argv != NULL && function->env != NULL && function->name != NULL) {
    *out = function;
    return PSPROBE_OK;
  }
  psp_function_free(function);
  return psp_fail_memory(error, "function");
}

void psp_function_free(psp_function *function) {
  list_free(function->argv);
  list_free(function->env);
  free(function->name);
  free(function->url);
  free(function->prefix);
  free(function);
}
