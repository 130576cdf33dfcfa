/* SPDX-License-Identifier: MIT */
#include "stats/proportions.h"

#include <math.h>

#include "stats/distributions.h"

psprobe_share psp_share(uint64_t count, uint64_t of, double inflation) {
  psprobe_share share = {.count = count, .of = of, .high = 1};
  if (of == 0) return share;
  const double n = (double)of / (inflation * inflation), p = (double)count / (double)of;
  const double z = psp_normal_quantile(0.975), z2 = z * z;
  const double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = z / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  share.share = p;
  share.low = count == 0 ? 0 : fmax(0, centre - half);
  share.high = count == of ? 1 : fmin(1, centre + half);
  return share;
}

double psp_mcnemar_mid_p(uint64_t first, uint64_t second) {
  if (first == second) return 1;
  const uint64_t n = first + second, less = first < second ? first : second;
  return 2 * psp_binomial_cdf(n, 0.5, (int64_t)less) - psp_binomial_pmf(n, 0.5, (int64_t)less);
}
