"""Can a classifier tell the current rows from the baseline's? Sees changes of columns together that no single one shows.

Half of the rows of each side train boosted trees, the other half are scored: the area under the ROC curve is 1/2 where both
tables come from one distribution, whatever the classifier is worth, so its chance holds for large halves (Lopez-Paz & Oquab
2017). Reads rows, not profiles, so it runs on request.
"""

import math
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from modelward.analysis.accumulate import doubles
from modelward.analysis.buffers import fixed_width, is_text, valid_mask, width_of
from modelward.analysis.checking.boosted_trees import BINS_MAX, boosted, scored
from modelward.analysis.checking.drift import looks_like_identifier
from modelward.analysis.profiles import Kind
from modelward.analysis.row_rules import plain
from modelward.analysis.scan import profile
from modelward.analysis.sketches import Floats
from modelward.analysis.sources import Plan, Source, batches_of
from modelward.kernel.errors import Invalid
from modelward.kernel.outcome import Outcome

ROWS_MIN = 200
Codes = npt.NDArray[np.uint8]


class ClassifierVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the classifier found.

    ``auc``: area under the ROC curve on rows it did not see, 1/2 for no difference. ``p_value``: the chance of at least
    this area if there is none. ``columns``: those by which it tells the sides apart, with their share of the gain.
    """

    auc: float | None
    p_value: float | None
    rows: int
    baseline_rows: int
    outcome: Outcome
    reason: str
    columns: tuple[tuple[str, float], ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def classifier_test(
    current: Source,
    baseline: Source,
    *,
    columns: tuple[str, ...] | None = None,
    auc_max: float = 0.55,
    chance_max: float = 0.01,
    rows_max: int = 20_000,
    seed: int = 0,
) -> ClassifierVerdict:
    """Train a classifier to tell two tables apart, and judge it by rows it has not seen.

    Failed: the area is above ``auc_max`` and its chance below ``chance_max``. Undecided: fewer than 200 rows on a side, or
    no column to look at. At most ``rows_max`` rows of each side are drawn at random; equal seeds give equal verdicts.

    Raises:
        NotFound: a file or a column does not exist.
        Invalid: a table cannot be read, or a limit is out of range.
    """
    if not 0.5 <= auc_max < 1 or not 0 < chance_max < 1 or rows_max < ROWS_MIN:
        raise Invalid(
            f"auc_max {auc_max} must be in [0.5, 1), chance_max {chance_max} in (0, 1), rows_max {rows_max} at least {ROWS_MIN}.",
            field="auc_max",
        )
    rng = np.random.default_rng(seed)
    before, now = (sampled(source, columns, rows_max, rng) for source in (baseline, current))
    if before.num_rows < ROWS_MIN or now.num_rows < ROWS_MIN:
        return _undecided(before, now, f"A side has {min(before.num_rows, now.num_rows)} rows; {ROWS_MIN} are needed.")
    names, left_out = _usable(before, now)
    if not names:
        return _undecided(before, now, "There is no column that a classifier could use.")
    labels = np.concatenate((np.zeros(before.num_rows), np.ones(now.num_rows)))
    training = _half(before.num_rows, now.num_rows, rng)
    codes = np.column_stack([_codes(before.column(name), now.column(name), training) for name in names])
    model = boosted(codes[training], labels[training])
    auc, chance = area(scored(model, codes[~training]), labels[~training])
    gains = model.gains / max(1e-300, float(model.gains.sum()))
    ranked = sorted(zip(names, gains.tolist(), strict=True), key=lambda pair: -pair[1])
    different = auc > auc_max and chance < chance_max
    first = ", ".join(name for name, _ in ranked[:3])
    return ClassifierVerdict(
        auc=auc,
        p_value=chance,
        rows=now.num_rows,
        baseline_rows=before.num_rows,
        outcome=Outcome.FAILED if different else Outcome.PASSED,
        reason=f"The rows can be told apart, mostly by {first}."
        if different
        else "The rows cannot well be told apart.",
        columns=tuple(ranked),
        left_out=tuple(left_out),
    )


def _undecided(before: Any, now: Any, reason: str) -> ClassifierVerdict:
    return ClassifierVerdict(
        auc=None,
        p_value=None,
        rows=now.num_rows,
        baseline_rows=before.num_rows,
        outcome=Outcome.UNDECIDED,
        reason=reason,
    )


def sampled(source: Source, columns: tuple[str, ...] | None, rows_max: int, rng: np.random.Generator) -> Any:
    """At most so many rows of a table, drawn evenly in one pass."""
    kept: Any = None
    keys = np.zeros(0)
    for batch in batches_of(source, columns, Plan()):
        own = rng.random(batch.num_rows)
        limit = keys.max() if keys.size == rows_max else 1.0
        chosen = np.flatnonzero(own < limit)
        part = pa.Table.from_batches([batch]).take(_places(chosen))
        kept = part if kept is None else pa.concat_tables([kept, part], promote_options="permissive")
        keys = np.concatenate((keys, own[chosen]))
        if keys.size > rows_max:
            smallest = np.sort(np.argpartition(keys, rows_max)[:rows_max])
            kept, keys = kept.take(_places(smallest)), keys[smallest]
    return kept if kept is not None else pa.table({})


def _places(places: npt.NDArray[np.int64]) -> Any:
    return pa.Array.from_buffers(pa.int64(), places.size, [None, pa.py_buffer(np.ascontiguousarray(places, np.int64))])


def _usable(before: Any, now: Any) -> tuple[list[str], list[tuple[str, str]]]:
    names, left_out = [], []
    seen = profile(before)
    there = set(now.column_names)
    for name in before.column_names:
        column = seen.columns.get(name)
        if name not in there:
            left_out.append((name, "the current data has no such column"))
        elif column is None or column.kind is Kind.UNKNOWN:
            left_out.append((name, "it holds no values that can be compared"))
        elif column.kind is Kind.TIMESTAMP:
            left_out.append((name, "a time moves by its nature"))
        elif looks_like_identifier(column):
            left_out.append((name, "nearly every row has its own value, as in an identifier"))
        elif _numeric(before.column(name).type) != _numeric(now.column(name).type):
            left_out.append((name, "numbers on one side, texts on the other"))
        else:
            names.append(name)
    return names, left_out


def _numeric(kind: Any) -> bool:
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return not (is_text(inner) or pa.types.is_boolean(inner))


def _half(before: int, now: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which rows train: every second of a random order, on each side."""
    halves = []
    for size in (before, now):
        half = np.zeros(size, bool)
        half[rng.permutation(size)[: size // 2]] = True
        halves.append(half)
    return np.concatenate(halves)


def _codes(before: Any, now: Any, training: npt.NDArray[np.bool_]) -> Codes:
    """A column of both sides as numbers of bins; 0 is a missing value. Bins are chosen by the training rows alone."""
    if _numeric(before.type):
        values = np.concatenate((_numbers(before), _numbers(now)))
        known = values[training]
        known = known[~np.isnan(known)]
        if known.size == 0:
            return np.zeros(values.size, np.uint8)
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS_MAX)[1:-1]))
        codes = np.searchsorted(edges, values, side="right") + 1
        return np.where(np.isnan(values), 0, codes).astype(np.uint8)
    return _text_codes([*_texts(before), *_texts(now)], training)


