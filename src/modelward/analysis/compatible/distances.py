"""Distances between a column and its baseline, as deequ computes them and as they should be computed.

Source: deequ ``Distance.scala`` (numeric part unchanged 2019-10 to 2026-06, chi-square as of 2023-05). deequ puts the items
of a sketch into a map from item to weight, so repeated values count once: a column stuck at one value is never far from
anything. ``weighted`` keeps every row.
"""

import math
from collections.abc import Mapping
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from modelward.analysis.checking.drift import chi2_tail
from modelward.analysis.compatible.kll import Floats, weighted

Levels: TypeAlias = list[list[float]]
Weights: TypeAlias = npt.NDArray[np.int64]

# deequ's constant where no alpha is given; sqrt(-ln(0.003 / 2) / 2) rounded.
CORRECTION = 1.8
EXPECTED_MIN_TWO = 10
EXPECTED_MIN = 5
EXPECTED_BELOW_SHARE = 0.2


def numeric_distance(
    sample: Levels, baseline: Levels, *, robust: bool = True, collapse: bool = False, alpha: float | None = None
) -> float:
    """Largest gap between two cumulative distributions, read from sketches.

    ``robust``: less what two samples of one distribution differ by. ``collapse``: deequ's rule, every different item
    once with the weight of its last level; else every item with its full weight. ``alpha``: deequ's level of the
    correction instead of its constant.
    """
    (left, left_ranks), (right, right_ranks) = _ranks(sample, collapse), _ranks(baseline, collapse)
    if not left.size or not right.size:
        return math.nan
    n, m = float(left_ranks[-1]), float(right_ranks[-1])
    axis = np.union1d(left, right)
    gap = np.abs(_rank_at(axis, left, left_ranks) / n - _rank_at(axis, right, right_ranks) / m)
    return _corrected(float(gap.max()), n, m, robust, alpha)


def _ranks(levels: Levels, collapse: bool) -> tuple[Floats, Weights]:
    items, weights = weighted(levels)
    if collapse:
        # A map keeps what was put last; items were put level by level.
        last = dict(zip(items.tolist(), weights.tolist(), strict=True))
        items, weights = np.array(list(last), float), np.array(list(last.values()), np.int64)
    order = np.argsort(items, kind="stable")
    return items[order], np.cumsum(weights[order])


def _rank_at(axis: Floats, items: Floats, ranks: Weights) -> Floats:
    return np.concatenate(([0], ranks))[np.searchsorted(items, axis, side="right")].astype(np.float64)


def _corrected(gap: float, n: float, m: float, robust: bool, alpha: float | None) -> float:
    if not robust:
        return gap
    constant = CORRECTION if alpha is None else math.sqrt(-math.log(alpha / 2) / 2)
    return max(0.0, gap - constant * math.sqrt((n + m) / (n * m)))


def categorical_distance(
    sample: Mapping[str, int], baseline: Mapping[str, int], *, robust: bool = True, alpha: float | None = None
) -> float:
    """Largest difference between the shares of one text; not a number where one side has no rows."""
    n, m = float(sum(sample.values())), float(sum(baseline.values()))
    if not n or not m:
        return math.nan
    texts = {*sample, *baseline}
    gap = max(abs(sample.get(text, 0) / n - baseline.get(text, 0) / m) for text in texts)
    return _corrected(gap, n, m, robust, alpha)


class ChiSquare(msgspec.Struct, frozen=True):
    """Pearson's statistic with its p-value; both not a number where fewer than two categories are left."""

    statistic: float
    p_value: float


def chi_square(sample: Mapping[str, int], baseline: Mapping[str, int]) -> ChiSquare:
    """Compare counts with a baseline, as deequ does: texts that the baseline lacks are left out, thin ones are joined.

    The smallest expected count is joined with the second smallest while (two categories) any is below 10, or (more)
    over a fifth are below 5.
    """
    expected_total = sum(baseline.values())
    observed_total = sum(sample.get(text, 0) for text in baseline)
    if not expected_total or not observed_total:
        return ChiSquare(math.nan, math.nan)
    pairs = [(count / expected_total * observed_total, float(sample.get(text, 0))) for text, count in baseline.items()]
    while len(pairs) > 1 and _thin([expected for expected, _ in pairs]):
        pairs.sort()
        (first, first_seen), (second, second_seen), *rest = pairs
        pairs = [(first + second, first_seen + second_seen), *rest]
    if len(pairs) < 2:
        return ChiSquare(math.nan, math.nan)
    statistic = sum((seen - expected) ** 2 / expected for expected, seen in pairs)
    return ChiSquare(statistic, chi2_tail(statistic, len(pairs) - 1))


def _thin(expected: list[float]) -> bool:
    if len(expected) == 2:
        return any(count < EXPECTED_MIN_TWO for count in expected)
    below = sum(1 for count in expected if count < EXPECTED_MIN)
    return below > int(EXPECTED_BELOW_SHARE * len(expected))
