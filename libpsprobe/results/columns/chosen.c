/* SPDX-License-Identifier: MIT */
#include "results/columns/chosen.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/shown.h"

psprobe_code psp_chosen_find(const psp_chosen *chosen, const char *const *there, size_t there_count,
                             size_t *which, size_t *count, psprobe_error *error) {
  *count = chosen->count > 0 ? chosen->count : there_count;
  for (size_t n = 0; n < *count; n++) {
    size_t k = chosen->count > 0 ? 0 : n;
    bool twice = false;
    while (chosen->count > 0 && k < there_count && strcmp(there[k], chosen->names[n]) != 0)
      k++;
    for (size_t m = 0; m < n; m++)
      twice = twice || which[m] == k;
    if (k == there_count || twice) {
      char shown[PSP_SHOWN_SIZE];
      return psp_fail(error, PSPROBE_NOT_FOUND,
                      "there is no source '%s' in these results (or it is named twice)",
                      psp_setting_shown(shown, sizeof shown, chosen->names[n]));
    }
    which[n] = k;
  }
  return PSPROBE_OK;
}
