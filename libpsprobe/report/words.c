/* SPDX-License-Identifier: MIT */
#include "report/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Digits with an optional fraction: commas go between the thousands of the whole part. */
static void add_grouped(psp_buf *out, const char *digits) {
  const size_t whole = strcspn(digits, ".");
  for (size_t i = 0; i < whole; i++) {
    if (i > 0 && (whole - i) % 3 == 0) psp_buf_char(out, ',');
    psp_buf_char(out, digits[i]);
  }
  psp_buf_text(out, digits + whole);
}

void psp_words_count(psp_buf *out, uint64_t count) {
  char digits[24];
  snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
  add_grouped(out, digits);
}

void psp_words_probes(psp_buf *out, uint64_t count) {
  psp_words_count(out, count);
  psp_buf_text(out, count == 1 ? " probe" : " probes");
}

uint64_t psp_words_rounded(uint64_t count) {
  uint64_t step = 1;
  while (count / step >= 100)
    step *= 10;
  return (count + step / 2) / step * step;
}

void psp_words_share(psp_buf *out, uint64_t count, uint64_t of) {
  const double percent = of == 0 ? 0 : 100 * ((double)count / (double)of);
  int decimals = 0;
  double step = 1;
  /* More decimals until it rounds to neither end; at four it may, being as good as that. */
  while (decimals < 4 && count > 0 && count < of &&
         (percent < step / 2 || percent >= 100 - step / 2)) {
    decimals++;
    step /= 10;
  }
  psp_buf_printf(out, "%.*f %%", decimals, percent);
}

static psp_scale unit_for(double largest) {
  if (largest < 999.5) return (psp_scale){"ns", 1, 0};
  if (largest < 999.5e3) return (psp_scale){"us", 1e3, 0};
  if (largest < 999.5e6) return (psp_scale){"ms", 1e6, 0};
  return (psp_scale){"s", 1e9, 0};
}

/* Decimals that show steps of `step_ns`; never below a nanosecond. */
static int decimals_for(psp_scale scale, double step_ns) {
  const double most = log10(scale.unit_ns);
  if (!(step_ns > 0)) return (int)most;
  return (int)fmax(0, fmin(most, ceil(log10(scale.unit_ns / step_ns) - 1e-9)));
}

psp_scale psp_scale_of(int64_t ns) {
  const double size = fabs((double)ns);
  psp_scale scale = unit_for(size);
  if (ns != 0) scale.decimals = decimals_for(scale, size / 10);
  return scale;
}

static bool looks_like_zero(psp_scale scale, int64_t ns) {
  return ns != 0 && fabs((double)ns) < scale.unit_ns * pow(10, -scale.decimals) / 2;
}

psp_scale psp_scale_of_interval(int64_t estimate, const psprobe_interval *interval) {
  if (!interval->has_low || !interval->has_high) return psp_scale_of(estimate);
  const int64_t low = interval->low_ns, high = interval->high_ns;
  const double below = (double)(estimate - low), above = (double)(high - estimate);
  const double half = below > 0 && (below < above || !(above > 0)) ? below : above;
  if (!(half > 0)) return psp_scale_of(estimate);
  psp_scale scale =
      unit_for(fmax(fabs((double)estimate), fmax(fabs((double)low), fabs((double)high))));
  scale.decimals = decimals_for(scale, half / 3);
  while (pow(10, scale.decimals) < scale.unit_ns &&
         (looks_like_zero(scale, estimate) || looks_like_zero(scale, low) ||
          looks_like_zero(scale, high))) {
    scale.decimals++;
  }
  return scale;
}

/* The number alone, as in "6.2"; "-0.3". */
static void put_number(psp_buf *out, psp_scale scale, int64_t ns) {
  char digits[48];
  snprintf(digits, sizeof digits, "%.*f", scale.decimals, fabs((double)ns) / scale.unit_ns);
  if (ns < 0 && strspn(digits, "0.") != strlen(digits)) psp_buf_char(out, '-');
  add_grouped(out, digits);
}

void psp_words_duration(psp_buf *out, psp_scale scale, int64_t ns) {
  put_number(out, scale, ns);
  psp_buf_printf(out, " %s", scale.unit);
}

void psp_words_range(psp_buf *out, psp_scale scale, const psprobe_interval *interval) {
  put_number(out, scale, interval->low_ns);
  psp_buf_text(out, " to ");
  psp_words_duration(out, scale, interval->high_ns);
}

bool psp_words_interval(psp_buf *out, psp_scale scale, const psprobe_interval *interval) {
  if (!interval->has_low || !interval->has_high) return false;
  psp_buf_text(out, "95 % interval ");
  psp_words_range(out, scale, interval);
  return true;
}
