"""Asking a model about mixtures of rows with a background, in large batches, and reading attributions from its answers."""

from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from modelward.analysis.attribution.coalitions import Coalitions, coalitions
from modelward.kernel.errors import Invalid

Rows: TypeAlias = npt.NDArray[Any]
Floats: TypeAlias = npt.NDArray[np.float64]
Predict: TypeAlias = Callable[[Rows], Any]
"""A model: rows in (a matrix of numbers, or of objects), an output for each row out, or one for each label of each row."""
Link: TypeAlias = Literal["identity", "logit"]

PROBABILITY_FLOOR = 1e-12
SOURCES_MAX = 16


class Asker:
    """Asks the model in batches and sees to the shape and the scale of what it answers."""

    def __init__(self, predict: Predict, batch_rows: int, link: Link) -> None:
        """Ask ``predict`` about at most ``batch_rows`` rows at a time."""
        self.predict, self.batch_rows, self.link = predict, batch_rows, link
        self.asked = 0

    def spent(self) -> int:
        """Rows asked about since the last time."""
        asked, self.asked = self.asked, 0
        return asked

    def answers(self, rows: Rows) -> Floats:
        """One line for each row, one column for each label.

        Raises:
            Invalid: the model answered in another shape, or not finitely.
        """
        steps = range(0, len(rows), self.batch_rows)
        parts = [self._answer(rows[start : start + self.batch_rows]) for start in steps]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _answer(self, rows: Rows) -> Floats:
        self.asked += len(rows)
        outputs = np.asarray(self.predict(rows), np.float64)
        if outputs.ndim not in (1, 2) or len(outputs) != len(rows):
            raise Invalid(
                f"The model answered {outputs.shape} to {len(rows)} rows; one output, or one line of them, is needed.",
                field="predict",
            )
        if not np.isfinite(outputs).all():
            raise Invalid("The model answered something that is no finite number.", field="predict")
        return outputs.reshape(len(rows), -1)

    def linked(self, outputs: Floats) -> Floats:
        """The outputs in the scale of the attributions."""
        if self.link == "identity":
            return outputs
        if (outputs < 0).any() or (outputs > 1).any():
            raise Invalid("Log-odds need probabilities; the model answered outside of 0 to 1.", field="link")
        kept = np.clip(outputs, PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR)
        odds: Floats = np.log(kept / (1 - kept))
        return odds


class Task(msgspec.Struct, frozen=True):
    """Rows at ``places``, next to each other, which differ from the background in the same ``varying`` features."""

    places: npt.NDArray[np.int64]
    varying: npt.NDArray[np.int64]
    plan: Coalitions | None


