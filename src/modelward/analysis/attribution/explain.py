"""What features add to the output of a model, row by row: Kernel SHAP over any predictor, in large batches.

An explanation tells how a model computes, not how the world works. See trees.py for models that are trees and
curves.py for permutation importance and partial dependence.
"""

import hashlib
import io
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec
import numpy as np

from modelward.analysis.attribution.asking import Asker, Floats, Link, Predict, Rows, ShapWork
from modelward.kernel.errors import Conflict, Invalid

BATCH_ROWS = 65_536


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Attributions of rows.

    ``values`` have the axes row, feature, label; over the features of a row they add up to ``outputs`` less ``expected``
    (axes row, label, in the scale of the link), or, where only some features were explained, to ``outputs`` less the
    output with those at the background. ``errors``: standard error by sampling of coalitions, 0 where nothing was sampled.
    ``expected``: the output at the background, by label. ``evaluations``: rows that the model was asked about.
    """

    features: tuple[str, ...]
    values: Floats
    errors: Floats
    outputs: Floats
    expected: Floats
    method: str
    link: Link = "identity"
    exact: bool = False
    evaluations: int = 0
    notes: tuple[str, ...] = ()

    @property
    def convergence_error(self) -> float:
        """Root of the mean squared standard error over rows, features and labels; 0 where everything is exact."""
        return float(np.sqrt(np.mean(self.errors**2))) if self.errors.size else 0.0


class ShapState(msgspec.Struct, kw_only=True):
    """What is done of an explanation: it can be kept as bytes and be gone on with later, in another process."""

    key: str
    done: int
    values: Floats
    errors: Floats
    outputs: Floats
    evaluations: int

    def to_bytes(self) -> bytes:
        """The state as bytes of NumPy's format."""
        target = io.BytesIO()
        counts = np.array([self.done, self.evaluations])
        np.savez_compressed(
            target, key=np.array(self.key), counts=counts, values=self.values, errors=self.errors, outputs=self.outputs
        )
        return target.getvalue()

    @staticmethod
    def from_bytes(content: bytes) -> "ShapState":
        """Read what ``to_bytes`` wrote.

        Raises:
            Invalid: these are other bytes.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as kept:
                done, evaluations = (int(one) for one in kept["counts"])
                parts = {name: np.asarray(kept[name], np.float64) for name in ("values", "errors", "outputs")}
                return ShapState(key=str(kept["key"]), done=done, evaluations=evaluations, **parts)
        except (OSError, ValueError, KeyError, EOFError) as problem:
            raise Invalid(f"This is no state of an explanation: {problem}.", field="state") from problem


Progress: TypeAlias = Callable[[ShapState], None]


def kernel_shap(
    predict: Predict,
    rows: Rows,
    background: Rows,
    *,
    names: Sequence[str] | None = None,
    samples: int | None = None,
    link: Link = "identity",
    seed: int = 0,
    only: Sequence[str] | None = None,
    batch_rows: int = BATCH_ROWS,
    state: ShapState | None = None,
    on_progress: Progress | None = None,
) -> Explanation:
    """Estimate the Shapley values of each row against a background: what its features add to the output.

    Args:
        predict: the model; it is called with up to ``batch_rows`` rows at a time.
        rows: the rows to explain, a matrix.
        background: one row or several; features out of a coalition take their values (the mean output over them).
        names: of the features; ``column_0``, ... by default.
        samples: most coalitions of a row; 2 * features + 2048 by default. Exact where all coalitions fit.
        link: ``logit`` gives attributions of the log-odds of a probability.
        seed: of the coalitions; the same seed gives the same values.
        only: the features to explain; the others keep the values of the row.
        batch_rows: most rows of one call of the model.
        state: what an earlier call reported, to go on from.
        on_progress: is told the state after each batch. The state changes afterwards: keep its bytes.

    The same coalitions serve all rows with as many features off the background, so sampling errors of rows go together.
    A feature that equals the background in every row of it adds nothing, and takes no part.

    Raises:
        Invalid: shapes do not fit, there is no background, or the model answers in another shape or not finitely.
        Conflict: the state is of another explanation.
    """
    rows, background = matched(rows, background)
    listed = names_of(names, rows.shape[1])
    budget = 2 * rows.shape[1] + 2048 if samples is None else samples
    if budget < 1 or batch_rows < 1:
        raise Invalid("At least one sample, and one row in a batch, is needed.", field="samples")
    asker = Asker(predict, batch_rows, link)
    expected = asker.linked(asker.answers(background).mean(axis=0, keepdims=True))[0]
    players = np.array([listed.index(known_feature(one, listed)) for one in only or listed])
    key = _key(rows, background, listed, (budget, link, seed, players.tolist()))
    state = _resumed(state, key, (len(rows), rows.shape[1], len(expected)))
    work = ShapWork(rows=rows, background=background, players=players, budget=budget, seed=seed, asker=asker)
    _finish(work, state, on_progress)
    exact = not state.errors.any()
    return Explanation(
        features=tuple(listed), values=state.values, errors=state.errors, outputs=state.outputs, expected=expected,
        method="kernel_shap", link=link, exact=exact,
        evaluations=state.evaluations + asker.spent(),
        notes=_notes(budget, len(players), exact),
    )  # fmt: skip


def _finish(work: ShapWork, state: ShapState, on_progress: Progress | None) -> None:
    for task, found in work.found(state.done):
        state.values[task.places], state.errors[task.places], state.outputs[task.places] = found
        state.done, state.evaluations = int(task.places[-1]) + 1, state.evaluations + work.asker.spent()
        if on_progress is not None:
            on_progress(state)


def matched(rows: Any, background: Any) -> tuple[Rows, Rows]:
    """Rows and background as matrices of one width.

    Raises:
        Invalid: they are none, or there is no background.
    """
    given, behind = matrix_of(rows, "rows"), matrix_of(background, "background")
    if behind.shape[1] != given.shape[1] or not len(behind):
        raise Invalid(f"The background has {behind.shape}, the rows have {given.shape[1]} columns.", field="background")
    return given, behind


def _notes(budget: int, players: int, exact: bool) -> tuple[str, ...]:
    if exact or budget >= 2 * players + 2048:
        return ()
    return (f"{budget} samples are few for {players} features: below {2 * players + 2048} small values may be noise.",)


def matrix_of(rows: Any, field: str) -> Rows:
    """The rows as a matrix.

    Raises:
        Invalid: they are none.
    """
    matrix = np.asarray(rows)
    if matrix.ndim != 2:
        raise Invalid(f"A matrix is needed; this has {matrix.ndim} axes.", field=field)
    return matrix


def names_of(names: Sequence[str] | None, width: int) -> list[str]:
    """The names of the features, made up where there are none.

    Raises:
        Invalid: not as many different names as features.
    """
    listed = [f"column_{place}" for place in range(width)] if names is None else [str(name) for name in names]
    if len(listed) != width or len(set(listed)) != width:
        raise Invalid(f"{len(set(listed))} different names are given for {width} features.", field="names")
    return listed


def known_feature(name: str, listed: list[str]) -> str:
    """The name, if there is such a feature.

    Raises:
        Invalid: there is none.
    """
    if name not in listed:
        raise Invalid(f"There is no feature {name!r}; there are: {', '.join(listed[:20])}.", field="only")
    return name


def _key(rows: Rows, background: Rows, names: list[str], settings: object) -> str:
    digest = hashlib.sha256(repr((rows.shape, background.shape, names, settings)).encode())
    for matrix in (rows, background):
        digest.update(repr(matrix.tolist()).encode() if matrix.dtype == object else matrix.tobytes())
    return digest.hexdigest()


def _resumed(state: ShapState | None, key: str, shape: tuple[int, int, int]) -> ShapState:
    if state is None:
        rows, _, labels = shape
        return ShapState(
            key=key,
            done=0,
            values=np.zeros(shape),
            errors=np.zeros(shape),
            outputs=np.zeros((rows, labels)),
            evaluations=0,
        )
    if state.key != key or state.values.shape != shape:
        raise Conflict(
            "The state belongs to another explanation: rows, background, features or settings differ.", field="state"
        )
    return state
