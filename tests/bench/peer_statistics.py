#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The same figures over a million pairs with numpy and scipy, for bench_statistics.

Prints two times in ms: what numpy and scipy have ready (quantiles and their
binomial ranks, median, lag 1, signed ranks, Wilson, cold apart, drift), and
that with the Hodges-Lehmann shift and its interval, which they have not: here
by bisection over numpy's searchsorted. The bootstrap is left out: scipy's, at
this size, takes minutes.
"""

import time

import numpy as np
from scipy import stats

N = 1_000_000


def splitmix64(seed, n):
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def data():
    u = splitmix64(1, 3 * N).reshape(N, 3)
    part = lambda k, most: ((u[:, k] >> np.uint64(32)) % np.uint64(most)).astype(np.int64)  # noqa: E731
    common = 35_000_000 + part(0, 9_000_000)
    return common + part(1, 6_000_000) + 200_000, common + part(2, 6_000_000)


def interval(ordered, q):
    low, high = stats.binom.ppf([0.025, 0.975], len(ordered), q)
    return ordered[int(low) - 1], ordered[min(int(high), len(ordered) - 1)]


def lag1(x):
    r = stats.rankdata(x) - (len(x) + 1) / 2
    return (r[:-1] @ r[1:]) / (r @ r)


def drift(x):
    halves = np.sort(x[: N // 2]), np.sort(x[N // 2 :])
    return [np.median(h) for h in halves], [interval(h, 0.5) for h in halves]


def source(x):
    s = np.sort(x)
    ranks = [int(np.ceil(q * N)) - 1 for q in (0.5, 0.9, 0.99, 0.999)]
    return s[ranks], [interval(s, q) for q in (0.5, 0.9, 0.99, 0.999)], lag1(x), drift(x)


def select(d, k):
    low, high = 2 * int(d[0]), 2 * int(d[-1])
    doubled = 2 * d
    while low < high:
        middle = (low + high) // 2
        both = int(np.searchsorted(d, middle - d, "right").sum())
        if (both + int(np.searchsorted(doubled, middle, "right"))) // 2 >= k:
            high = middle
        else:
            low = middle + 1
    return low


def main():
    a, b = data()
    start = time.perf_counter()
    source(a), source(b)
    d = a - b
    s = np.sort(d)
    np.median(s), interval(s, 0.5), lag1(d), drift(d)
    stats.wilcoxon(d, zero_method="pratt", correction=True, mode="approx")
    stats.binomtest(int((d < 0).sum()), N).proportion_ci(method="wilson")
    stats.binomtest(int((d < 0).sum()), N, 0.5).pvalue
    slow = (a > np.quantile(a, 0.99), b > np.quantile(b, 0.99))
    (slow[0] & slow[1]).sum()
    ready = time.perf_counter()
    total = N * (N + 1) // 2
    error = 1.96 * np.sqrt(N * (N + 1) * (2 * N + 1) / 24)
    [select(s, int(k)) for k in (total // 2, total / 2 - error, total / 2 + error)]
    print("%.3f %.3f" % ((ready - start) * 1e3, (time.perf_counter() - start) * 1e3))


main()
