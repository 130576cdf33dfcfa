/* SPDX-License-Identifier: MIT */
/** @file Every form of a report, of every odd set of probes: none crashes, none prints NaN, none
 * lets a name out as markup, and a narrow terminal is not written past. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "report/table.h"

#define MS   1000000LL
#define EVIL "<script>alert(1)</script>"

typedef struct probe {
  int64_t elapsed[2]; /* -1: lost */
  bool cold;
} probe;

static psprobe_report *report_of(const probe *probes, size_t n, size_t sources, const char *name) {
  const char *names[] = {name, "regular_service"};
  psprobe_run run = {.project = "demo-project",
                     .topic = "probes",
                     .host = EVIL,
                     .version = "0",
                     .interval_ns = 5000 * MS,
                     .started_wall_ns = 1555377773000000000};
  psp_columns c = {0};
  psprobe_report *report = NULL;
  psprobe_error error = {0};
  psp_columns_set_sources(&c, names, sources);
  psp_columns_add_run(&c, &run);
  for (size_t i = 0; i < n; i++) {
    psprobe_result r = {.sent_wall_ns = 1555377773000000000 + (int64_t)i * 5000 * MS,
                        .publish_ns = 2 * MS,
                        .source_count = sources};
    snprintf(r.id, sizeof r.id, "%032zx", i);
    for (size_t k = 0; k < sources; k++)
      r.answers[k] =
          (psprobe_answer){.status = probes[i].elapsed[k] < 0 ? PSPROBE_LOST : PSPROBE_ANSWERED,
                           .elapsed_ns = probes[i].elapsed[k] < 0 ? 0 : probes[i].elapsed[k],
                           .cold = k == 0 && probes[i].cold,
                           .handled_ns = MS};
    psp_columns_add(&c, 0, &r, r.sent_wall_ns + 100 * MS);
  }
  if (psp_report_new(&c, &report, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  psp_columns_free(&c);
  return report;
}

static void no_nan(const char *what, const char *text) {
  static const char *const bad[] = {"nan", "NaN", "inf,", "Infinity", "-nan", "(null)"};
  assert_non_null(text);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    if (strstr(text, bad[i]) != NULL) fail_msg("%s holds %s", what, bad[i]);
}

/* The data that the page carries is JSON. */
static void data_is_json(const char *html) {
  static const char open[] = "id=\"data\">";
  const char *from = strstr(html, open);
  assert_non_null(from);
  from += strlen(open);
  const char *to = strstr(from, "</script>");
  psp_json *json = NULL;
  psprobe_error error = {0};
  if (psp_json_parse(from, (size_t)(to - from), "page", &json, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  psp_json_free(json);
}

static void all_forms(psprobe_report *report) {
  psprobe_text_options narrow = {.width = 20, .ascii = true}, wide = {.width = 200, .color = true};
  char *forms[] = {psprobe_report_text(report, &narrow), psprobe_report_text(report, &wide),
                   psprobe_report_table(report),         psprobe_report_csv(report),
                   psprobe_report_json(report),          psprobe_report_markdown(report),
                   psprobe_report_html(report)};
  psp_json *json = NULL;
  for (size_t i = 0; i + 1 < sizeof forms / sizeof *forms; i++)
    no_nan("a form", forms[i]);
  assert_int_equal(psp_json_parse(forms[4], strlen(forms[4]), "json", &json, NULL), PSPROBE_OK);
  psp_json_free(json);
  const char *html = forms[6];
  assert_non_null(html);
  data_is_json(html);
  if (strstr(html, EVIL) != NULL) fail_msg("a name got out as markup");
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
    free(forms[i]);
  psprobe_report_free(report);
}

static void odd_sets_of_probes_have_every_form(void **state) {
  static const probe one[] = {{{40 * MS, 38 * MS}, false}};
  static const probe lost[] = {{{-1, -1}, false}, {{-1, -1}, false}};
  static const probe half[] = {{{-1, 38 * MS}, false}, {{40 * MS, -1}, true}};
  static const probe equal[] = {{{MS, MS}, false}, {{MS, MS}, false}, {{MS, MS}, false}};
  static const probe hour[] = {
      {{MS, 2 * MS}, false}, {{3600000 * MS, 2 * MS}, false}, {{MS, 2 * MS}, true}};
  static const probe clock[] = {{{0, 0}, false}, {{0, 1}, false}};
  (void)state;
  all_forms(report_of(NULL, 0, 2, "cloud_function"));
  all_forms(report_of(NULL, 0, 0, "cloud_function"));
  all_forms(report_of(one, 1, 2, "cloud_function"));
  all_forms(report_of(one, 1, 1, "cloud_function"));
  all_forms(report_of(lost, 2, 2, "cloud_function"));
  all_forms(report_of(half, 2, 2, "cloud_function"));
  all_forms(report_of(equal, 3, 2, "cloud_function"));
  all_forms(report_of(hour, 3, 2, "cloud_function"));
  all_forms(report_of(clock, 2, 2, "cloud_function"));
  all_forms(report_of(hour, 3, 2, EVIL));
}

static void a_narrow_terminal_is_not_written_past(void **state) {
  static const probe probes[] = {{{40 * MS, 38 * MS}, false}, {{41 * MS, 39 * MS}, false}};
  (void)state;
  for (int width = 40; width <= 200; width += 7) {
    psprobe_report *report = report_of(probes, 2, 2, "cloud_function");
    psprobe_text_options options = {.width = width};
    char *text = psprobe_report_text(report, &options);
    assert_non_null(text);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
      if (psp_text_width(line) > width) fail_msg("%d columns: %s", width, line);
    free(text);
    psprobe_report_free(report);
  }
}

static void colour_and_blocks_are_left_away_when_not_wanted(void **state) {
  static const probe probes[] = {{{40 * MS, 38 * MS}, false}, {{90 * MS, 39 * MS}, false}};
  psprobe_report *report = report_of(probes, 2, 2, "cloud_function");
  psprobe_text_options plain = {.width = 100, .ascii = true};
  psprobe_text_options rich = {.width = 100, .color = true};
  char *text = psprobe_report_text(report, &plain);
  (void)state;
  assert_null(strchr(text, '\x1b'));
  for (const char *c = text; *c != '\0'; c++)
    assert_in_range((unsigned char)*c, 1, 126);
  free(text);
  text = psprobe_report_text(report, &rich);
  assert_non_null(strstr(text, "\x1b[38;5;"));
  assert_non_null(strstr(text, "\xE2\x96\x88"));
  free(text);
  psprobe_report_free(report);
}

static void two_runs_are_compared(void **state) {
  probe before[200], after[200];
  psprobe_error error = {0};
  char *text = NULL;
  (void)state;
  for (int i = 0; i < 200; i++) {
    before[i] = (probe){{(50 + i * 7 % 13) * MS, (40 + i * 7 % 13) * MS}, false};
    after[i] = (probe){{(40 + i * 7 % 13) * MS, (40 + i * 5 % 13) * MS}, false};
  }
  psprobe_report *a = report_of(before, 200, 2, "cloud_function");
  psprobe_report *b = report_of(after, 200, 2, "cloud_function");
  psprobe_text_options wide = {.width = 500};
  if (psprobe_report_before_after(a, b, &wide, &text, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  assert_non_null(strstr(text, "cloud_function: 56 ms at the median before (200 answers), 46 ms"));
  assert_non_null(strstr(text, "10.0 ms faster (change, 95 % interval -12.0 to -8.0 ms)"));
  assert_non_null(strstr(text, "regular_service: "));
  assert_non_null(strstr(text, "no change that these runs can tell"));
  free(text);
  psprobe_report_free(a);
  psprobe_report_free(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(odd_sets_of_probes_have_every_form),
      cmocka_unit_test(a_narrow_terminal_is_not_written_past),
      cmocka_unit_test(colour_and_blocks_are_left_away_when_not_wanted),
      cmocka_unit_test(two_runs_are_compared),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
