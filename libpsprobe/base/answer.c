/* SPDX-License-Identifier: MIT */
/** @file What became of an answer. */
#include <psprobe/answer.h>

bool psprobe_answer_came(psprobe_status status) {
  return status == PSPROBE_ANSWERED || status == PSPROBE_LATE;
}
