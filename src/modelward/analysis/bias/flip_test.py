"""The flip test: would the nearest advantaged neighbours of the disadvantaged have got another prediction?

Source: smclarify 0.5 ``FT``. Its sign is the opposite of the documented one; the files hold this one. Checked against
scikit-learn's KNeighborsClassifier, which the original asks, and against the golden value of bias_adult_chain.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

NEIGHBOURS, ADVANTAGED_MIN = 5, 10
CHUNK_CELLS = 4_000_000

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def flip_test(features: Floats, group: Mask, predicted: Mask) -> float:
    """(Rows of the group predicted 1 whose neighbours say 0, less the reverse) / rows of the group.

    Neighbours: the 5 nearest of the others (1 where there are fewer than 10) by Euclidean distance, the majority
    decides; which of two equally near ones counts is the order of the rows here, and may differ elsewhere.
    """
    return float(flips(features, group, predicted).sum()) / int(group.sum())


def flips(features: Floats, group: Mask, predicted: Mask) -> npt.NDArray[np.int64]:
    """For each row of the group 1 (predicted 1, neighbours say 0), -1 (the reverse) or 0."""
    others, ours = features[~group], features[group]
    says, got = predicted[~group], predicted[group]
    wanted = NEIGHBOURS if len(others) >= ADVANTAGED_MIN else 1
    votes = np.empty(len(ours), np.bool_)
    step = max(1, CHUNK_CELLS // max(1, len(others)))
    for start in range(0, len(ours), step):
        near = _nearest(ours[start : start + step], others, wanted)
        votes[start : start + step] = 2 * says[near].sum(axis=1) > wanted
    return got.astype(np.int64) * ~votes - ~got * votes.astype(np.int64)


def _nearest(ours: Floats, others: Floats, wanted: int) -> Any:
    """Places of the nearest others of each row; of equally near ones the first."""
    # Feature by feature: a sum over squares that come from a matrix product would lose the ties.
    far = np.zeros((len(ours), len(others)))
    for mine, theirs in zip(ours.T, others.T, strict=True):
        gap = mine[:, np.newaxis] - theirs
        far += gap * gap
    if wanted >= len(others):
        return np.argsort(far, axis=1, kind="stable")[:, :wanted]
    near = np.argpartition(far, wanted - 1, axis=1)[:, :wanted]
    edge = np.take_along_axis(far, near, axis=1).max(axis=1)
    tied = np.flatnonzero((far <= edge[:, np.newaxis]).sum(axis=1) > wanted)
    near[tied] = np.argsort(far[tied], axis=1, kind="stable")[:, :wanted]
    return near
