"""A background for explanations where none is given: typical rows by k-prototypes (Huang 1998) with a fixed start.

The service makes such rows too; its own are not known, so these differ from them.
"""

from typing import Any

import numpy as np

from modelward.kernel.errors import Invalid

CLUSTERS_MAX = 12
ROWS_MAX = 10_000
ROUNDS_MAX = 50


def prototypes(rows: Any, clusters: int | None, seed: int) -> Any:
    """Typical rows: of numbers the mean, of others the most frequent value, over the rows of each cluster.

    ``clusters``: how many; from 1 to 12, where the sum of distances stops falling fast, when None.

    Raises:
        Invalid: no rows, or a number of clusters that cannot be.
    """
    if not len(rows):
        raise Invalid("There are no rows to make a baseline of.", field="methods.shap.baseline")
    if clusters is not None and clusters < 1:
        raise Invalid(f"num_clusters is {clusters}; at least 1 is needed.", field="methods.shap.num_clusters")
    rng = np.random.default_rng(seed)
    kept = rows if len(rows) <= ROWS_MAX else rows[np.sort(rng.choice(len(rows), ROWS_MAX, replace=False))]
    coded, scale = _coded(kept)
    most = min(CLUSTERS_MAX if clusters is None else clusters, len(kept))
    tries = [_clustered(coded, scale, count, rng) for count in ([most] if clusters else range(1, most + 1))]
    chosen = tries[_bend([cost for _, cost in tries])][0]
    return np.array([_typical(kept[chosen == one]) for one in np.unique(chosen)], kept.dtype)


def _coded(rows: Any) -> tuple[Any, Any]:
    """Columns as numbers, and which of them are measured (in standard deviations) rather than merely equal or not."""
    coded = np.zeros(rows.shape)
    measured = np.zeros(rows.shape[1], np.bool_)
    for place in range(rows.shape[1]):
        column = rows[:, place]
        if all(isinstance(value, int | float | np.number) for value in column.tolist()):
            values = column.astype(np.float64)
            values = np.where(np.isfinite(values), values, 0.0)
            coded[:, place] = (values - values.mean()) / (values.std() or 1.0)
            measured[place] = True
        else:
            coded[:, place] = np.unique([str(value) for value in column.tolist()], return_inverse=True)[1]
    return coded, measured


def _distances(coded: Any, measured: Any, centres: Any) -> Any:
    far = np.zeros((len(coded), len(centres)))
    for place, centre in enumerate(centres):
        gaps = coded - centre
        far[:, place] = (gaps[:, measured] ** 2).sum(axis=1) + (gaps[:, ~measured] != 0).sum(axis=1)
    return far


def _clustered(coded: Any, measured: Any, count: int, rng: np.random.Generator) -> tuple[Any, float]:
    """Which cluster each row is of, and the sum of distances; begins with rows far from each other (k-means++)."""
    centres = coded[[int(rng.integers(len(coded)))]]
    while len(centres) < count:
        near = _distances(coded, measured, centres).min(axis=1)
        if not near.any():
            break
        centres = np.vstack((centres, coded[rng.choice(len(coded), p=near / near.sum())]))
    chosen = _distances(coded, measured, centres).argmin(axis=1)
    for _ in range(ROUNDS_MAX):
        centres = np.array([_centre(coded[chosen == one], measured) for one in np.unique(chosen)])
        again = _distances(coded, measured, centres).argmin(axis=1)
        if (again == chosen).all():
            break
        chosen = again
    return chosen, float(_distances(coded, measured, centres).min(axis=1).sum())


def _centre(coded: Any, measured: Any) -> Any:
    middle = coded.mean(axis=0)
    for place in np.flatnonzero(~measured):
        values, counts = np.unique(coded[:, place], return_counts=True)
        middle[place] = values[counts.argmax()]
    return middle


def _bend(costs: list[float]) -> int:
    """Where a falling curve lies furthest below the line between its ends."""
    if len(costs) < 3 or costs[0] <= costs[-1]:
        return 0
    line = np.linspace(costs[0], costs[-1], len(costs))
    return int(np.argmax(line - np.array(costs)))


def _typical(rows: Any) -> list[Any]:
    row = []
    for column in rows.T:
        listed = column.tolist()
        if all(isinstance(value, int | float) for value in listed):
            finite = [value for value in listed if value == value]
            row.append(float(np.mean(finite)) if finite else float("nan"))
        else:
            texts = [str(value) for value in listed]
            row.append(listed[texts.index(max(sorted(set(texts)), key=texts.count))])
    return row
