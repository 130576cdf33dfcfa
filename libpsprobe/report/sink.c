/* SPDX-License-Identifier: MIT */
#include "report/sink.h"

#include <stdbool.h>
#include <string.h>

#include "base/printable.h"
#include "base/text.h"

/* Takes meaning away and shows nothing: U+200B. */
#define NOTHING_WIDE "\xE2\x80\x8B"

/* ---- the sinks ---- */

static void escape_html(psp_buf *out, const char *text) {
  static const char taken[] = "&<>\"'";
  static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
  for (; *text != '\0'; text++) {
    const char *at = strchr(taken, *text);
    if (at != NULL)
      psp_buf_text(out, entities[at - taken]);
    else
      psp_buf_char(out, *text);
  }
}

/* Whether what ends just before `at` would be a link or a ping with what follows. */
static bool ends_call(const char *text, const char *at) {
  static const char *const calls[] = {"@", "#", ":/", "www.", "GH-"};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    size_t len = strlen(calls[i]);
    if ((size_t)(at - text) >= len && memcmp(at - len, calls[i], len) == 0) return true;
  }
  return false;
}

/* Escaped wherever it stands, or at the beginning of a line (headings, lists, rules). */
static bool markdown_takes(char c, bool line_begins) {
  return strchr("\\`*_[]<>|~&$", c) != NULL || (line_begins && strchr("#+-=", c) != NULL);
}

static void escape_markdown(psp_buf *out, const char *text) {
  for (const char *at = text; *at != '\0'; at++) {
    bool line_begins = out->len == 0 || out->data[out->len - 1] == '\n';
    if (ends_call(text, at)) psp_buf_text(out, NOTHING_WIDE);
    if (markdown_takes(*at, line_begins)) psp_buf_char(out, '\\');
    /* ":tada:" would be a picture. */
    psp_buf_char(out, *at);
    if (*at == ':' && at[1] >= 'a' && at[1] <= 'z') psp_buf_text(out, NOTHING_WIDE);
  }
}

static void escape_metrics(psp_buf *out, const char *text) {
  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '\\') psp_buf_char(out, '\\');
    if (*text == '\n')
      psp_buf_text(out, "\\n");
    else
      psp_buf_char(out, *text);
  }
}

static void escape_gnuplot(psp_buf *out, const char *text) {
  for (; *text != '\0'; text++) /* there is no escape for the quote that would end the field */
    psp_buf_char(out, *text == '"' ? '\'' : *text == '\n' ? ' ' : *text);
}

psp_sink psp_sink_html(psp_buf *to) {
  return (psp_sink){to, escape_html};
}

psp_sink psp_sink_markdown(psp_buf *to) {
  return (psp_sink){to, escape_markdown};
}

psp_sink psp_sink_metrics(psp_buf *to) {
  return (psp_sink){to, escape_metrics};
}

psp_sink psp_sink_gnuplot(psp_buf *to) {
  return (psp_sink){to, escape_gnuplot};
}

psp_sink psp_sink_terminal(psp_buf *to) {
  return (psp_sink){to, psp_buf_text};
}

/* ---- writing ---- */

void psp_sink_literal(const psp_sink *sink, const char *literal) {
  psp_buf_text(sink->to, literal);
}

void psp_sink_text(const psp_sink *sink, const char *text) {
  psp_buf clean = {0};
  psp_printable_put(&clean, text);
  if (clean.failed)
    sink->to->failed = true;
  else if (clean.len > 0)
    sink->escape(sink->to, clean.data);
  psp_buf_free(&clean);
}

void psp_sink_count(const psp_sink *sink, uint64_t count) {
  psp_buf_printf(sink->to, "%llu", (unsigned long long)count);
}

void psp_sink_number(const psp_sink *sink, double number, int decimals) {
  psp_buf_printf(sink->to, "%.*f", decimals, number);
}

void psp_sink_duration(const psp_sink *sink, int64_t ns) {
  char text[PSP_DURATION_SIZE];
  psp_buf_text(sink->to, psp_format_duration(text, ns));
}

void psp_sink_spaces(const psp_sink *sink, int count) {
  for (; count > 0; count--)
    psp_buf_char(sink->to, ' ');
}
