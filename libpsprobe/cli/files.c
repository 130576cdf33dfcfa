/* SPDX-License-Identifier: MIT */
#include "cli/files.h"

#include "base/text.h"
#include "os/limit.h"

bool psp_cli_files_note(psp_buf *out, uint64_t files, const psprobe_prober_settings *settings) {
  char interval[PSP_DURATION_SIZE], timeout[PSP_DURATION_SIZE], shorter[PSP_DURATION_SIZE];
  if (files == UINT64_MAX || settings->interval_ns <= 0) return false;
  uint64_t calls = (uint64_t)(settings->timeout_ns / settings->interval_ns) + 1;
  if (settings->count > 0 && settings->count < calls) calls = settings->count;
  if (calls > PSP_FILES_ONE_HOST_MOST) calls = PSP_FILES_ONE_HOST_MOST;
  uint64_t at_once = files / 16 * PSP_FILES_ONE_HOST;
  if (calls <= at_once) return false;
  psp_buf_printf(
      out,
      "%llu open files are few: with --interval %s and --timeout %s a broker that is slow can have "
      "%llu calls under way, of which %llu are made at once and the others late. Allow %llu "
      "(ulimit -n, LimitNOFILE=), or a --timeout of at most %s",
      (unsigned long long)files, psp_format_duration(interval, settings->interval_ns),
      psp_format_duration(timeout, settings->timeout_ns), (unsigned long long)calls,
      (unsigned long long)at_once,
      (unsigned long long)((calls + PSP_FILES_ONE_HOST - 1) / PSP_FILES_ONE_HOST * 16),
      psp_format_duration(shorter, ((int64_t)at_once - 1) * settings->interval_ns));
  return true;
}
