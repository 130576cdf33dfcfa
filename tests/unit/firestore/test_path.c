/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firestore/path.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const struct {
  const char *path;
  const char *document, *collection; /* what the message says; NULL: it is one */
} paths[] = {
    {"a/b", NULL, "a collection has an odd number"},
    {"a", "a document has an even number", NULL},
    {"a/b/c", "even number", NULL},
    {"a/b/c/d", NULL, "odd number"},
    {"", "empty id", "empty id"},
    {"/", "empty id", "empty id"},
    {"/a/b", "empty id", "empty id"},
    {"a/b/", "empty id", "empty id"},
    {"a//b", "empty id", "empty id"},
    {".", ". or ..", ". or .."},
    {"a/..", ". or ..", ". or .."},
    {"a/...", NULL, "odd number"},
    {"a/__x__", "of the form __x__", "of the form __x__"},
    {"__x__", "of the form __x__", "of the form __x__"},
    {"a/__id7__", NULL, "odd number"},
    {"a/__id__", "of the form __x__", "of the form __x__"},
    {"__id7__", "of the form __x__", "of the form __x__"},
    {"a/__id7x__", "of the form __x__", "of the form __x__"},
    {"a/__x", NULL, "odd number"},
    {"a/ :?%#&", NULL, "odd number"},
    {"a/\xC3\xA9", NULL, "odd number"},
    {"a/\xC3", "not UTF-8", "not UTF-8"},
    {"a/x\xC0\x80y", NULL, "odd number"},
    {"projects/p/databases/(default)/documents/a/b", "full name", "full name"},
    {"projects/p1/documents/d1", NULL, "odd number"}, /* a collection may be called so */
    {"projects/p1/tasks/documents/x/y", NULL, "odd number"},
    {NULL, "no path", "no path"},
};

static void expect(const char *path, psprobe_code code, const psprobe_error *error,
                   const char *rule) {
  if (rule == NULL && code == PSPROBE_OK) return;
  if (rule == NULL || code != PSPROBE_INVALID_ARGUMENT || strstr(error->message, rule) == NULL)
    fail_msg("%s: %d, \"%s\"", path != NULL ? path : "(null)", code, error->message);
}

static void paths_are_checked(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(paths); i++) {
    psprobe_error error = {0};
    expect(paths[i].path, psp_document_path_check(paths[i].path, &error), &error,
           paths[i].document);
    expect(paths[i].path, psp_collection_path_check(paths[i].path, &error), &error,
           paths[i].collection);
  }
}

static void paths_have_limits(void **state) {
  (void)state;
  psprobe_error error = {0};
  char id[1510] = "a/";
  memset(id + 2, 'x', 1501);
  expect("1501", psp_document_path_check(id, &error), &error, "1500 bytes");
  id[2 + 1500] = '\0';
  expect("1500", psp_document_path_check(id, &error), &error, NULL);
  psp_buf deep = {0};
  for (int i = 0; i < 100; i++)
    psp_buf_text(&deep, i ? "/a/b" : "a/b");
  expect("100 levels", psp_document_path_check(deep.data, &error), &error, NULL);
  psp_buf_text(&deep, "/a/b");
  expect("101 levels", psp_document_path_check(deep.data, &error), &error, "more than 100");
  for (int i = 0; i < 5; i++)
    psp_buf_printf(&deep, "/a/%s", id + 2);
  expect("7 KiB", psp_document_path_check(deep.data, &error), &error, "longer than 6 KiB");
  psp_buf_free(&deep);
}

static void ids_are_checked(void **state) {
  (void)state;
  psprobe_error error = {0};
  expect("b", psp_document_id_check("b", &error), &error, NULL);
  expect("__id12__", psp_document_id_check("__id12__", &error), &error, NULL);
  expect("a/b", psp_document_id_check("a/b", &error), &error, "slash");
  expect("", psp_document_id_check("", &error), &error, "empty");
  expect("..", psp_document_id_check("..", &error), &error, ". or ..");
}

