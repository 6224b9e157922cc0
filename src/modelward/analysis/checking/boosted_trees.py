"""Gradient-boosted trees over binned columns, for telling two tables apart: small, plain numpy, no outside library.

Logistic loss, second-order gains (Friedman 2001; Chen & Guestrin 2016). Not a model to serve.
"""

import msgspec
import numpy as np
import numpy.typing as npt

from modelward.analysis.sketches import Floats

BINS_MAX = 32
ROUNDS = 40
DEPTH = 3
RATE = 0.2
PENALTY = 1.0
LEAF_ROWS_MIN = 20

Codes = npt.NDArray[np.uint8]
Nodes = npt.NDArray[np.int64]


class Tree(msgspec.Struct, frozen=True):
    """A full binary tree: a column and a bin for each inner node (rows above the bin go right), and a value for each leaf."""

    columns: Nodes
    bins: Nodes
    leaves: Floats


class Boosted(msgspec.Struct, frozen=True):
    """Trees to be added up, and how much each column gained."""

    trees: tuple[Tree, ...]
    gains: Floats


def boosted(codes: Codes, labels: Floats) -> Boosted:
    """Train on bins (rows x columns, below 32) and labels of 0 and 1."""
    scores = np.zeros(labels.size)
    gains = np.zeros(codes.shape[1])
    trees = []
    # By column: each is read as a whole.
    by_column = np.ascontiguousarray(codes.T)
    for _ in range(ROUNDS):
        chances = 1 / (1 + np.exp(-scores))
        tree, nodes = _tree(by_column, labels - chances, chances * (1 - chances), gains)
        trees.append(tree)
        scores += tree.leaves[nodes]
    return Boosted(tuple(trees), gains)


def scored(model: Boosted, codes: Codes) -> Floats:
    """The score of each row; higher is nearer to label 1."""
    scores = np.zeros(codes.shape[0])
    rows = np.arange(codes.shape[0])
    for tree in model.trees:
        nodes = np.zeros(codes.shape[0], np.int64)
        first = 0
        for depth in range(DEPTH):
            places = first + nodes
            nodes = 2 * nodes + (codes[rows, tree.columns[places]] > tree.bins[places])
            first += 2**depth
        scores += tree.leaves[nodes]
    return scores


def _tree(codes: Codes, slopes: Floats, curves: Floats, gains: Floats) -> tuple[Tree, Nodes]:
    columns = np.zeros(2**DEPTH - 1, np.int64)
    bins = np.full(2**DEPTH - 1, BINS_MAX, np.int64)
    nodes = np.zeros(slopes.size, np.int64)
    first = 0
    for depth in range(DEPTH):
        size = 2**depth
        best = np.full(size, 1e-9)
        for column in range(codes.shape[0]):
            gain, place = _best_split(nodes * BINS_MAX + codes[column], slopes, curves, size)
            better = gain > best
            best = np.where(better, gain, best)
            columns[first : first + size][better] = column
            bins[first : first + size][better] = place[better]
        for node in range(size):
            if best[node] > 1e-9:
                gains[columns[first + node]] += best[node]
        places = first + nodes
        nodes = 2 * nodes + (codes[columns[places], np.arange(nodes.size)] > bins[places])
        first += size
    total = np.bincount(nodes, slopes, 2**DEPTH)
    leaves = RATE * total / (np.bincount(nodes, curves, 2**DEPTH) + PENALTY)
    return Tree(columns, bins, leaves), nodes


def _best_split(cells: Nodes, slopes: Floats, curves: Floats, size: int) -> tuple[Floats, Nodes]:
    """The best gain of each node by one column, and the bin up to which rows go left."""
    cut = size * BINS_MAX
    left, weight, rows = (
        np.cumsum(np.bincount(cells, each, cut).reshape(size, BINS_MAX), axis=1) for each in (slopes, curves, None)
    )
    right, other, more = left[:, -1:] - left, weight[:, -1:] - weight, rows[:, -1:] - rows
    whole = left[:, -1:] ** 2 / (weight[:, -1:] + PENALTY)
    gain = left**2 / (weight + PENALTY) + right**2 / (other + PENALTY) - whole
    gain[(rows < LEAF_ROWS_MIN) | (more < LEAF_ROWS_MIN)] = 0.0
    place = np.argmax(gain, axis=1)
    return gain[np.arange(size), place], place
