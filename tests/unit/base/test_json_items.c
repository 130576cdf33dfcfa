/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_items.h"

/* The items of a text that comes in pieces, each in its own brackets: "<1><2>"; "!" where it is
 * broken, "#" where one is too large, "." where it is whole. */
static void split(const char *text, size_t piece, size_t most, char out[256]) {
  psp_json_items items = {.most = most};
  size_t len = strlen(text);
  out[0] = '\0';
  for (size_t at = 0; at < len; at += piece) {
    const char *data = text + at;
    size_t left = len - at < piece ? len - at : piece;
    psp_json_items_found found;
    while ((found = psp_json_items_take(&items, &data, &left)) == PSP_JSON_ITEMS_ONE)
      strcat(strcat(strcat(out, "<"), items.item.data), ">");
    if (found == PSP_JSON_ITEMS_MORE) continue;
    strcat(out, found == PSP_JSON_ITEMS_LARGE ? "#" : "!");
    break;
  }
  if (psp_json_items_whole(&items)) strcat(out, ".");
  psp_json_items_free(&items);
}

static void splits_however_it_is_cut(void **state) {
  (void)state;
  static const struct {
    const char *text, *items;
  } cases[] = {
      {"[]", "."},
      {" [\n\n] \n", "."},
      {"[1]", "<1>."},
      {"[ 1 , \"a,]b\" ,{\"k\":[1,{}]}, [] ,true]", "<1><\"a,]b\"><{\"k\":[1,{}]}><[]><true>."},
      {"[\"a\\\"]\",\"\\\\\"]", "<\"a\\\"]\"><\"\\\\\">."},
      {"[{\"a\":\"}\"},{}]", "<{\"a\":\"}\"}><{}>."},
      {"{\"error\":[1]}\n", "<{\"error\":[1]}>."},
      {"\"x\"", "<\"x\">."},
      {"[1,2", "<1>"},
      {"[{\"a\":", ""},
      {"", ""},
      {"[1,]", "<1>!"},
      {"[,1]", "!"},
      {"[1 2]", "<1>!"},
      {"[{}{}]", "<{}>!"},
      {"[1]]", "<1>!."},
      {"{} {}", "<{}>!."},
      {"]", "!"},
      {"}", "!"},
      {"[\"12345678901234567\"]", "#"},
      {"[12345678901234567]", "#"},
      {"[1,[[[[[[[[[[[[[[[[[[[]", "<1>#"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    for (size_t piece = 1; piece <= strlen(cases[i].text) + 1; piece++) {
      char out[256];
      bool large = strchr(cases[i].items, '#') != NULL;
      split(cases[i].text, piece, large ? 16 : 100, out);
      assert_string_equal(out, cases[i].items);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(splits_however_it_is_cut)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
