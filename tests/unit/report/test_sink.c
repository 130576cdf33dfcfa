/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/sink.h"

#define NOTHING_WIDE "\xE2\x80\x8B"

typedef struct row {
  const char *text, *want;
} row;

static void expect(psp_sink (*sink)(psp_buf *), const row *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    psp_buf out = {0};
    psp_sink to = sink(&out);
    psp_sink_text(&to, rows[i].text);
    assert_string_equal(out.data, rows[i].want);
    psp_buf_free(&out);
  }
}

static void nothing_steers_a_terminal(void **state) {
  (void)state;
  static const row rows[] = {{"\x1b]0;owned\a", "\\x1B]0;owned\\x07"},
                             {"a\rb\tc\x7f", "a\\x0Db\\x09c\\x7F"},
                             {"a\nb", "a\nb"},
                             {"\xC2\x9B"
                              "2J",
                              "\\xC2\\x9B2J"},
                             {"a\xE2\x80\xAE"
                              "b\xE2\x81\xA6",
                              "a\\xE2\\x80\\xAEb\\xE2\\x81\\xA6"},
                             {"M\xFCnchen", "M\\xFCnchen"},
                             {"M\xC3\xBCnchen", "M\xC3\xBCnchen"}};
  expect(psp_sink_terminal, rows, sizeof rows / sizeof *rows);
}

static void nobody_is_pinged_by_markdown(void **state) {
  (void)state;
  static const row rows[] = {{"@octocat", "@" NOTHING_WIDE "octocat"},
                             {"#1", "\\#" NOTHING_WIDE "1"},
                             {"a#1", "a#" NOTHING_WIDE "1"},
                             {"GH-1", "GH-" NOTHING_WIDE "1"},
                             {"https://a", "https:/" NOTHING_WIDE "/a"},
                             {"a|b", "a\\|b"},
                             {"<img>", "\\<img\\>"},
                             {"- a\n+ b", "\\- a\n\\+ b"},
                             {"a-b_c", "a-b\\_c"},
                             {"&lt;$x$~~", "\\&lt;\\$x\\$\\~\\~"},
                             {":tada:", ":" NOTHING_WIDE "tada:"}};
  expect(psp_sink_markdown, rows, sizeof rows / sizeof *rows);
}

static void pages_labels_and_pictures_hold_text(void **state) {
  (void)state;
  static const row html[] = {{"<b a=\"'&>", "&lt;b a=&quot;&#39;&amp;&gt;"}};
  static const row metrics[] = {{"a\"b\\c\nd", "a\\\"b\\\\c\\nd"}};
  static const row gnuplot[] = {{"`id` \" . system(\"x\") #\nEOD", "`id` ' . system('x') # EOD"}};
  expect(psp_sink_html, html, 1);
  expect(psp_sink_metrics, metrics, 1);
  expect(psp_sink_gnuplot, gnuplot, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_steers_a_terminal),
      cmocka_unit_test(nobody_is_pinged_by_markdown),
      cmocka_unit_test(pages_labels_and_pictures_hold_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
