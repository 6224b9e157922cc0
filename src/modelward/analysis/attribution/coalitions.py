"""Which sets of features a Kernel SHAP estimate asks about, and the projection that turns answers into attributions.

Coalitions come in pairs (a set and its complement), each only once. All of them are taken where the budget allows; else
small and large sets are taken whole and of the others as many of each size, drawn without repetition. That is leverage
score sampling (Musco & Witter 2024) stratified by size; the kernel is that of Lundberg & Lee 2017.
"""

import itertools
import math
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

Masks: TypeAlias = npt.NDArray[np.bool_]
Floats: TypeAlias = npt.NDArray[np.float64]

ENUMERATION_FACTOR = 4


class Coalitions(msgspec.Struct, frozen=True, kw_only=True):
    """Pairs of coalitions of ``features`` features, and how attributions follow from the answers to them.

    ``masks``: one of each pair, True where a feature has the value of the explained row; its complement is the other.
    With half the differences of the answers of pairs, and the answer to all features less that to none, the attributions
    are ``projection`` @ halves + ``share`` * whole. ``spread`` @ squared residuals is their sampling variance. ``exact``:
    nothing was sampled.
    """

    features: int
    masks: Masks
    projection: Floats
    share: Floats
    spread: Floats
    exact: bool

    @property
    def count(self) -> int:
        """Coalitions that are asked about, both of each pair."""
        return 2 * len(self.masks)

    def residuals(self, halves: Floats, values: Floats) -> Floats:
        """What the attributions leave of half the differences; both have further axes behind the first."""
        left: Floats = halves - np.tensordot(self.masks - 0.5, values, axes=1)
        return left


def coalitions(features: int, budget: int, seed: int) -> Coalitions:
    """Choose at most ``budget`` coalitions of two or more features, the empty and the full one not counted.

    At least the ``2 * features`` coalitions of one and of all but one feature are taken, whatever the budget.
    """
    rng = np.random.default_rng([seed, features])
    parts, weights, randoms = [], [], []
    for size, wanted, there in _allotted(features, max(budget, 2 * features) // 2):
        masks = _all_of(features, size) if wanted == there else _some_of(features, size, wanted, there, rng)
        parts.append(masks)
        # The kernel gives every set of a size the same weight: those drawn share the weight of all.
        weights.append(np.full(len(masks), _size_weight(features, size) / len(masks)))
        randoms.append(np.full(len(masks), 1 - len(masks) / there))
    masks, weight, randomness = np.concatenate(parts), np.concatenate(weights), np.concatenate(randoms)
    projection = _projection(np.asarray(masks - 0.5, np.float64), weight)
    # The residuals of a fit are too small by the share of the numbers that were fitted.
    freedom = len(masks) / max(1, len(masks) - features + 1)
    return Coalitions(
        features=features,
        masks=masks,
        projection=projection,
        share=(1 - projection @ (masks - 0.5).sum(axis=1)) / features,
        spread=projection * projection * randomness * freedom,
        exact=not randomness.any(),
    )


def _pairs_of(features: int, size: int) -> int:
    whole = math.comb(features, size)
    return whole // 2 if 2 * size == features else whole


def _size_weight(features: int, size: int) -> float:
    """Kernel weight of all pairs of a size."""
    each = (features - 1) / (math.comb(features, size) * size * (features - size))
    return each * _pairs_of(features, size)


def _allotted(features: int, pairs: int) -> list[tuple[int, int, int]]:
    """(Size, pairs to take, pairs there are), sizes from small on; equal shares, and what a size cannot use goes on."""
    sizes = range(1, features // 2 + 1)
    there = {size: _pairs_of(features, size) for size in sizes}
    # The middle size of an even number is one where others are two, so it gets half a share.
    share = {size: 0.5 if 2 * size == features else 1.0 for size in sizes}
    left, taken = pairs, {}
    filling = sorted(sizes, key=lambda size: there[size] / share[size])
    for place, size in enumerate(filling):
        mine = share[size] / sum(share[one] for one in filling[place:])
        taken[size] = min(there[size], max(int(left * mine), features if size == 1 else 0))
        left = max(0, left - taken[size])
    return [(size, taken[size], there[size]) for size in sizes if taken[size]]


def _all_of(features: int, size: int) -> Masks:
    chosen = np.array(list(itertools.combinations(range(features), size)), np.int64)
    if 2 * size == features:
        # Of each pair the one with the first feature.
        chosen = chosen[chosen[:, 0] == 0]
    return _masks(chosen, features)


def _masks(chosen: npt.NDArray[np.int64], features: int) -> Masks:
    masks = np.zeros((len(chosen), features), np.bool_)
    np.put_along_axis(masks, chosen, True, axis=1)
    return masks


def _some_of(features: int, size: int, wanted: int, there: int, rng: np.random.Generator) -> Masks:
    if there <= ENUMERATION_FACTOR * wanted:
        every = _all_of(features, size)
        return every[np.sort(rng.choice(len(every), wanted, replace=False))]
    found: dict[bytes, Any] = {}
    while len(found) < wanted:
        drawn = np.argsort(rng.random((wanted, features)), axis=1, kind="stable")[:, :size]
        masks = _masks(drawn, features)
        if 2 * size == features:
            masks = np.where(masks[:, :1], masks, ~masks)
        for mask in masks:
            if len(found) == wanted:
                break
            found.setdefault(mask.tobytes(), mask)
    return np.array(list(found.values()), np.bool_)


def _projection(centred: Floats, weight: Floats) -> Floats:
    """Weighted least squares on the centred masks, among vectors whose sum is 0."""
    features = centred.shape[1]
    # An orthonormal basis of the vectors whose sum is 0.
    basis = np.linalg.qr(np.eye(features)[:, 1:] - 1 / features)[0]
    flat = centred @ basis
    normal = flat.T @ (flat * weight[:, np.newaxis])
    projected: Floats = basis @ np.linalg.solve(normal, (flat * weight[:, np.newaxis]).T)
    return projected
