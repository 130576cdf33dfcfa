/* SPDX-License-Identifier: MIT */
#include "cli/files.h"

#include "base/text.h"
#include "os/limit.h"

/* Two digits, upwards: a number that somebody types. */
static uint64_t rounded_up(uint64_t n) {
  uint64_t unit = 1;
  while (n / unit >= 100)
    unit *= 10;
  return (n + unit - 1) / unit * unit;
}

bool psp_cli_files_note(psp_buf *out, uint64_t files, const psprobe_prober_settings *settings) {
  char interval[PSP_DURATION_SIZE], timeout[PSP_DURATION_SIZE], shorter[PSP_DURATION_SIZE];
  if (files == UINT64_MAX || settings->interval_ns <= 0) return false;
  uint64_t calls = (uint64_t)(settings->timeout_ns / settings->interval_ns) + 1;
  if (settings->count > 0 && settings->count < calls) calls = settings->count;
  uint64_t at_once = files / 16 * PSP_FILES_ONE_HOST;
  if (calls <= at_once) return false;
  psp_buf_printf(
      out,
      "%llu open files are few: --interval %s with --timeout %s can leave %llu calls to a broker "
      "that does not answer, of which %llu are made at once while the others wait. Allow %llu "
      "(ulimit -n, LimitNOFILE=), or a --timeout of at most %s",
      (unsigned long long)files, psp_format_duration(interval, settings->interval_ns),
      psp_format_duration(timeout, settings->timeout_ns), (unsigned long long)calls,
      (unsigned long long)at_once, (unsigned long long)rounded_up(calls * 16 / PSP_FILES_ONE_HOST),
      psp_format_duration(shorter, (int64_t)(at_once - 1) * settings->interval_ns));
  return true;
}
