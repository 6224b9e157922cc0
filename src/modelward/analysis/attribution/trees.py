"""Exact Shapley values of models that are trees: interventional TreeSHAP for scikit-learn, else what the library itself gives.

Knows the models by the names of their classes and reads their arrays; scikit-learn itself is never imported here.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from modelward.kernel.errors import Invalid

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Places: TypeAlias = npt.NDArray[np.int64]

CELLS_MAX = 4_000_000


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """One binary tree. A leaf has -1 as its left child. ``values``: of each node, what it adds to each label."""

    left: Places
    right: Places
    feature: Places
    threshold: Floats
    missing_left: Flags
    values: Floats


class TreeEnsemble(msgspec.Struct, frozen=True, kw_only=True):
    """Trees whose sum, plus ``base``, is the output in the scale of ``output``. ``narrow``: features are single floats."""

    trees: tuple[Tree, ...]
    base: Floats
    output: str
    narrow: bool


def tree_shap(ensemble: TreeEnsemble, rows: Any, background: Any) -> tuple[Floats, Floats, Floats]:
    """Shapley values against a background, exactly: (values by row, feature and label; outputs; expected output).

    Each leaf is a product of conditions on features. Against one row of the background, a leaf that takes ``p`` conditions
    from the explained row alone and ``q`` from the background alone is a game whose Shapley values are known in closed
    form (Lundberg et al. 2020, the interventional variant); the conditions that both meet or neither meets are trivial.

    Raises:
        Invalid: the rows are no matrices of numbers of one width.
    """
    given, behind = (_numbers(matrix, ensemble.narrow) for matrix in (rows, background))
    if given.shape[1] != behind.shape[1] or not len(behind):
        raise Invalid("Rows and background must have the same features, and the background a row.", field="background")
    labels = len(ensemble.base)
    values = np.zeros((len(given), given.shape[1] * labels))
    outputs, expected = np.tile(ensemble.base, (len(given), 1)), ensemble.base.copy()
    for tree in ensemble.trees:
        leaves = _Leaves(tree)
        there = leaves.met(behind)
        expected += leaves.output(there).mean(axis=0)
        patterns, counts = np.unique(there, axis=1, return_counts=True)
        spread = leaves.spread(given.shape[1])
        step = max(1, CELLS_MAX // leaves.features.size)
        for start in range(0, len(given), step):
            met = leaves.met(given[start : start + step])
            outputs[start : start + step] += leaves.output(met)
            games = np.zeros(met.shape)
            for place, count in enumerate(counts):
                games += leaves.game(met, patterns[:, place : place + 1]) * (count / len(behind))
            for game, way in zip(games, spread, strict=True):
                values[start : start + step] += game @ way
    return values.reshape(len(given), given.shape[1], labels), outputs, expected


def _numbers(rows: Any, narrow: bool) -> Floats:
    try:
        matrix = np.asarray(rows, np.float64)
    except (TypeError, ValueError) as problem:
        raise Invalid("A tree is explained on numbers; these rows hold something else.", field="rows") from problem
    if matrix.ndim != 2:
        raise Invalid(f"A matrix is needed; this has {matrix.ndim} axes.", field="rows")
    # scikit-learn's trees compare single floats with double thresholds.
    return matrix.astype(np.float32).astype(np.float64) if narrow else matrix


class _Leaves:
    """The leaves of a tree as conditions: axes slot and leaf, one slot for each feature on the way to the leaf."""

    def __init__(self, tree: Tree) -> None:
        """Take the tree apart."""
        paths = list(_paths(tree))
        depth = max((len(path) for _, path in paths), default=0)
        slots = [list(dict.fromkeys(int(tree.feature[node]) for node, _ in path)) for _, path in paths]
        width = max(1, max(map(len, slots)))
        self.tree = tree
        self.values = tree.values[[leaf for leaf, _ in paths]]
        self.features = np.array([one + [-1] * (width - len(one)) for one in slots], np.int64).T
        self.nodes = np.zeros((depth, len(paths)), np.int64)
        self.ways = np.zeros((depth, len(paths)), np.bool_)
        self.slots = np.zeros((depth, len(paths)), np.int64)
        self.used = np.zeros((depth, len(paths)), np.bool_)
        for number, (_, path) in enumerate(paths):
            for step, (node, way) in enumerate(path):
                slot = slots[number].index(int(tree.feature[node]))
                self.nodes[step, number], self.ways[step, number], self.slots[step, number] = node, way, slot
                self.used[step, number] = True
        factorial = [float(math.factorial(number)) for number in range(2 * width + 1)]
        # By how many conditions come from the row alone and from the background alone: the share of each of them.
        self.gain, self.loss = np.zeros((2, width + 1, width + 1))
        for p in range(width + 1):
            for q in range(width + 1 - p):
                self.gain[p, q] = factorial[p - 1] * factorial[q] / factorial[p + q] if p else 0.0
                self.loss[p, q] = factorial[p] * factorial[q - 1] / factorial[p + q] if q else 0.0

    def met(self, rows: Floats) -> Flags:
        """Which conditions each row meets: axes slot, row, leaf."""
        met = np.ones((len(self.features), len(rows), len(self.values)), np.bool_)
        every = np.arange(len(self.values))
        for nodes, ways, slots, used in zip(self.nodes, self.ways, self.slots, self.used, strict=True):
            inner = np.where(used, nodes, 0)
            seen = rows[:, np.maximum(self.tree.feature[inner], 0)]
            goes_left = (seen <= self.tree.threshold[inner]) | (np.isnan(seen) & self.tree.missing_left[inner])
            kept = (goes_left == ways) | ~used
            for slot in np.unique(slots[used]):
                here = every[used & (slots == slot)]
                met[slot][:, here] &= kept[:, here]
        return met

    def output(self, met: Flags) -> Floats:
        """What the tree adds to each label."""
        added: Floats = met.all(axis=0).astype(np.float64) @ self.values
        return added

    def game(self, met: Flags, behind: Flags) -> Floats:
        """The Shapley values of every leaf against one row of the background, if the leaf were worth 1: axes as ``met``."""
        ours, theirs = met & ~behind, ~met & behind
        alive = (met | behind).all(axis=0)
        p, q = ours.sum(axis=0), theirs.sum(axis=0)
        shares: Floats = ours * (self.gain[p, q] * alive) - theirs * (self.loss[p, q] * alive)
        return shares

    def spread(self, features: int) -> Floats:
        """For each slot the matrix that leads from leaves to features and labels, each leaf by its value."""
        slots, leaves = self.features.shape
        matrix = np.zeros((slots, leaves, features, self.values.shape[1]))
        slot, leaf = np.nonzero(self.features >= 0)
        matrix[slot, leaf, self.features[slot, leaf]] = self.values[leaf]
        return matrix.reshape(slots, leaves, -1)


def _paths(tree: Tree) -> Iterator[tuple[int, list[tuple[int, bool]]]]:
    """Each leaf with the nodes above it and whether it lies to their left."""
    waiting: list[tuple[int, list[tuple[int, bool]]]] = [(0, [])]
    while waiting:
        node, path = waiting.pop()
        if tree.left[node] < 0:
            yield node, path
        else:
            waiting.append((int(tree.right[node]), [*path, (node, False)]))
            waiting.append((int(tree.left[node]), [*path, (node, True)]))


def trees_of(model: Any) -> TreeEnsemble | None:
    """The trees of a fitted scikit-learn model; None where it is no ensemble of trees that is known here."""
    for one in type(model).__mro__:
        if one.__module__.startswith("sklearn.") and one.__name__ in _READERS:
            return _READERS[one.__name__](model)
    return None


def _single(model: Any) -> TreeEnsemble:
    return _mean_of([model], model)


def _forest(model: Any) -> TreeEnsemble:
    return _mean_of(list(model.estimators_), model)


def _mean_of(estimators: list[Any], model: Any) -> TreeEnsemble:
    trees = []
    for one in estimators:
        values = one.tree_.value[:, 0, :]
        if hasattr(model, "classes_"):
            values = values / values.sum(axis=1, keepdims=True)
            values = values[:, 1:] if values.shape[1] == 2 else values
        trees.append(_tree(one.tree_, values / len(estimators)))
    output = "probability" if hasattr(model, "classes_") else "value"
    return TreeEnsemble(trees=tuple(trees), base=np.zeros(trees[0].values.shape[1]), output=output, narrow=True)


def _tree(tree: Any, values: Any) -> Tree:
    missing = getattr(tree, "missing_go_to_left", None)
    return Tree(
        left=np.asarray(tree.children_left, np.int64),
        right=np.asarray(tree.children_right, np.int64),
        feature=np.asarray(tree.feature, np.int64),
        threshold=np.asarray(tree.threshold, np.float64),
        missing_left=np.zeros(len(tree.feature), bool) if missing is None else np.asarray(missing, bool),
        values=np.asarray(values, np.float64),
    )


def _boosted(model: Any) -> TreeEnsemble | None:
    # Another first model than a constant is a part of the output that is no tree.
    if type(model.init_).__name__ not in ("DummyClassifier", "DummyRegressor") and not isinstance(model.init_, str):
        return None
    stages = model.estimators_
    labels = stages.shape[1]
    trees = []
    for stage in stages:
        for label, one in enumerate(stage):
            values = np.zeros((one.tree_.node_count, labels))
            values[:, label] = one.tree_.value[:, 0, 0] * model.learning_rate
            trees.append(_tree(one.tree_, values))
    probe = np.zeros((1, model.n_features_in_))
    whole = model.decision_function(probe) if hasattr(model, "classes_") else model.predict(probe)
    met = sum((_output(tree, probe) for tree in trees), np.zeros(labels))
    base = np.asarray(whole, np.float64).reshape(labels) - met
    return TreeEnsemble(trees=tuple(trees), base=base, output=_margin(model), narrow=True)


def _output(tree: Tree, rows: Floats) -> Floats:
    leaves = _Leaves(tree)
    added: Floats = leaves.output(leaves.met(rows))[0]
    return added


def _histogram_boosted(model: Any) -> TreeEnsemble | None:
    stages = model._predictors
    labels = len(stages[0])
    trees = []
    for stage in stages:
        for label, one in enumerate(stage):
            nodes = one.nodes
            if nodes["is_categorical"].any():
                return None
            leaf = nodes["is_leaf"].astype(bool)
            values = np.zeros((len(nodes), labels))
            values[:, label] = nodes["value"]
            trees.append(
                Tree(
                    left=np.where(leaf, -1, nodes["left"].astype(np.int64)),
                    right=np.where(leaf, -1, nodes["right"]).astype(np.int64),
                    feature=nodes["feature_idx"].astype(np.int64),
                    threshold=nodes["num_threshold"].astype(np.float64),
                    missing_left=nodes["missing_go_to_left"].astype(bool),
                    values=values,
                )
            )
    if getattr(model, "_preprocessor", None) is not None:
        return None
    base = np.asarray(model._baseline_prediction, np.float64).reshape(labels)
    return TreeEnsemble(trees=tuple(trees), base=base, output=_margin(model), narrow=False)


def _margin(model: Any) -> str:
    return "log-odds" if hasattr(model, "classes_") else "value"


_READERS: dict[str, Callable[[Any], TreeEnsemble | None]] = {
    "DecisionTreeClassifier": _single,
    "DecisionTreeRegressor": _single,
    "RandomForestClassifier": _forest,
    "RandomForestRegressor": _forest,
    "ExtraTreesClassifier": _forest,
    "ExtraTreesRegressor": _forest,
    "GradientBoostingClassifier": _boosted,
    "GradientBoostingRegressor": _boosted,
    "HistGradientBoostingClassifier": _histogram_boosted,
    "HistGradientBoostingRegressor": _histogram_boosted,
}