def _numbers(column: Any) -> Floats:
    parts = []
    for chunk in column.chunks:
        array = plain(chunk)
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        values = np.full(len(array), np.nan)
        mask = valid_mask(array)
        values[slice(None) if mask is None else mask] = doubles(array)[0]
        parts.append(values)
    return np.concatenate(parts) if parts else np.zeros(0)


def _texts(column: Any) -> list[str | None]:
    texts: list[str | None] = []
    for chunk in column.chunks:
        array = plain(chunk)
        if not pa.types.is_dictionary(array.type):
            array = pc.dictionary_encode(array.cast(pa.large_string()))
        known = [*array.dictionary.cast(pa.large_string()).to_pylist(), None]
        codes = fixed_width(array.indices, width_of(array.indices.type)).astype(np.int64)
        mask = valid_mask(array.indices)
        codes = codes if mask is None else np.where(mask, codes, len(known) - 1)
        texts += [known[code] for code in codes.tolist()]
    return texts


def _text_codes(texts: list[str | None], training: npt.NDArray[np.bool_]) -> Codes:
    """The most frequent texts have bins of their own, in the order of the side they stand on more often; the rest share one."""
    counts: dict[str, list[int]] = {}
    half = int(training.size)
    trained = np.flatnonzero(training)
    boundary = trained[trained.size // 2] if half else 0
    for place in trained.tolist():
        text = texts[place]
        if text is not None:
            counts.setdefault(text, [0, 0])[int(place >= boundary)] += 1
    frequent = sorted(counts, key=lambda text: (-sum(counts[text]), text))[: BINS_MAX - 2]
    frequent.sort(key=lambda text: (counts[text][1] / sum(counts[text]), text))
    codes: dict[str | None, int] = {text: place + 2 for place, text in enumerate(frequent)}
    codes[None] = 0
    return np.array([codes.get(text, 1) for text in texts], np.uint8)


def area(scores: Floats, labels: Floats) -> tuple[float, float]:
    """Area under the ROC curve, and the one-sided chance of at least it for no difference (Mann & Whitney 1947, with ties)."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    sizes = np.diff(np.append(starts, ordered.size))
    ranks = np.empty(ordered.size)
    ranks[order] = np.repeat(starts + (sizes + 1) / 2, sizes)
    ones = float(labels.sum())
    zeros = float(labels.size - ones)
    total = ones + zeros
    found = (float(ranks[labels == 1].sum()) - ones * (ones + 1) / 2) / (ones * zeros)
    tied = float((sizes.astype(float) ** 3 - sizes).sum())
    spread = math.sqrt(max(0.0, (total + 1 - tied / (total * (total - 1))) / (12 * ones * zeros)))
    if spread == 0:
        return 0.5, 1.0
    return found, 0.5 * math.erfc((found - 0.5) / spread / math.sqrt(2))
