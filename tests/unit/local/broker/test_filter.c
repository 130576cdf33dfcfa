/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "local/broker/filter.h"

static void test_passes(void **state) {
  (void)state;
  static const psp_pair pairs[] = {
      {"lang", "en"}, {"empty", ""}, {"iana.org/tag", "de-CH"}, {"odd", "a\"b\\c"}};
  static const struct {
    const char *filter;
    bool passes;
  } cases[] = {
      {NULL, true},
      {"", true},
      {"attributes:lang", true},
      {"attributes:nothing", false},
      {"attributes:empty", true},
      {"attributes.lang = \"en\"", true},
      {"attributes.lang=\"EN\"", false},
      {"attributes.lang != \"en\"", false},
      {"attributes.lang != \"de\"", true},
      {"attributes.nothing != \"de\"", false},
      {"NOT attributes.nothing = \"de\"", true},
      {"-attributes:nothing", true},
      {"NOT NOT attributes:lang", true},
      {"hasPrefix(attributes.\"iana.org/tag\", \"de-\")", true},
      {"hasPrefix(attributes.lang, \"\")", true},
      {"hasPrefix(attributes.lang, \"eng\")", false},
      {"attributes:\"iana.org/tag\" AND attributes.lang = \"de\"", false},
      {"attributes.lang = \"de\" OR attributes:\"iana.org/tag\"", true},
      {"attributes.lang = \"de\" OR (attributes:lang AND NOT attributes:nothing)", true},
      {"(attributes:lang OR attributes:x) AND (attributes:y OR -attributes:empty)", false},
      {"attributes.odd = \"a\\\"b\\\\c\"", true},
      {" attributes : lang  AND\tattributes . lang  !=  \"x\" ", true},
      {"attributes:AND AND attributes:NOT", false},
  };
  psp_letter *letter = psp_letter_new("", 0, pairs, sizeof pairs / sizeof *pairs, NULL);
  assert_non_null(letter);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    if (cases[i].filter != NULL && *cases[i].filter != 0 &&
        psp_broker_filter_check(cases[i].filter, &error) != PSPROBE_OK)
      fail_msg("%s: %s", cases[i].filter, error.message);
    if (psp_broker_filter_passes(cases[i].filter, letter) != cases[i].passes)
      fail_msg("%s: not %s", cases[i].filter, cases[i].passes ? "passed" : "held back");
  }
  psp_letter_unref(letter);
}

static void test_refused(void **state) {
  (void)state;
  static const struct {
    const char *filter, *why;
  } cases[] = {
      {"", "at character 1"},
      {"lang", "attributes, hasPrefix, NOT or a parenthesis expected"},
      {"attributes", "at character 11, . expected"},
      {"attributes:", "a key expected"},
      {"attributes.lang", "= expected"},
      {"attributes.lang = en", "\" expected"},
      {"attributes.lang = \"en", "a quotation mark expected"},
      {"attributes.lang = \"en\" attributes:x", "AND, OR or the end expected"},
      {"attributes:a AND attributes:b OR attributes:c", "parentheses around AND or OR"},
      {"attributes:a and attributes:b", "AND, OR or the end"},
      {"(attributes:a", ") expected"},
      {"attributes:a)", "AND, OR or the end"},
      {"hasPrefix(attributes.a)", ", expected"},
      {"hasprefix(attributes.a, \"b\")", "at character 1"},
      {"attributes:a AND", "at character 17"},
      {"attributesx:a", "at character 1"},
  };
  psprobe_error error = {0};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(psp_broker_filter_check(cases[i].filter, &error), PSPROBE_INVALID_ARGUMENT);
    if (strstr(error.message, cases[i].why) == NULL)
      fail_msg("%s: \"%s\" does not hold \"%s\"", cases[i].filter, error.message, cases[i].why);
  }
  char longest[400];
  memset(longest, '(', sizeof longest);
  longest[256] = 0; /* as deep as a filter can be */
  assert_int_equal(psp_broker_filter_check(longest, &error), PSPROBE_INVALID_ARGUMENT);
  memset(longest, ' ', sizeof longest);
  longest[257] = 0;
  assert_int_equal(psp_broker_filter_check(longest, &error), PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "more than 256 bytes"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_passes), cmocka_unit_test(test_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
