/* SPDX-License-Identifier: MIT */
#include "local/functions/output.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/text.h"

static void note_addresses(psp_function_output *out) {
  const char *at = out->line;
  out->line[out->len] = '\0';
  for (psp_address address; psp_address_next(&at, &address);) {
    bool known = false;
    for (size_t i = 0; i < PSP_OUTPUT_ADDRESSES && i < out->printed_count; i++)
      known |= out->printed[i].port == address.port;
    if (!known) out->printed[out->printed_count++ % PSP_OUTPUT_ADDRESSES] = address;
  }
}

void psp_function_output_end(psp_function_output *out, psp_function_line *each, void *arg) {
  note_addresses(out);
  if (out->len > 0 && out->line[out->len - 1] == '\r') out->line[--out->len] = '\0';
  bool empty = strspn(out->line, " \t") == out->len;
  out->len = 0;
  if (empty) return;
  size_t kept = strnlen(out->line, sizeof out->last - 1);
  memcpy(out->last, out->line, kept);
  out->last[kept] = '\0';
  each(arg, out->line);
}

void psp_function_output_take(psp_function_output *out, const char *bytes, size_t count,
                              psp_function_line *each, void *arg) {
  for (size_t i = 0; i < count; i++) {
    if (bytes[i] == '\n')
      psp_function_output_end(out, each, arg);
    else if (out->len + 1 < sizeof out->line)
      out->line[out->len++] = bytes[i] != '\0' ? bytes[i] : ' ';
  }
  note_addresses(out); /* nobody has to end a line */
}

psprobe_log_level psp_function_line_level(const char *line) {
  static const struct {
    const char *severity;
    psprobe_log_level level;
  } known[] = {{"DEBUG", PSPROBE_LOG_DEBUG}, {"WARNING", PSPROBE_LOG_WARNING},
               {"ERROR", PSPROBE_LOG_ERROR}, {"CRITICAL", PSPROBE_LOG_ERROR},
               {"ALERT", PSPROBE_LOG_ERROR}, {"EMERGENCY", PSPROBE_LOG_ERROR}};
  psprobe_log_level level = PSPROBE_LOG_INFO;
  psp_json *json = NULL;
  if (*line != '{' || psp_json_parse(line, strlen(line), "line", &json, NULL) != PSPROBE_OK)
    return level;
  const char *severity = psp_json_string(psp_json_get(json, "severity"));
  for (size_t i = 0; severity != NULL && i < sizeof known / sizeof *known; i++)
    if (strcasecmp(severity, known[i].severity) == 0) level = known[i].level;
  psp_json_free(json);
  return level;
}
