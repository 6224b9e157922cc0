"""Cells for drawing: two columns on one axis, few enough for a terminal line or a small chart. Draws nothing itself."""

import math
from itertools import pairwise

import msgspec
import numpy as np

from modelward.analysis.profiles import NUMERIC, ColumnProfile
from modelward.analysis.sketches import Floats, Histogram


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of the rows in each cell. ``baseline`` is empty where there is none; ``ordered`` is false for texts."""

    labels: tuple[str, ...]
    baseline: tuple[float, ...]
    current: tuple[float, ...]
    ordered: bool

    @property
    def highest(self) -> float:
        """The greatest share, for scaling; never 0."""
        return max((*self.baseline, *self.current, 1e-12))


def picture(current: ColumnProfile | None, baseline: ColumnProfile | None = None, *, cells: int = 24) -> Picture | None:
    """Put one or two profiles of a column on one axis of at most ``cells`` cells; None where nothing can be drawn.

    Numbers: equal widths between the 0.5 % and 99.5 % quantiles of both; what lies beyond is drawn in the outer cells.
    Texts: the most frequent values of both, and the rest as one cell.
    """
    sides = [side for side in (current, baseline) if side is not None]
    histograms = [side.histogram for side in sides if side.histogram is not None]
    if histograms and all(side.kind in NUMERIC or side.histogram is None for side in sides):
        return _numbers(current, baseline, cells)
    if any(side.categories is not None for side in sides):
        return _texts(current, baseline, cells)
    return None


def _numbers(current: ColumnProfile | None, baseline: ColumnProfile | None, cells: int) -> Picture:
    sides = [side for side in (current, baseline) if side is not None and side.histogram is not None]
    ends = [side.histogram.quantiles(np.array([0.005, 0.995])) for side in sides if side.histogram is not None]
    low, high = min(float(end[0]) for end in ends), max(float(end[1]) for end in ends)
    if all(side.whole for side in sides) and high - low < 2**53:
        # Cells of whole width: otherwise some hold two integers and others three, and a comb appears.
        width = max(1.0, math.ceil((high - low + 1) / cells))
        count = min(cells, int((high - low) // width) + 1)
        edges: Floats = np.asarray(low - 0.5 + width * np.arange(count + 1), np.float64)
    else:
        edges = np.linspace(low, high, cells + 1) if high > low else np.array([low, low + abs(low) * 1e-6 + 1e-12])
    labels = tuple(f"{left:.4g} to {right:.4g}" for left, right in pairwise(edges.tolist()))
    return Picture(
        labels=labels,
        baseline=_cells(baseline.histogram, edges) if baseline is not None else (),
        current=_cells(current.histogram, edges) if current is not None else (),
        ordered=True,
    )


def _cells(histogram: Histogram | None, edges: Floats) -> tuple[float, ...]:
    if histogram is None:
        return (0.0,) * (edges.size - 1)
    values, counts = histogram.points()
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, edges.size - 2)
    found = np.bincount(place, counts, edges.size - 1)
    return tuple(float(share) for share in found / max(1.0, found.sum()))


def _texts(current: ColumnProfile | None, baseline: ColumnProfile | None, cells: int) -> Picture:
    shares = [_text_shares(side) for side in (current, baseline)]
    weight: dict[str, float] = {}
    for side in shares:
        for text, share in side.items():
            weight[text] = weight.get(text, 0.0) + share
    shown = sorted(weight, key=lambda text: (-weight[text], text))[: max(1, cells - 1)]
    labels = list(shown)
    rows = [[side.get(text, 0.0) for text in shown] for side in shares]
    rest = [max(0.0, 1 - sum(row)) if side else 0.0 for row, side in zip(rows, shares, strict=True)]
    if max(rest) > 1e-9:
        labels.append("(other)")
        rows = [[*row, left] for row, left in zip(rows, rest, strict=True)]
    return Picture(
        labels=tuple(labels),
        baseline=tuple(rows[1]) if baseline is not None else (),
        current=tuple(rows[0]) if current is not None else (),
        ordered=False,
    )


def _text_shares(side: ColumnProfile | None) -> dict[str, float]:
    if side is None or side.categories is None or not side.present:
        return {}
    return {text: count / side.present for text, count in side.categories.counts.items()}