static void names_and_urls(void **state) {
  (void)state;
  static const struct {
    const char *path, *name, *url;
  } cases[] = {
      {NULL, "projects/p/databases/(default)/documents",
       "/v1/projects/p/databases/%28default%29/documents"},
      {"c/d", "projects/p/databases/(default)/documents/c/d",
       "/v1/projects/p/databases/%28default%29/documents/c/d"},
      {"c/a b:?%+&#\xC3\xA9", "projects/p/databases/(default)/documents/c/a b:?%+&#\xC3\xA9",
       "/v1/projects/p/databases/%28default%29/documents/c/a%20b%3A%3F%25%2B%26%23%C3%A9"},
      {"c/x\xC0\x80y\xC0\x80/e", "projects/p/databases/(default)/documents/c/x\xC0\x80y\xC0\x80/e",
       "/v1/projects/p/databases/%28default%29/documents/c/x%00y%00/e"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    psp_buf name = {0}, url = {0};
    psp_path_name(&name, "p", "(default)", cases[i].path);
    psp_path_url(&url, "p", "(default)", cases[i].path);
    assert_string_equal(name.data, cases[i].name);
    assert_string_equal(url.data, cases[i].url);
    psp_buf_free(&name);
    psp_buf_free(&url);
  }
}

static void new_ids_differ(void **state) {
  (void)state;
  char ids[200][PSP_DOCUMENT_ID_SIZE];
  psprobe_error error = {0};
  for (size_t i = 0; i < COUNT(ids); i++) {
    assert_true(psp_document_id_new(ids[i]));
    assert_int_equal(strlen(ids[i]), 20);
    assert_int_equal(strspn(ids[i],
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                            "0123456789"),
                     20);
    assert_int_equal(psp_document_id_check(ids[i], &error), PSPROBE_OK);
    for (size_t j = 0; j < i; j++)
      assert_string_not_equal(ids[i], ids[j]);
  }
}

static const struct {
  const char *path;
  const char *names; /* joined by '|'; NULL: refused */
} field_paths[] = {
    {"a", "a"},
    {"_a1.B", "_a1|B"},
    {"`a-b`", "a-b"},
    {"m.`x&y`.z", "m|x&y|z"},
    {"`bt\\`x`", "bt`x"},
    {"`\\\\`", "\\"},
    {"`a\\\\b`", "a\\b"},
    {"`a.b`", "a.b"},
    {"`\xC3\xA9`", "\xC3\xA9"},
    {"__name__", "__name__"},
    {"`__x`", "__x"},
    {"", NULL},
    {".", NULL},
    {"a.", NULL},
    {".a", NULL},
    {"a..b", NULL},
    {"1a", NULL},
    {"a-b", NULL},
    {"a b", NULL},
    {"\xC3\xA9", NULL},
    {"`", NULL},
    {"``", NULL},
    {"`a", NULL},
    {"`a\\", NULL},
    {"`a\\`", NULL},
    {"`a\\n`", NULL},
    {"`a`b", NULL},
    {"a`b`", NULL},
    {"`a``b`", NULL},
    {"__x__", NULL},
    {"a.__x__", NULL},
    {"a.__name__", NULL},
    {"`\xFF`", NULL},
    {NULL, NULL},
};

static void field_paths_come_apart(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(field_paths); i++) {
    psp_buf names = {0};
    psprobe_error error = {0};
    psprobe_code code = psp_field_path_parse(field_paths[i].path, &names, &error);
    assert_int_equal(psp_field_path_parse(field_paths[i].path, NULL, NULL), code);
    if (field_paths[i].names == NULL) {
      if (code != PSPROBE_INVALID_ARGUMENT) fail_msg("taken: %s", field_paths[i].path);
      assert_int_equal(names.len, 0);
    } else {
      if (code != PSPROBE_OK) fail_msg("%s", error.message);
      for (size_t at = 0; at + 1 < names.len; at++)
        if (names.data[at] == '\0') names.data[at] = '|';
      assert_string_equal(names.data, field_paths[i].names);
    }
    psp_buf_free(&names);
  }
}

/* 1,500 bytes with its dots, whatever the quotes take. */
static void a_field_path_has_a_length(void **state) {
  (void)state;
  static char path[1504];
  psprobe_error error = {0};
  memset(path, 'x', 1500);
  path[700] = '.';
  assert_int_equal(psp_field_path_parse(path, NULL, &error), PSPROBE_OK);
  path[1500] = 'x';
  assert_int_equal(psp_field_path_parse(path, NULL, &error), PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "longer than 1500 bytes"));
  path[0] = path[1501] = '`';
  path[700] = '-';
  assert_int_equal(psp_field_path_parse(path, NULL, &error), PSPROBE_OK);
}

static void what_is_quoted_reads_back(void **state) {
  (void)state;
  static const char *const names[][2] = {{"a", "a"},           {"_9", "_9"},
                                         {"9", "`9`"},         {"a-b", "`a-b`"},
                                         {"`", "`\\``"},       {"\\", "`\\\\`"},
                                         {"a.b", "`a.b`"},     {" ", "` `"},
                                         {"\\`", "`\\\\\\``"}, {"\xC3\xA9", "`\xC3\xA9`"}};
  for (size_t i = 0; i < COUNT(names); i++) {
    psp_buf path = {0}, back = {0};
    psp_field_path_quote(&path, names[i][0]);
    assert_string_equal(path.data, names[i][1]);
    assert_int_equal(psp_field_path_parse(path.data, &back, NULL), PSPROBE_OK);
    assert_string_equal(back.data, names[i][0]);
    psp_buf_free(&path);
    psp_buf_free(&back);
  }
}

static const psprobe_value *at(const psprobe_value *map, const char *path) {
  const psprobe_value *found = NULL;
  psprobe_code code = psp_value_find_path(map, path, &found, NULL);
  assert_int_equal(code, strcmp(path, "m.") == 0 ? PSPROBE_INVALID_ARGUMENT : PSPROBE_OK);
  return found;
}

static void finds_by_field_path(void **state) {
  (void)state;
  psprobe_value *map = psprobe_value_map(), *inner = psprobe_value_map();
  psprobe_value_set(inner, "x&y", psprobe_value_integer(1));
  psprobe_value_set(map, "m", inner);
  psprobe_value_set(map, "a.b", psprobe_value_integer(2));
  assert_ptr_equal(at(map, "m"), inner);
  assert_ptr_equal(at(map, "m.`x&y`"), psprobe_value_find(inner, "x&y"));
  assert_ptr_equal(at(map, "`a.b`"), psprobe_value_find(map, "a.b"));
  assert_null(at(map, "a.b"));
  assert_null(at(map, "m.`x&y`.z"));
  assert_null(at(map, "m."));
  assert_null(at(NULL, "m"));
  psprobe_value_free(map);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(paths_are_checked),
      cmocka_unit_test(paths_have_limits),
      cmocka_unit_test(ids_are_checked),
      cmocka_unit_test(names_and_urls),
      cmocka_unit_test(new_ids_differ),
      cmocka_unit_test(field_paths_come_apart),
      cmocka_unit_test(a_field_path_has_a_length),
      cmocka_unit_test(what_is_quoted_reads_back),
      cmocka_unit_test(finds_by_field_path),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
