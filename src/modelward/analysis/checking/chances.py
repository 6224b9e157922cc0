"""How likely a difference is by chance alone: tails of distributions, tests on counts and on ranks. No verdicts; see drift.py.

Every chance here is that of a difference at least as large between two samples of one distribution, and holds for repeated
values, for lumps of zeros and for values that were put into bins: bins are the same for both sides.
"""

import math

import numpy as np

from modelward.analysis.sketches import Counts, Floats

KS_MEAN_SQUARE = math.pi**2 / 12
"""The mean square of Kolmogorov's distribution."""
SKEWED = 0.01
"""Below this skewness a normal tail is as good as a gamma one."""


def normal_tail(z: float) -> float:
    """Chance that a standard normal variable exceeds z."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def chi2_tail(statistic: float, freedom: float) -> float:
    """Chance that a chi-square variable exceeds the statistic (regularised upper incomplete gamma function)."""
    if statistic <= 0 or freedom <= 0:
        return 1.0
    a, x = freedom / 2, statistic / 2
    scale = math.exp(-x + a * math.log(x) - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        n = a
        while abs(term) > abs(total) * 1e-15:
            n += 1
            term *= x / n
            total += term
        return min(1.0, max(0.0, 1 - total * scale))
    # Continued fraction of Lentz, as in Numerical Recipes 6.2.
    b = x + 1 - a
    c, d = 1e300, 1 / b
    h = d
    for i in range(1, 10_000):
        step = -i * (i - a)
        b += 2
        d = 1 / (step * d + b)
        c = b + step / c
        h *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return min(1.0, max(0.0, scale * h))


def skewed_tail(z: float, skewness: float) -> float:
    """Chance that a variable of mean 0, variance 1 and this skewness exceeds z: that of a shifted gamma (Pearson type III).

    Where the longer tail is on the other side the normal tail is taken: it is the larger.
    """
    if skewness < SKEWED:
        return normal_tail(z)
    shape = 4 / skewness**2
    return chi2_tail(2 * (shape + z * math.sqrt(shape)), 2 * shape)


def gamma_tail(value: float, mean: float, variance: float) -> float:
    """Chance that a gamma variable of this mean and variance exceeds the value."""
    if variance <= 0 or mean <= 0:
        return 1.0 if value <= mean else 0.0
    return chi2_tail(value * 2 * mean / variance, 2 * mean * mean / variance)


def binomial_tail(count: int, tries: int, share: float) -> float:
    """Chance of at least so many hits in so many tries, where each hits with this chance."""
    if count <= 0 or share >= 1:
        return 1.0
    if share <= 0 or count > tries:
        return 0.0
    if count <= tries * share:
        # Not in the tail: nobody asks for digits here.
        return normal_tail((count - 0.5 - tries * share) / math.sqrt(tries * share * (1 - share)))
    log_term = math.lgamma(tries + 1) - math.lgamma(count + 1) - math.lgamma(tries - count + 1)
    term = math.exp(log_term + count * math.log(share) + (tries - count) * math.log1p(-share))
    total, odds = term, share / (1 - share)
    for hits in range(count, tries):
        term *= (tries - hits) / (hits + 1) * odds
        total += term
        if term < total * 1e-12:
            break
    return min(1.0, total)


def ks_p_value(distance: float, n: int, m: int) -> float:
    """Chance of at least this Kolmogorov-Smirnov distance (asymptotic; Stephens 1970 for small n).

    With repeated values the true chance is smaller, so the verdict errs on the side of no alarm.
    """
    size = math.sqrt(n * m / (n + m))
    x = (size + 0.12 + 0.11 / size) * distance
    if x < 0.2:
        return 1.0
    total = 0.0
    for k in range(1, 101):
        term = math.exp(-2 * k * k * x * x)
        total += term if k % 2 else -term
        if term < 1e-17 * total:
            break
    return min(1.0, max(0.0, 2 * total))


def chi2_p_value(left: Counts, right: Counts) -> tuple[float, float, int]:
    """Chi-square test of homogeneity over a 2 x k table: statistic, chance, degrees of freedom (Pearson 1900).

    The chance is that of a shifted gamma variable with the mean and the variance that the statistic has for these margins
    (Haldane 1940) and the skewness that its cells add, so that small cells do not make it too small.
    """
    kept = (left + right) > 0
    a, b = left[kept].astype(float), right[kept].astype(float)
    n, m = float(a.sum()), float(b.sum())
    freedom = a.size - 1
    if freedom < 1 or n == 0 or m == 0:
        return 0.0, 1.0, 0
    both = a + b
    statistic = float((((a * m - b * n) ** 2) / both).sum()) / (n * m)
    if n + m <= 4:
        return statistic, chi2_tail(statistic, freedom), freedom
    mean, variance, skewness = _moments(both, n, m)
    return statistic, skewed_tail((statistic - mean) / math.sqrt(variance), skewness), freedom


def _moments(both: Floats, n: float, m: float) -> tuple[float, float, float]:
    """Mean, variance and skewness of the statistic where the margins are given and nothing differs."""
    total, cells = n + m, both.size
    rows_even, columns_even = (total - 2) / (total - 1), (cells - 1) * (total - cells) / (total - 1)
    rows_odd = (total / n + total / m - 4) / (total - 2)
    columns_odd = (total * float((1 / both).sum()) - cells * cells) / (total - 2)
    variance = 2 * total / (total - 3) * (rows_even - rows_odd) * (columns_even - columns_odd)
    variance = max(1e-12, variance + total * total / (total - 1) * rows_odd * columns_odd)
    # A cell's count is dealt out, so it is skewed and has longer tails than a normal one: by one over what is expected.
    share = m / total
    small = float((1 / (both * share * (1 - share))).sum())
    third = 8 * (cells - 1) + small * (12 * (1 - 6 * share * (1 - share)) + 10 * (1 - 2 * share) ** 2)
    return total * (cells - 1) / (total - 1), variance, max(0.0, third) / variance**1.5


def rank_p_values(left: Counts, right: Counts) -> tuple[float, float]:
    """Chances by two sums of ranks: of a move to one side (Wilcoxon 1945), and of a wider or narrower spread (Mood 1954).

    ``left`` and ``right`` are counts on one increasing axis. Equal values share their mean rank, and mean, variance and
    skewness of the sum are those over all ways of dealing the rows to the two sides, whatever the distribution.
    """
    both = (left + right).astype(float)
    total = float(both.sum())
    places = (np.cumsum(both) - both / 2) / total - 0.5
    return _dealt(places, both, right), _dealt(places * places, both, right)


def share_p_value(hits_left: int, n: int, hits_right: int, m: int) -> float:
    """Chance of at least this difference of two shares, whatever the share is."""
    left, right = np.array([n - hits_left, hits_left]), np.array([m - hits_right, hits_right])
    return rank_p_values(left, right)[0]


def _dealt(scores: Floats, both: Floats, right: Counts) -> float:
    """The two-sided chance of the sum of scores on the right side, dealt at random."""
    total, m = float(both.sum()), float(right.sum())
    n = total - m
    if n < 1 or m < 1 or total < 3:
        return 1.0
    scores = scores - float((scores * both).sum()) / total
    squares = scores * scores * both
    variance = n * m / (total * (total - 1)) * float(squares.sum())
    if variance <= 0:
        return 1.0
    found = float((scores * right).sum())
    if scores.size == 2:
        # Two values: the sum moves in steps, and half a step belongs to the next one.
        found = math.copysign(max(0.0, abs(found) - abs(float(scores[1] - scores[0])) / 2), found)
    third = n * m * (n - m) / (total * (total - 1) * (total - 2)) * float((squares * scores).sum())
    spread = math.sqrt(variance)
    skewness = math.copysign(1.0, found) * third / spread**3
    return min(1.0, 2 * skewed_tail(abs(found) / spread, skewness))
