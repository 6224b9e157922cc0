"""The flip test: would the nearest advantaged neighbours of the disadvantaged have got another prediction?

Source: smclarify 0.5 ``FT``. Its sign is the opposite of the documented one; the files hold this one.
"""

import numpy as np
import numpy.typing as npt

NEIGHBOURS, ADVANTAGED_MIN = 5, 10
CHUNK_CELLS = 4_000_000


def flip_test(
    features: npt.NDArray[np.float64], group: npt.NDArray[np.bool_], predicted: npt.NDArray[np.bool_]
) -> float:
    """(Rows of the group predicted 1 whose neighbours say 0, less the reverse) / rows of the group.

    Neighbours: the 5 nearest of the others (1 where there are fewer than 10) by Euclidean distance, the majority
    decides; which of two equally near ones counts is the order of the rows here, and may differ elsewhere.
    """
    others, ours = features[~group], features[group]
    says, got = predicted[~group], predicted[group]
    wanted = NEIGHBOURS if len(others) >= ADVANTAGED_MIN else 1
    votes = np.empty(len(ours), np.bool_)
    step = max(1, CHUNK_CELLS // max(1, others.size))
    for start in range(0, len(ours), step):
        gaps = ours[start : start + step, np.newaxis, :] - others[np.newaxis, :, :]
        near = np.argsort((gaps * gaps).sum(axis=2), axis=1, kind="stable")[:, :wanted]
        votes[start : start + step] = 2 * says[near].sum(axis=1) > wanted
    return float((got & ~votes).sum() - (~got & votes).sum()) / len(ours)