class ShapWork(msgspec.Struct, kw_only=True):
    """The tasks of an explanation in the order of the rows, and how one is done."""

    rows: Rows
    background: Rows
    players: npt.NDArray[np.int64]
    budget: int
    seed: int
    asker: Asker
    plans: dict[int, Coalitions] = {}
    sources: dict[bytes, npt.NDArray[np.intp]] = {}

    def found(self, done: int) -> Iterator[tuple[Task, tuple[Floats, Floats, Floats]]]:
        """Do what is not done yet: the attributions, their errors and the outputs of each task."""
        waiting: list[Task] = []
        size = 0
        for task in self._tasks(done):
            more = self._size(task)
            if waiting and size + more > self.asker.batch_rows:
                yield from self._do(waiting)
                waiting, size = [], 0
            waiting.append(task)
            size += more
        if waiting:
            yield from self._do(waiting)

    def _tasks(self, done: int) -> Iterator[Task]:
        step = max(1, self.asker.batch_rows // (self.budget * len(self.background)))
        for start in range(done, len(self.rows), step):
            rows = self.rows[start : start + step]
            varying = np.zeros((len(rows), len(self.players)), np.bool_)
            for one in self.background:
                varying |= np.asarray(rows[:, self.players] != one[self.players], np.bool_)
            changes = np.flatnonzero((varying[1:] != varying[:-1]).any(axis=1)) + 1
            for places in np.split(np.arange(len(rows)), changes):
                chosen = self.players[varying[places[0]]]
                yield Task(start + places, chosen, self._plan(len(chosen)))

    def _plan(self, features: int) -> Coalitions | None:
        if features < 2:
            return None
        if features not in self.plans:
            self.plans[features] = coalitions(features, self.budget, self.seed)
        return self.plans[features]

    def _size(self, task: Task) -> int:
        return len(task.places) * (1 + self._hidden(task) * len(self.background))

    def _hidden(self, task: Task) -> int:
        """Coalitions of a row other than the full one."""
        return 1 + (task.plan.count if task.plan is not None else 0)

    def _do(self, tasks: list[Task]) -> Iterator[tuple[Task, tuple[Floats, Floats, Floats]]]:
        if len(tasks) == 1 and self._size(tasks[0]) > self.asker.batch_rows:
            yield tasks[0], self._read(tasks[0], *self._piecewise(tasks[0]))
            return
        asked = np.empty((sum(map(self._size, tasks)), self.rows.shape[1]), self._kind())
        start = 0
        for task in tasks:
            middle, end = start + len(task.places), start + self._size(task)
            asked[start:middle] = self.rows[task.places]
            self._mix(task, slice(None), asked[middle:end])
            start = end
        answers, start = self.asker.answers(asked), 0
        for task in tasks:
            middle, end = start + len(task.places), start + self._size(task)
            yield task, self._read(task, answers[start:middle], self._means(task, answers[middle:end]))
            start = end

    def _piecewise(self, task: Task) -> tuple[Floats, Floats]:
        """The same for a row with so many mixtures that they are better not held at once."""
        step = max(1, self.asker.batch_rows // (len(task.places) * len(self.background)))
        pieces = [slice(start, start + step) for start in range(0, self._hidden(task), step)]
        means = []
        for piece in pieces:
            lines = len(range(*piece.indices(self._hidden(task)))) * len(task.places) * len(self.background)
            asked = np.empty((lines, self.rows.shape[1]), self._kind())
            self._mix(task, piece, asked)
            means.append(self._means(task, self.asker.answers(asked)))
        return self.asker.answers(self.rows[task.places]), np.concatenate(means, axis=1)

    def _means(self, task: Task, answers: Floats) -> Floats:
        """Answers by row, coalition and label, over the rows of the background."""
        mixed = answers.reshape(len(task.places), len(self.background), -1, answers.shape[1])
        return mixed[:, 0] if len(self.background) == 1 else mixed.mean(axis=1)

    def _kind(self) -> Any:
        kinds = (self.rows.dtype, self.background.dtype)
        return np.dtype(object) if np.dtype(object) in kinds else np.result_type(*kinds)

    def _mix(self, task: Task, piece: slice, out: Rows) -> None:
        """Fill in the mixtures: by row, by row of the background, by coalition (no varying feature, then the pairs)."""
        rows, width = self.rows[task.places], self.rows.shape[1]
        sources = self._sources(task)[piece]
        mixed = out.reshape(len(rows), len(self.background), len(sources), width)
        both = np.empty(2 * width, out.dtype)
        for row, by_background in zip(rows, mixed, strict=True):
            both[:width] = row
            for behind, target in zip(self.background, by_background, strict=True):
                both[width:] = behind
                # Picking each value by its place is six times as fast as overwriting by a mask; nothing is clipped.
                both.take(sources, out=target, mode="clip")

    def _sources(self, task: Task) -> npt.NDArray[np.intp]:
        """Of each mixture, where its values stand in a row of the data with one of the background behind it."""
        key = task.varying.tobytes()
        if key not in self.sources:
            width = self.rows.shape[1]
            hidden = np.zeros((self._hidden(task), width), np.bool_)
            hidden[0, task.varying] = True
            if task.plan is not None:
                half = len(task.plan.masks)
                hidden[1 : 1 + half, task.varying] = ~task.plan.masks
                hidden[1 + half :, task.varying] = task.plan.masks
            if len(self.sources) >= SOURCES_MAX:
                self.sources.clear()
            self.sources[key] = np.arange(width, dtype=np.intp) + hidden * np.intp(width)
        return self.sources[key]

    def _read(self, task: Task, outputs: Floats, means: Floats) -> tuple[Floats, Floats, Floats]:
        count, labels = outputs.shape
        outputs, means = self.asker.linked(outputs), self.asker.linked(means)
        values = np.zeros((count, self.rows.shape[1], labels))
        errors = np.zeros_like(values)
        whole = outputs - means[:, 0]
        if task.plan is None:
            values[:, task.varying] = whole[:, np.newaxis]
            return values, errors, outputs
        half = len(task.plan.masks)
        gaps = (means[:, 1 : 1 + half] - means[:, 1 + half :]) / 2
        flat = np.ascontiguousarray(gaps.transpose(1, 0, 2)).reshape(half, count * labels)
        found = task.plan.projection @ flat + np.outer(task.plan.share, whole)
        values[:, task.varying] = found.reshape(-1, count, labels).transpose(1, 0, 2)
        if not task.plan.exact:
            left = task.plan.residuals(flat, found)
            error = np.sqrt(task.plan.spread @ (left * left))
            errors[:, task.varying] = error.reshape(-1, count, labels).transpose(1, 0, 2)
        return values, errors, outputs
