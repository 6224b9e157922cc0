"""The tables of the drift benchmarks: a hundred columns of eight kinds, drawn from seeds, stable or with one change."""

from typing import Any, NamedTuple

import numpy as np

KINDS = ("normal", "lognormal", "uniform", "counts", "zeros", "few", "many", "holes")
"""Of every eight columns: a bell, a long tail, a flat one, small integers, nine zeros of ten, 3 and 60 texts, 10 % missing."""
FEATURES = 100


class Change(NamedTuple):
    """What happens to one column: which, and how far."""

    name: str
    column: str = ""
    amount: float = 0.0


STABLE = Change("nothing")
CHANGES = (
    Change("mean + 0.1 sd", "normal 0", 0.1),
    Change("mean + 0.2 sd", "normal 0", 0.2),
    Change("mean + 0.5 sd", "normal 0", 0.5),
    Change("sd x 1.2", "normal 0", 0.2),
    Change("a share 55 % -> 65 %", "few 5", 0.1),
    Change("missing 10 % -> 20 %", "holes 7", 0.1),
)


def column_names(features: int = FEATURES) -> list[str]:
    """The names: kind and number."""
    return [f"{KINDS[place % len(KINDS)]} {place}" for place in range(features)]


def table_of(rng: Any, rows: int, change: Change = STABLE, *, features: int = FEATURES, memory: float = 0.0) -> Any:
    """A table. ``memory``: how much each row's value resembles that of the row before, in [0, 1)."""
    import pyarrow as pa

    return pa.table({name: column_of(rng, name, rows, change, memory) for name in column_names(features)})


def column_of(rng: Any, name: str, rows: int, change: Change = STABLE, memory: float = 0.0) -> Any:
    """One column; of texts as a dictionary."""
    import pyarrow as pa

    kind = name.split()[0]
    changed = change.column == name
    if kind in ("few", "many"):
        weights = np.array([0.55, 0.3, 0.15]) if kind == "few" else 1 / np.arange(1, 61)
        if changed:
            weights = weights + np.array([1, -0.7, -0.3]) * change.amount
        codes = np.searchsorted(np.cumsum(weights / weights.sum()), _even(rng, rows, memory)).astype(np.int32)
        texts = pa.array([f"v{place}" for place in range(weights.size)])
        return pa.DictionaryArray.from_arrays(pa.array(np.minimum(codes, weights.size - 1)), texts)
    bell = _bell(rng, rows, memory)
    if kind == "lognormal":
        return pa.array(np.exp(bell))
    if kind == "uniform":
        return pa.array(_evened(bell))
    if kind == "counts":
        return pa.array(np.floor(np.exp(0.5 * bell + 1)).astype(np.int64))
    if kind == "zeros":
        return pa.array(np.where(rng.random(rows) < 0.9, 0.0, np.exp(bell)))
    if kind == "holes":
        share = 0.1 + (change.amount if changed else 0.0)
        return pa.array(bell, mask=rng.random(rows) < share)
    if changed:
        return pa.array(bell * (1 + change.amount) if change.name.startswith("sd") else bell + change.amount)
    return pa.array(bell)


def _bell(rng: Any, rows: int, memory: float) -> Any:
    drawn = rng.standard_normal(rows)
    if not memory:
        return drawn
    values, new = np.empty(rows), (1 - memory**2) ** 0.5
    value = drawn[0]
    for place, each in enumerate((drawn * new).tolist()):
        value = memory * value + each
        values[place] = value
    return values


def _evened(bell: Any) -> Any:
    # The logistic curve is near enough to the normal one: only the shape matters here.
    return 1 / (1 + np.exp(-1.702 * bell))


def _even(rng: Any, rows: int, memory: float) -> Any:
    return _evened(_bell(rng, rows, memory)) if memory else rng.random(rows)
