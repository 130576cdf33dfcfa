#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes tests/data/statistics/*.txt: what the comparison must find, found another way.

Everything here goes by the definitions, with scipy's distributions and tests,
whole matrices where the library selects, exact fractions for ranks and plain
enumeration for exact tests. Needs Debian's python3-scipy:

    /usr/bin/python3 tests/golden/make_statistics.py

Each line is a key and its values. Intervals are two values, "none" for a
bound that is missing. The million probes are not stored: both sides make them
from the same splitmix64 stream.
"""

import itertools
import math
import os
import sys
from fractions import Fraction

import numpy as np
import scipy
from scipy import stats

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "statistics")
LOST, ANSWERED, LATE = 0, 1, 2
Z = stats.norm.ppf(0.975)
QUANTILES = ("0.5", "0.9", "0.99", "0.999")


# ---- definitions -----------------------------------------------------------


def half_away(numerator, denominator):
    """A quotient of whole numbers, rounded half away from zero."""
    f = Fraction(int(numerator), denominator)
    size = math.floor(abs(f) + Fraction(1, 2))
    return size if f >= 0 else -size


def nearest_rank(n, q):
    return min(n, max(1, math.ceil(Fraction(q) * n)))


def quantile(values, q):
    return int(np.sort(values)[nearest_rank(len(values), q) - 1]) if len(values) else 0


def median(values):
    s = np.sort(values)
    n = len(s)
    if n == 0:
        return 0
    return int(s[n // 2]) if n % 2 else half_away(int(s[n // 2 - 1]) + int(s[n // 2]), 2)


def rank_interval(n, q, inflation):
    """1-based ranks, None where there is no bound."""
    if n == 0:
        return None, None
    p = float(q)
    cdf = lambda k: stats.binom.cdf(k, n, p)  # noqa: E731
    # low: the largest rank with P(B <= low - 1) <= 2.5 %; high the smallest with P(B >= high) <= it
    low = int(stats.binom.ppf(0.025, n, p)) + 1
    while low > 0 and cdf(low - 1) > 0.025:
        low -= 1
    high = int(stats.binom.isf(0.025, n, p))
    while stats.binom.sf(high - 1, n, p) > 0.025:
        high += 1
    covered = lambda l, h: cdf(h - 1) - cdf(l - 1)  # noqa: E731
    while q != "0.5" and high - low > 1:
        raised, lowered = covered(low + 1, high), covered(low, high - 1)
        if max(raised, lowered) < 0.95:
            break
        if raised > lowered:
            low += 1
        else:
            high -= 1
    if inflation > 1:
        centre = n * p + 0.5
        if q == "0.5":
            low += (0.025 - cdf(low - 1)) / (cdf(low) - cdf(low - 1))
            high = n + 1 - low
        if low > 0:
            low = max(0, math.floor(centre - (centre - low) * inflation))
        high = math.ceil(centre + (high - centre) * inflation)
    return (low if low > 0 else None), (high if high <= n else None)


def order_interval(values, q, inflation):
    s = np.sort(values)
    low, high = rank_interval(len(s), q, inflation)
    return (None if low is None else int(s[low - 1])), (None if high is None else int(s[high - 1]))


def caution(lag1, n, ranks):
    """The variance of a sum of n scores of an AR(1), over that of n independent ones: summed out."""
    most = 0.6 if ranks else 2 / math.pi * math.asin(0.6)
    weight = float(np.clip((45 - n) / (45 - 16), 0, 1))
    r = min(most, weight * most + (1 - weight) * lag1)
    if n >= 45 or r <= 0:
        return 1.0
    fading = min(0.6, math.sin(math.pi / 2 * r))
    return 1 + 2 * sum((1 - k / n) * r * fading ** (k - 1) for k in range(1, n))


class Serial:
    """Geyer's initial monotone sequence with the corrections that serial.h names, and its caution."""

    def __init__(self, scores, ranks=False):
        x = np.asarray(scores, dtype=np.float64)
        n = len(x)
        self.lag1, self.effect, self.caution, self.inflation, self.matters = 0.0, 1.0, 1.0, 1.0, False
        if n < 4:
            return
        x = x - x.mean()
        if not np.any(x):
            self.caution = self.inflation = math.sqrt(caution(1.0, n, ranks))
            return
        variance = x @ x / n
        self.lag1 = float(x[:-1] @ x[1:] / n / variance)
        unbiased = self.lag1 + (1 + 3 * self.lag1) / n
        self.caution = self.inflation = math.sqrt(caution(unbiased, n, ranks))
        if unbiased * math.sqrt(n) < 1:
            return
        y, scale = x, 1.0
        effect, lags, most = self.design_effect(y)
        while lags == most and len(y) >= 640:
            y = y[: len(y) // 8 * 8].reshape(-1, 8).mean(axis=1)
            scale = (n // len(y)) * (y @ y / len(y)) / variance
            effect, lags, most = self.design_effect(y)
        self.effect = max(1.0, min(n, scale * effect))
        kurtosis = np.mean(y**4) / np.mean(y**2) ** 2
        df = max(1.0, 2 * len(y) / (2 * (2 * lags + 1) + max(0.0, kurtosis - 1) * effect))
        needed = math.sqrt(self.effect) * stats.t.ppf(0.975, df) / Z
        self.matters = unbiased * math.sqrt(n) > 1.645 and needed > self.caution
        self.inflation = max(self.caution, needed)

    @staticmethod
    def design_effect(x):
        n = len(x)
        most = n // 2 if n < 640 else 64
        g = [x[: n - k] @ x[k:] / n for k in range(most + 1)]

        def geyer(v):
            pairs, k = [], 0
            while k + 1 < most:
                pair = sum(g[j] + v * (1 - j / n) for j in (k, k + 1)) / (g[0] + v)
                if pair <= 0:
                    break
                pairs.append(min(pair, pairs[-1]) if pairs else pair)
                k += 2
            return max(1.0, 2 * sum(pairs) - 1), (most if k + 1 >= most else max(k - 1, 1))

        effect, lags = geyer(0.0)
        v = min(g[0], g[0] * effect / max(0.1, 1 - (2 * lags + 1) / n) / n)
        effect, lags = geyer(v)
        return effect * (1 + v / g[0]), lags, most


def signs(values):
    return np.sign(np.asarray(values, dtype=np.int64) - median(values))


INNER = float(2 * stats.norm.cdf(Z / math.sqrt(2)) - 1)


def interpolated(values, inflation, confidence):
    """Hettmansperger & Sheather: the median's interval between two order statistics."""
    s, n = np.sort(values), len(values)
    depth = max(0, int(stats.binom.ppf((1 - confidence) / 2, n, 0.5)) - 2)
    while depth < n / 2 and 1 - 2 * stats.binom.cdf(depth, n, 0.5) >= confidence:
        depth += 1
    if depth == 0:
        return None, None
    g0, g1 = (1 - 2 * stats.binom.cdf(d - 1, n, 0.5) for d in (depth, depth + 1))
    i = (g0 - confidence) / (g0 - g1)
    c = (n + 1) / 2
    rank = c - (c - depth - (n - depth) * i / (depth + (n - 2 * depth) * i)) * inflation
    if rank < 1:
        return None, None
    at = lambda r: int(np.floor(np.interp(r, np.arange(1, n + 1), s) + 0.5))  # noqa: E731
    return at(rank), at(n + 1 - rank)


class Estimate:
    def __init__(self, values, serial=None):
        self.n, self.median = len(values), median(values)
        self.serial = serial or Serial(signs(values))
        self.ci = order_interval(values, "0.5", self.serial.inflation)
        near = interpolated(values, self.serial.inflation, 0.95)
        inner = interpolated(values, self.serial.inflation, INNER)
        # Distances of the bounds at 0, z / sqrt(2) and z, as a curve over the share of z.
        self.down = self.up = None
        if near[0] is not None:
            shares = (0, math.sqrt(0.5), 1)
            down = (0, self.median - inner[0], self.median - near[0])
            up = (0, inner[1] - self.median, near[1] - self.median)
            self.down = lambda share: float(np.interp(share, shares, down))
            self.up = lambda share: float(np.interp(share, shares, up))


def change(first, second):
    if first.n == 0 or second.n == 0:
        return first.n, second.n, 0, (None, None)
    d = second.median - first.median

    def reach(one, other):
        if one is None or other is None:
            return None
        root = math.hypot(one(1), other(1))
        return int(math.floor(one(one(1) / root) + other(other(1) / root) + 0.5)) if root else 0

    low, high = reach(second.down, first.up), reach(second.up, first.down)
    return first.n, second.n, d, (None if low is None else d - low, None if high is None else d + high)


def drift(values):
    h = len(values) // 2
    serial = Serial(np.concatenate([signs(values[:h]), signs(values[h:])]))
    return change(Estimate(values[:h], serial), Estimate(values[h:], serial))


def rank_lag1(values):
    if len(values) < 3 or np.ptp(values) == 0:
        return 0.0
    r = stats.rankdata(values)
    r -= r.mean()
    return float((r[:-1] @ r[1:]) / (r @ r))


# ---- paired differences ------------------------------------------------------


def about(d):
    """How many times wider the verdict must be for the signs of d."""
    serial = Serial(np.sign(d))
    return serial.inflation * (1.02 if serial.inflation > serial.caution else 1)


def inverted(d):
    """All values that the sign test about them does not refuse."""
    s, n = np.sort(d), len(d)
    low, _ = rank_interval(n, "0.5", 1.0)
    if low is None:
        return None, None
    centre = (n + 1) / 2
    below, at_most = stats.binom.cdf([low - 1, low], n, 0.5)
    depth = low + (0.025 - below) / (at_most - below)

    def side(ordered, values):
        needed = lambda r: math.floor(  # noqa: E731
            centre - (centre - depth) * about(values - ordered[r - 1]))
        refused = lambda r: r < needed(r)  # noqa: E731
        # The kept rank and the refused one (0 always is) close in on each other: at the rank that
        # the correlation at the first bound asks for, then a step beyond, then halfway.
        kept, out = low, 0
        tries = itertools.chain([lambda: max(1, needed(low)), lambda: kept - 1],
                                itertools.repeat(lambda: (kept + out) // 2))
        while kept - out > 1:
            r = next(tries)()
            if r == kept:
                continue
            if refused(r):
                out = r
            else:
                kept = r
        return None if kept == 1 and needed(1) < 1 else int(ordered[kept - 1])

    d = np.asarray(d, dtype=np.int64)
    bottom, top = side(s, d), side(-s[::-1], -d)
    return bottom, (None if top is None else -top)


def walsh_sums(d):
    d = np.sort(np.asarray(d, dtype=np.int64))
    return np.sort((d[:, None] + d[None, :])[np.triu_indices(len(d))])


def walsh_select(d, k):
    """The k-th smallest sum of a sorted array too large for a matrix: bisection on the value."""
    low, high = 2 * int(d[0]), 2 * int(d[-1])
    while low < high:
        middle = (low + high) // 2
        both = int(np.searchsorted(d, middle - d, "right").astype(np.int64).sum())
        once = int(np.searchsorted(2 * d, middle, "right"))
        if (both + once) // 2 >= k:
            high = middle
        else:
            low = middle + 1
    return low


def signed_rank_counts(n):
    counts = [1]
    for r in range(1, n + 1):
        counts = [
            (counts[s] if s < len(counts) else 0) + (counts[s - r] if s >= r else 0)
            for s in range(len(counts) + r)
        ]
    return counts


def critical(n, tail):
    """The largest k with P(W < k) <= tail."""
    total, below = Fraction(0), signed_rank_counts(n)
    for k, count in enumerate(below):
        total += Fraction(count, 2**n)
        if total > Fraction(tail):
            return k
    return len(below) - 1


def hodges_lehmann(d):
    n = len(d)
    if n == 0:
        return 0, (None, None)
    s = np.sort(np.asarray(d, dtype=np.int64))
    total = n * (n + 1) // 2
    sums = walsh_sums(s) if n <= 5000 else None
    pick = lambda k: int(sums[k - 1]) if sums is not None else walsh_select(s, k)  # noqa: E731
    four = pick((total + 1) // 2) + pick(total // 2 + 1)
    shift = half_away(four, 4)
    # G: the share of values above twice the shift less d, ties half. Twice it may be a half more
    # than whole, so compare doubled.
    threshold = four - 2 * np.asarray(d, dtype=np.int64)
    above = n - np.searchsorted(2 * s, threshold, "right")
    at_least = n - np.searchsorted(2 * s, threshold, "left")
    g = (above + at_least) / (2 * n)
    serial = Serial(g, ranks=True)
    if n <= 50 and serial.inflation <= 1:
        k = critical(n, "0.025")
    else:
        error = math.sqrt(n * (n + 1) * (2 * n + 1) / 24 * 12 * g.var(ddof=1)) if n > 1 else 0.0
        k = math.floor(total / 2 + 0.5 - Z * error * serial.inflation)
    if k < 1:
        return shift, (None, None)
    return shift, (half_away(pick(k), 2), half_away(pick(total + 1 - k), 2))


def signed_ranks(d):
    """Pratt: ranks of all magnitudes, zeros among them, then those of the others alone."""
    d = np.asarray(d)
    ranks = stats.rankdata(np.abs(d))
    return ranks[d > 0], ranks[d < 0]


def wilcoxon(d):
    plus, minus = signed_ranks(d)
    scores = np.where(np.asarray(d) == 0, 0, np.sign(d) * stats.rankdata(np.abs(d)))
    inflation = Serial(scores, ranks=True).inflation
    n = len(plus) + len(minus)
    if n == 0:
        return 1.0
    if n <= 50 and len(d) <= 100 and inflation <= 1:
        return exact_signed_rank(np.concatenate([plus, minus]), min(plus.sum(), minus.sum()))
    p = stats.wilcoxon(d, zero_method="pratt", correction=True, mode="approx").pvalue
    if inflation == 1:
        return float(p)
    return float(2 * stats.norm.sf(abs(stats.norm.isf(p / 2)) / inflation))


def exact_signed_rank(ranks, smaller):
    """All signings of these ranks, by convolution of whole numbers."""
    ways = {0: 1}
    for r in ranks:
        r2 = int(round(2 * r))
        new = dict(ways)
        for s, c in ways.items():
            new[s + r2] = new.get(s + r2, 0) + c
        ways = new
    at_most = sum(c for s, c in ways.items() if s <= int(round(2 * smaller)))
    return float(min(Fraction(1), Fraction(2 * at_most, 2 ** len(ranks))))


def sign_test(d, inflation):
    d = np.asarray(d)
    n = len(d)
    k = min(n - int((d > 0).sum()), n - int((d < 0).sum()))
    centre = (n + 1) / 2
    rank = centre - (centre - k - 1) / inflation
    at = stats.binom.cdf([math.floor(rank) - 1, math.floor(rank)], n, 0.5)
    return float(min(1.0, 2 * np.interp(rank - math.floor(rank), (0, 1), at)))


def wilson(count, of, inflation=1.0):
    if of == 0:
        return 0.0, 1.0
    if inflation == 1.0:
        ci = stats.binomtest(count, of).proportion_ci(0.95, method="wilson")
        return float(ci.low), float(ci.high)
    n, p = of / inflation**2, count / of
    # The roots of (p - q)^2 = z^2 q (1 - q) / n.
    low, high = sorted(np.roots([1 + Z * Z / n, -2 * p - Z * Z / n, p * p]).real)
    return (0.0 if count == 0 else low), (1.0 if count == of else high)


def mcnemar(b, c):
    n = b + c
    exact = float(stats.binomtest(b, n, 0.5).pvalue) if n else 1.0
    mid = 1.0 if b == c else exact - float(stats.binom.pmf(min(b, c), n, 0.5))
    return mid


def block_length(scores):
    """Politis & White 2004 with the correction of 2009, circular, doubled."""
    x = np.asarray(scores, dtype=float)
    n = len(x)
    x = x - x.mean()
    r = lambda k: float(x[: n - k] @ x[k:]) / n  # noqa: E731
    run = max(5, math.ceil(math.sqrt(math.log10(n))))
    most = int(min(math.ceil(math.sqrt(n)) + run, 300, n // 3))
    limit = 2 * math.sqrt(math.log10(n) / n)
    m = most
    for start in range(0, most + 1):
        if all(abs(r(k) / r(0)) < limit for k in range(start + 1, start + run + 1)):
            m = start
            break
    band = min(2 * max(1, m), most)
    window = lambda t: 1.0 if t <= 0.5 else 2 * (1 - t)  # noqa: E731
    spectrum = r(0) + 2 * sum(window(k / band) * r(k) for k in range(1, band + 1))
    slope = 2 * sum(window(k / band) * k * r(k) for k in range(1, band + 1))
    best = (2 * slope**2 / (4 / 3 * spectrum**2)) ** (1 / 3) * n ** (1 / 3)
    return int(max(1, min(round(2 * best), n / 3)))


# ---- one case ----------------------------------------------------------------


def summarise(case, which):
    v, st, cold = case[which], case["status_" + which], case["cold_" + which]
    came = v[st != LOST]
    was_cold = cold[st != LOST]
    out = [
        ("answered", int((st == ANSWERED).sum())),
        ("late", int((st == LATE).sum())),
        ("lost", int((st == LOST).sum())),
        ("cold_count", int(was_cold.sum())),
        ("min", int(came.min()) if len(came) else 0),
        ("max", int(came.max()) if len(came) else 0),
    ]
    for q in QUANTILES:
        value = quantile(came, q)
        out.append(("q" + q, value))
        out.append(("q%s_ci" % q, order_interval(came, q, Serial(came <= value).inflation)))
    m = Estimate(came)
    out.append(("lag1", rank_lag1(came)))
    out.append(("effective_n", len(came) / m.serial.effect))
    out.append(("matters", int(matters(came, m, order_interval(came, "0.5", m.serial.inflation)))))
    out.append(("cold", change(Estimate(came[was_cold == 0]), Estimate(came[was_cold != 0]))))
    out.append(("drift", drift(came)))
    return [(which + "_" + k, x) for k, x in out], m


def slowness(case, own, other):
    p99 = {w: quantile(case[w][case["status_" + w] != LOST], "0.99") for w in (own, other)}
    slow = (case["status_" + own] != LOST) & (case[own] > p99[own])
    too = (case["status_" + other] != ANSWERED) | (case[other] > p99[other])
    return int((slow & too).sum()), int(slow.sum())


def pair_of(case, medians):
    both = (case["status_a"] != LOST) & (case["status_b"] != LOST)
    d = (case["a"] - case["b"])[both]
    either = ((case["cold_a"] != 0) | (case["cold_b"] != 0))[both]
    m = Estimate(d)
    out = [("n", len(d)), ("median", m.median)]
    for name, part in (("warm", d[~either]), ("cold", d[either])):
        e = Estimate(part)
        out += [(name, (e.n, e.median)), (name + "_ci", inverted(part))]
    shift, shift_ci = hodges_lehmann(d)
    out += [("shift", shift), ("shift_ci", shift_ci)]
    out.append(("unpaired", change(medians["b"], medians["a"])))
    out.append(("wilcoxon_p", wilcoxon(d) if len(d) else 1.0))
    firsts = about(d)
    untied = int((d != 0).sum())
    for name, count in (("a_first", int((d < 0).sum())), ("b_first", int((d > 0).sum()))):
        out.append((name, (count, untied) + wilson(count, untied, firsts)))
    lost_a, lost_b = case["status_a"] == LOST, case["status_b"] == LOST
    losses = (int((lost_a & lost_b).sum()), int((lost_a & ~lost_b).sum()), int((lost_b & ~lost_a).sum()))
    out.append(("losses", losses))
    out.append(("loss_p", mcnemar(losses[1], losses[2])))
    out.append(("a_slow", slowness(case, "a", "b")))
    out.append(("b_slow", slowness(case, "b", "a")))
    wider = matters(d, m, inverted(d) if len(d) else (None, None))
    out.append(("pair_serial", (rank_lag1(d), len(d) / m.serial.effect, int(wider))))
    out.append(("pair_drift", drift(d)))
    p = sign_test(d, firsts) if len(d) else 1.0
    out.append(("sign_p", p))
    ahead = "a" if (d < 0).sum() > (d > 0).sum() else "b"
    low, high = inverted(d) if len(d) else (None, None)
    if p >= 0.05:
        low = min(low, 0) if low is not None else None
        high = max(high, 0) if high is not None else None
    out.append(("median_ci", (low, high)))
    apart = (low is not None and low > 0) or (high is not None and high < 0)
    out.append(("outcome", ahead if p < 0.05 and apart else "undecided"))
    if 6 <= len(d) <= 2000 and m.serial.effect < 1.05:
        out += bootstrap_of(d, m.serial.caution)
    return out


def matters(values, m, ci):
    """Whether the interval reaches further than one for values that are not found to be alike."""
    narrow = order_interval(values, "0.5", m.serial.caution)
    further = lambda x, y, sign: y is not None and (x is None or sign * x > sign * y)  # noqa: E731
    return m.serial.matters and (further(ci[0], narrow[0], -1) or further(ci[1], narrow[1], 1))


def bootstrap_of(d, inflation):
    """scipy's BCa at 94 and 96 %: ours at 95 %, with other random numbers, lies between."""
    ends = []
    for level in (0.94, 0.96):
        level = float(2 * stats.norm.cdf(inflation * stats.norm.ppf((1 + level) / 2)) - 1)
        if np.ptp(d) == 0:
            ends += [int(d[0])] * 2
            continue
        ci = stats.bootstrap(
            (d,), np.median, confidence_level=level, n_resamples=20000, method="BCa", vectorized=False,
            random_state=np.random.default_rng(7), batch=1000,
        ).confidence_interval
        if math.isnan(ci.low) or math.isnan(ci.high):
            return []
        ends += [int(math.floor(ci.low)), int(math.ceil(ci.high))]
    return [("bca_94_96", ends)]


def expect(case):
    a, ma = summarise(case, "a")
    b, mb = summarise(case, "b")
    return a + b + pair_of(case, {"a": ma, "b": mb})


# ---- the data ------------------------------------------------------------------


def make(a, b, **more):
    a, b = np.asarray(a, dtype=np.int64), np.asarray(b, dtype=np.int64)
    case = {"a": a, "b": b}
    for w in "ab":
        case["status_" + w] = np.asarray(more.get("status_" + w, np.ones(len(a))), dtype=np.int64)
        case["cold_" + w] = np.asarray(more.get("cold_" + w, np.zeros(len(a))), dtype=np.int64)
    return case


def latencies(rng, n, centre=40e6, shape=4.0):
    return centre * 0.7 + rng.gamma(shape, centre * 0.3 / shape, n)


def ar1(rng, n, phi):
    x = np.empty(n)
    x[0] = rng.normal() / math.sqrt(1 - phi * phi)
    for i in range(1, n):
        x[i] = phi * x[i - 1] + rng.normal()
    return x


def lossy(rng, n):
    a, b = latencies(rng, n), latencies(rng, n, 38e6)
    common = rng.random(n) < 0.008
    a[common] += 350e6
    b[common] += 350e6
    cold = rng.random(n) < 0.02
    a[cold] += 100e6
    sa, sb = np.ones(n), np.ones(n)
    sa[rng.random(n) < 0.03] = LOST
    sb[rng.random(n) < 0.01] = LOST
    sa[rng.random(n) < 0.01] = LATE
    a[sa == LATE] += 30e9
    return make(a, b, status_a=sa, status_b=sb, cold_a=cold)


def cases():
    rng = np.random.default_rng(20190416)
    yield "none", make([], [])
    yield "one", make([5_000_000], [3_000_000])
    yield "two", make([5_000_000, 7_000_001], [3_000_000, 9_000_000])
    yield "five", make([50, 20, 30, 10, 40], [10, 22, 10, 5, 5])
    yield "six_all_one_way", make([11, 12, 13, 14, 15, 16], [1, 2, 2, 3, 4, 4])
    yield "all_equal", make([7] * 100, [7] * 100)
    yield "shifted_equal", make([9] * 30, [7] * 30)
    yield "all_lost_by_a", make([0] * 40, latencies(rng, 40), status_a=[LOST] * 40)
    yield "negative", make(rng.normal(0, 50, 25).round(), rng.normal(10, 50, 25).round())
    yield "seven", make(latencies(rng, 7), latencies(rng, 7))
    yield "twelve_ties", make(rng.integers(0, 5, 12), rng.integers(0, 4, 12))
    yield "thirty_zeros", make(rng.integers(0, 3, 30), rng.integers(0, 3, 30))
    yield "fifty", make(latencies(rng, 50), latencies(rng, 50, 37e6))
    yield "fifty_one", make(latencies(rng, 51), latencies(rng, 51, 37e6))
    outlier = latencies(rng, 60)
    outlier[17] = 3600e9
    yield "an_hour_of_an_outlier", make(outlier, latencies(rng, 60, 36e6))
    yield "coarse_200", make(latencies(rng, 200).round(-6), latencies(rng, 200, 39e6).round(-6))
    yield "coarse_1000", make(latencies(rng, 1000).round(-7), latencies(rng, 1000).round(-7))
    yield "gamma_1000", make(latencies(rng, 1000), latencies(rng, 1000, 39e6))
    yield "cauchy_1000", make(1e9 + 1e6 * rng.standard_cauchy(1000), 1e9 + 1e6 * rng.standard_cauchy(1000))
    yield "lognormal_1000", make(1e6 * np.exp(2 * rng.normal(size=1000)), 1e6 * np.exp(2 * rng.normal(size=1000)))
    yield "skewed_300", make(1e6 * rng.exponential(1, 300) ** 2, 0.4e6 + 1e5 * rng.normal(size=300))
    yield "ar_half_1000", make(40e6 + 1e6 * ar1(rng, 1000, 0.5), 40e6 + 1e6 * ar1(rng, 1000, 0.5))
    yield "ar_strong_800", make(40e6 + 1e6 * ar1(rng, 800, 0.9), 41e6 + 1e6 * rng.normal(size=800))
    yield "ar_short_30", make(40e6 + 1e6 * ar1(rng, 30, 0.7), 40e6 + 1e6 * rng.normal(size=30))
    step = np.repeat([6e6, 15e6], 400)
    yield "a_step_800", make(40e6 + step + 5e6 * rng.random(800), 40e6 + 5e6 * rng.random(800))
    yield "drifting_600", make(latencies(rng, 600) + np.linspace(0, 8e6, 600), latencies(rng, 600))
    yield "lossy_1440", lossy(rng, 1440)


# ---- a million -----------------------------------------------------------------


def splitmix64(seed, n):
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def million():
    """Whole-number arithmetic only, so that C makes the very same: a common part, one's own, and a
    heavy tail 2^34 / k; b in whole microseconds every fourth time, for ties."""
    n = 1_000_000
    u = splitmix64(1, 4 * n).reshape(n, 4)
    common = (u[:, 0] >> np.uint64(32)) % np.uint64(9_000_000)
    tail = np.uint64(1 << 34) // (np.uint64(1) + (u[:, 1] >> np.uint64(40)))
    own_a = (u[:, 2] >> np.uint64(32)) % np.uint64(6_000_000) + (u[:, 2] & np.uint64(0xFFFFF))
    own_b = (u[:, 3] >> np.uint64(32)) % np.uint64(6_000_000) + (u[:, 3] & np.uint64(0x1FFFFF))
    a = 35_000_000 + (common + own_a + tail).astype(np.int64)
    b = 35_000_000 + (common + own_b + np.uint64(30_000) + tail // np.uint64(2)).astype(np.int64)
    b[::4] = b[::4] // 1000 * 1000
    a[::4] = a[::4] // 1000 * 1000
    return make(a, b)


# ---- single functions --------------------------------------------------------------


# The keys of each source's file.
FUNCTIONS = {
    "distributions": ("normal_quantile", "normal_cdf", "t_quantile", "binomial"),
    "bootstrap": ("bca_level",),
    "proportions": ("wilson", "mcnemar"),
    "quantile_ci": ("ranks",),
    "wilcoxon": ("signed_rank_critical", "wilcoxon"),
    "serial": ("serial",),
    "verdict": ("holm",),
}


def functions():
    rows = []
    for p in (1e-300, 1e-12, 1e-5, 0.001, 0.025, 0.3, 0.5, 0.7, 0.975, 0.999, 1 - 1e-9):
        rows.append(("normal_quantile", (p, float(stats.norm.ppf(p)))))
    for z in (-38, -8, -1.96, -0.1, 0, 0.5, 3, 8.2):
        rows.append(("normal_cdf", (z, float(stats.norm.cdf(z)))))
    for df in (1, 1.3, 2, 3, 4, 5, 8, 12, 30, 29.9, 30.1, 100, 1e4):
        rows.append(("t_quantile", (0.975, df, float(stats.t.ppf(0.975, df)))))
    for n in (1, 2, 5, 20, 1000, 1_000_000):
        for p in (0.001, 0.01, 0.5, 0.9, 0.999):
            for k in sorted({0, int(n * p), max(0, int(n * p - 3 * math.sqrt(n * p * (1 - p)))), n - 1,
                             min(n, int(n * p + 2.5 * math.sqrt(n * p * (1 - p))))}):
                rows.append(("binomial", (n, p, k, float(stats.binom.pmf(k, n, p)), float(stats.binom.cdf(k, n, p)))))
    for count, of in ((0, 1), (1, 1), (0, 10), (3, 10), (10, 10), (83, 100), (1195, 1440), (1, 1_000_000)):
        rows.append(("wilson", (count, of) + wilson(count, of)))
    for b, c in ((0, 0), (0, 1), (5, 0), (6, 0), (3, 3), (10, 2), (2, 10), (40, 61), (1000, 1100)):
        rows.append(("mcnemar", (b, c, mcnemar(b, c))))
    for n in list(range(1, 21)) + [30, 40, 50]:
        rows.append(("signed_rank_critical", (n, critical(n, "0.025"))))
    for n in (1, 2, 5, 6, 7, 8, 10, 12, 20, 50, 100, 330, 1000, 1440, 1_000_000):
        for q in QUANTILES:
            low, high = rank_interval(n, q, 1.0)
            rows.append(("ranks", (n, float(q), low or 0, high or 0)))
    for z0, acc in ((0, 0), (0.1, 0), (-0.2, 0.05), (0.3, -0.1), (0, 0.2)):
        for z in (-Z, Z):
            rows.append(("bca_level", (z, z0, acc, float(stats.norm.cdf(z0 + (z0 + z) / (1 - acc * (z0 + z)))))))
    rows += wilcoxon_rows() + holm_rows() + serial_rows()
    return rows


def wilcoxon_rows():
    """By listing all signings, where there are few; scipy's own where it has an exact form."""
    rng = np.random.default_rng(3)
    rows = []
    for n in (1, 2, 3, 5, 8, 11, 13):
        for spread in (2, 4, 1000):
            d = rng.integers(-spread, spread + 2, n)
            plus, minus = signed_ranks(d)
            ranks = np.concatenate([plus, minus])
            observed = min(plus.sum(), minus.sum())
            total = ranks.sum()
            hits = sum(
                1 for signs in itertools.product((0, 1), repeat=len(ranks))
                if min(s := float(np.dot(signs, ranks)), total - s) <= observed
            )
            p = min(1.0, hits / 2 ** len(ranks)) if len(ranks) else 1.0
            rows.append(("wilcoxon", [p] + [int(x) for x in d]))
    for n in (20, 40, 50):
        d = np.unique(np.abs(rng.integers(1, 10**6, 4 * n)))
        d = rng.permutation(d)[:n] * rng.choice([-1, 1, 1], n)
        p = stats.wilcoxon(d, mode="exact").pvalue
        rows.append(("wilcoxon", [float(p)] + [int(x) for x in d]))
    for n, spread in ((60, 10**6), (80, 6), (400, 25)):
        d = rng.integers(-spread, spread + spread // 3 + 1, n)
        p = stats.wilcoxon(d, zero_method="pratt", correction=True, mode="approx").pvalue
        rows.append(("wilcoxon", [float(p)] + [int(x) for x in d]))
    return rows


def holm_rows():
    rows = []
    for p in ([0.01], [0.01, 0.04, 0.03, 0.005], [0.5, 0.5, 0.5], [1e-9, 0.02, 0.02, 0.9, 0.0]):
        m, order, running = len(p), np.argsort(p, kind="stable"), 0.0
        out = [0.0] * m
        for i, j in enumerate(order):
            running = max(running, min(1.0, (m - i) * p[j]))
            out[j] = running
        rows.append(("holm", p + out))
    return rows


def serial_rows():
    """n, lag 1, matters, design effect, inflation, block length, then the scores."""
    rng = np.random.default_rng(11)
    rows = []
    for n, phi in ((4, 0.0), (20, 0.0), (20, 0.8), (100, 0.3), (300, 0.0), (500, 0.6), (500, 0.9), (400, -0.5)):
        x = np.sign(ar1(rng, n, phi)).astype(int)
        s = Serial(x)
        block = block_length(x) if n >= 9 else 1
        rows.append(("serial", [n, s.lag1, int(s.matters), s.effect, s.inflation, block] + [int(v) for v in x]))
    return rows


# ---- writing ------------------------------------------------------------------------


def text(value):
    if value is None:
        return "none"
    if isinstance(value, (tuple, list)):
        return " ".join(text(v) for v in value)
    if isinstance(value, (float, np.floating)):
        assert not math.isnan(value)
        return repr(float(value))
    return str(value)


def write(name, rows):
    with open(os.path.join(OUT, name), "w") as f:
        f.write("# tests/golden/make_statistics.py, python %d.%d, numpy %s, scipy %s\n"
                % (sys.version_info[0], sys.version_info[1], np.__version__, scipy.__version__))
        for key, value in rows:
            f.write("%s %s\n" % (key, text(value)))


def case_rows():
    for name, case in cases():
        n = len(case["a"])
        yield "case", (name, n)
        for key, values in case.items():
            plain = key in ("a", "b") or np.any(values != (1 if key.startswith("status") else 0))
            if n and plain:
                yield key, [int(v) for v in values]
        yield from expect(case)


def main():
    os.makedirs(OUT, exist_ok=True)
    rows = functions()
    for name, keys in FUNCTIONS.items():
        write(name + ".txt", [row for row in rows if row[0] in keys])
    write("cases.txt", case_rows())
    case = million()
    sums = [int(case[w].sum()) for w in "ab"]
    write("million.txt", [("case", ("million", 1_000_000)), ("checksum", sums)] + expect(case))


if __name__ == "__main__":
    main()
