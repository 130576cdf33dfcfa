/* SPDX-License-Identifier: MIT */
#include "pubsub/admin/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"

#define LABELS     64
#define LABEL_SIZE 63

/* ---- fields ---- */

void psp_admin_fields_put(const psp_admin_field *fields, size_t count, unsigned bits,
                          const void *config, psp_json_writer *w) {
  for (size_t i = 0; i < count; i++)
    if ((bits & fields[i].bit) != 0) fields[i].put(w, fields[i].name, config);
}

void psp_admin_fields_mask(const psp_admin_field *fields, size_t count, unsigned bits,
                           psp_buf *out) {
  bool first = true;
  for (size_t i = 0; i < count; i++) {
    if ((bits & fields[i].bit) == 0) continue;
    psp_buf_printf(out, "%s%s", first ? "" : ",", fields[i].name);
    first = false;
  }
}

psprobe_code psp_admin_fields_check(const psp_admin_field *fields, size_t count, unsigned bits,
                                    psprobe_error *error) {
  unsigned known = 0;
  for (size_t i = 0; i < count; i++)
    known |= fields[i].bit;
  if (bits == 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "no setting is named that is to change");
  if ((bits & ~known) != 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%#x is none of the settings that can change",
                    bits & ~known);
  return PSPROBE_OK;
}

/* ---- durations, times ---- */

void psp_put_seconds(psp_json_writer *w, const char *name, int64_t ns) {
  char text[32];
  if (ns <= 0) return;
  long long whole = ns / PSP_SECOND_NS, rest = ns % PSP_SECOND_NS;
  if (rest == 0)
    snprintf(text, sizeof text, "%llds", whole);
  else
    snprintf(text, sizeof text, "%lld.%09llds", whole, rest);
  psp_json_put_member(w, name, text);
}

int64_t psp_read_seconds(const psp_json *json) {
  const char *text = psp_json_string(json);
  if (text == NULL) return 0;
  size_t whole = strspn(text, "0123456789");
  const char *decimals = text[whole] == '.' ? text + whole + 1 : "";
  size_t places = strspn(decimals, "0123456789");
  const char *end = *decimals ? decimals + places : text + whole;
  if (whole == 0 || whole > 9 || places > 9 || strcmp(end, "s") != 0) return 0;
  int64_t ns = strtoll(text, NULL, 10) * PSP_SECOND_NS, unit = PSP_SECOND_NS;
  for (size_t i = 0; i < places; i++)
    ns += (decimals[i] - '0') * (unit /= 10);
  return ns;
}

psprobe_code psp_seconds_check(const char *what, int64_t ns, int64_t least, int64_t most,
                               psprobe_error *error) {
  char low[PSP_DURATION_SIZE], high[PSP_DURATION_SIZE], is[PSP_DURATION_SIZE];
  if (ns == 0 || (ns >= least && ns <= most)) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "the %s is %s to %s, not %s", what,
                  psp_format_duration(low, least), psp_format_duration(high, most),
                  psp_format_duration(is, ns));
}

psprobe_code psp_time_write(char out[PSP_TIMESTAMP_SIZE], psprobe_timestamp time,
                            psprobe_error *error) {
  int64_t seconds;
  int32_t nanos;
  psp_timestamp_format(out, time.seconds, time.nanos);
  if (time.nanos >= 0 && time.nanos < PSP_SECOND_NS &&
      psp_timestamp_parse(out, strlen(out), &seconds, &nanos) && seconds == time.seconds)
    return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "the time must be of the years 1 to 9999");
}

/* ---- labels ---- */

void psp_put_labels(psp_json_writer *w, const psprobe_attribute *labels, size_t count) {
  if (count == 0) return;
  psp_json_begin_object_member(w, "labels");
  for (size_t i = 0; i < count; i++)
    psp_json_put_member(w, labels[i].key, labels[i].value);
  psp_json_end_object(w);
}

/* Letters of other alphabets are allowed: of what is not ASCII only that it is UTF-8 is asked. */
static bool is_letter(char c) {
  return (unsigned char)c >= 0x80 || (c >= 'a' && c <= 'z');
}

static bool is_label(const char *text, bool key) {
  size_t len = text != NULL ? strlen(text) : 0, letters = 0;
  if (text == NULL || !psp_utf8_valid(text, len) || (key && !is_letter(text[0]))) return false;
  for (size_t i = 0; i < len; i++) {
    if (!is_letter(text[i]) && strchr("0123456789_-", text[i]) == NULL) return false;
    letters += ((unsigned char)text[i] & 0xC0) != 0x80;
  }
  return letters <= LABEL_SIZE;
}

psprobe_code psp_labels_check(const psprobe_attribute *labels, size_t count, psprobe_error *error) {
  if (count > LABELS || (count > 0 && labels == NULL))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%zu labels, where %d are the most", count,
                    LABELS);
  for (size_t i = 0; i < count; i++) {
    if (!is_label(labels[i].key, true))
      return psp_setting_refuse(error, "label", labels[i].key,
                                "a key has 1 to %d of a-z, 0-9, _ and -, a letter first",
                                LABEL_SIZE);
    if (!is_label(labels[i].value, false))
      return psp_setting_refuse(error, "label", labels[i].value,
                                "a value has at most %d of a-z, 0-9, _ and -", LABEL_SIZE);
  }
  return PSPROBE_OK;
}

/* ---- what is passed through ---- */

void psp_put_passed(psp_json_writer *w, const char *name, const char *json) {
  if (json == NULL) return;
  psp_json_put_key(w, name);
  psp_json_put_raw(w, json, strlen(json));
}

psprobe_code psp_passed_check(const char *what, const char *json, psprobe_error *error) {
  psp_json *parsed = NULL;
  if (json == NULL) return PSPROBE_OK;
  psprobe_code code = psp_json_parse(json, strlen(json), what, &parsed, error);
  if (code == PSPROBE_OK && !psp_json_is_object(parsed))
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: not a JSON object", what);
  psp_json_free(parsed);
  return code;
}
