"""The flip test of a table: do the nearest neighbours on the other side get another prediction? See compatible/flip_test.py."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelward.analysis.bias.flip_test import flips
from modelward.analysis.bias.judging import BiasMetric
from modelward.analysis.buffers import fixed_width, valid_mask
from modelward.analysis.sources import Source, batches_of
from modelward.analysis.tallies import Coder
from modelward.kernel.errors import Invalid

ROWS_MAX = 20_000
FLIP_TITLE = "Flip Test"
FLIP_NOT_ASKED = (
    "no feature columns were given (features=) for its nearest-neighbour search; counts do not determine it"
)
_REASON = "no tolerance is agreed on; below 0: the group is refused where its nearest neighbours are not"


class FlipRows:
    """Features, facet and prediction of the complete rows of a table, thinned at random to a bounded number."""

    def __init__(
        self, source: Source, features: Sequence[str], facet: Coder, predicted: Coder, *, scaled: bool, seed: int
    ) -> None:
        """Read the table; ``scaled``: distances in standard deviations of each feature.

        Raises:
            NotFound: a column does not exist.
            Invalid: a feature holds no numbers, or none is named.
        """
        if not features:
            raise Invalid("The flip test needs a feature.", field="features")
        columns = list(dict.fromkeys([*features, facet.column, predicted.column]))
        rng = np.random.default_rng(seed)
        parts: list[Any] = []
        kept = 0
        for batch in batches_of(source, columns):
            values = np.stack([_numbers(batch.column(columns.index(name)), name) for name in features], axis=1)
            codes = [coder.codes(batch.column(columns.index(coder.column))) for coder in (facet, predicted)]
            whole = np.isfinite(values).all(axis=1) & (codes[0] >= 0) & (codes[1] >= 0)
            # A random number for each row: the rows with the smallest ones are a sample of all.
            part = (rng.random(int(whole.sum())), values[whole], codes[0][whole], codes[1][whole])
            parts.append(part)
            kept += len(part[0])
            if kept > 4 * ROWS_MAX:
                parts, kept = [_thinned(parts)], ROWS_MAX
        draw, self.values, self.facet, self.predicted = _thinned(parts) if parts else _nothing(len(features))
        self.rows = len(draw)
        if scaled and self.rows:
            spread = self.values.std(axis=0)
            self.values = self.values / np.where(spread > 0, spread, 1.0)

    def metric(self, groups: npt.NDArray[np.bool_], favoured: npt.NDArray[np.bool_], name: str) -> BiasMetric:
        """The flip test of the group whose facet codes are chosen by ``groups``; ``favoured`` chooses predictions."""
        ours, got = _chosen(groups, self.facet), _chosen(favoured, self.predicted)
        value = low = high = None
        if ours.any() and not ours.all():
            found = flips(self.values, ours, got)
            value = float(found.mean())
            half = 1.96 * float(found.std()) / math.sqrt(len(found))
            low, high = max(-1.0, value - half), min(1.0, value + half)
        shown = "undefined" if value is None else f"{value:.3f} (95 % interval {low:.3f} to {high:.3f})"
        return BiasMetric(
            name="FT",
            title=FLIP_TITLE,
            stage="post_training",
            value=value,
            low=low,
            high=high,
            tolerance_source="no tolerance is agreed on; read it beside the others",
            reason=_REASON,
            sentence=f"For group {name!r}: {FLIP_TITLE} is {shown}. {_REASON[:1].upper()}{_REASON[1:]}.",
        )


def _chosen(mask: npt.NDArray[np.bool_], codes: Any) -> npt.NDArray[np.bool_]:
    # Values that the count did not meet cannot be met here: it is the same table.
    return np.asarray(mask[np.minimum(codes, len(mask) - 1)], np.bool_)


def _thinned(parts: list[Any]) -> Any:
    joined = [np.concatenate([part[place] for part in parts]) for place in range(4)]
    if len(joined[0]) <= ROWS_MAX:
        return joined
    kept = np.sort(np.argpartition(joined[0], ROWS_MAX)[:ROWS_MAX])
    return [one[kept] for one in joined]


def _nothing(width: int) -> Any:
    return np.zeros(0), np.zeros((0, width)), np.zeros(0, np.int64), np.zeros(0, np.int64)


def _numbers(array: Any, column: str) -> npt.NDArray[np.float64]:
    kind = array.type
    if not any(is_kind(kind) for is_kind in (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)):
        raise Invalid(
            f"Column {column!r} holds {kind}; the flip test needs numbers.",
            field=column,
            hint="Leave it out of features, or code it as numbers.",
        )
    numbers = array.cast(pa.int8()).cast(pa.float64()) if pa.types.is_boolean(kind) else array.cast(pa.float64())
    mask = valid_mask(numbers)
    values = fixed_width(numbers, np.float64)
    return values if mask is None else np.where(mask, values, np.nan)
