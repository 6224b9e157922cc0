"""One pass over a table of any size: the statistics of every column, with memory by the columns and not by the rows."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from modelward.analysis.compatible import moments
from modelward.analysis.compatible.column_state import ColumnFound, ColumnPlan, ColumnState
from modelward.analysis.compatible.table_parts import Piece, TablePart, TypedPart, all_typed, parts_of
from modelward.analysis.compatible.texts import Data, must_be_alike

Progress: TypeAlias = Callable[[int, int], None]
"""Called now and then with steps done and steps in all (0 when not known)."""

Inside: TypeAlias = Callable[[int, str], Mapping[int, Any]]
"""By the place and the name of a column: sets of texts whose rows are counted."""

READS_MAX = 200


class TableFound(msgspec.Struct, frozen=True, kw_only=True):
    """What a pass found. ``named`` is false where the names ``_c0``, ``_c1``, ... were made up."""

    rows: int
    columns: list[ColumnFound]
    named: bool
    left_out: tuple[str, ...]

    def renamed(self, names: Sequence[str]) -> "TableFound":
        """The same with these names of the columns."""
        columns = [column.renamed(name) for column, name in zip(self.columns, names, strict=True)]
        return msgspec.structs.replace(self, columns=columns)


def pass_over(
    data: Data,
    *,
    compatible: bool,
    header: bool = True,
    inside: Inside | None = None,
    progress: Progress | None = None,
) -> TableFound:
    """Read a table once, file by file in the order of the rows, and tell what it holds.

    Columns of doubles that turn out to hold infinities or not-a-number are read a second time, as texts.

    Raises:
        NotFound: there is no such file.
        Invalid: a file cannot be read as a table, or files have different columns.
        NotImplementedYet: captured JSON bodies that have no columns.
    """
    with tempfile.TemporaryDirectory(prefix="modelward-") as folder:
        parts = parts_of(data, folder, header=header)
        told = _Told(progress)
        run = _Pass(parts, compatible, inside or (lambda place, name: {}), told)
        typed = all_typed(parts)
        rows, columns = run.by_piece() if typed is None else run.by_column(typed)
        return TableFound(
            rows=rows,
            columns=columns,
            named=parts[0].named,
            left_out=tuple(note for part in parts for note in part.left_out),
        )


class _Told:
    def __init__(self, progress: Progress | None) -> None:
        self.progress, self.done, self.steps = progress, 0, 0

    def step(self, size: int) -> None:
        self.done += size
        if self.progress is not None:
            self.progress(self.done, self.steps)


class _Pass:
    def __init__(self, parts: list[TablePart], compatible: bool, inside: Inside, told: _Told) -> None:
        self.parts, self.compatible, self.inside, self.told = parts, compatible, inside, told

    def by_column(self, parts: list[TypedPart]) -> tuple[int, list[ColumnFound]]:
        """Some columns after the other: what is kept of a column is given up before the next is begun."""
        names = parts[0].names
        for number, part in enumerate(parts[1:], 2):
            must_be_alike(names, part.names, number)
        rows = sum(part.rows for part in parts)
        self.told.steps = rows * len(names)
        # Each call of Arrow walks over all columns of a file: in a wide one several are read at once.
        size = -(-len(names) // READS_MAX)
        found: list[ColumnFound] = []
        for start in range(0, len(names), size):
            some = {name: place for place, name in enumerate(names[start : start + size], start)}
            states = self._over(parts, {name: self._typed(parts, place, name, rows) for name, place in some.items()})
            if again := {name: some[name] for name, state in states.items() if state.texts_among_numbers}:
                self.told.steps += rows * len(again)
                states |= self._over(parts, {name: self._as_texts(place, name) for name, place in again.items()})
            found += [states[name].finish() for name in some]
        return rows, found

    def _typed(self, parts: list[TypedPart], place: int, name: str, rows: int) -> ColumnState:
        kind = parts[0].kind(name)
        numbers = kind is not None and all(part.kind(name) == kind for part in parts[1:])
        # The service estimates by texts. To write millions of numbers as such would take ten times as long as all else;
        # the estimate errs by 5 %.
        by_value = numbers and (not self.compatible or rows > moments.ONE_PARTITION_ROWS)
        plan = ColumnPlan(compatible=self.compatible, by_value=by_value, inside=self.inside(place, name))
        return ColumnState(name, plan)

    def _as_texts(self, place: int, name: str, *, missing: int = 0) -> ColumnState:
        plan = ColumnPlan(compatible=self.compatible, inside=self.inside(place, name))
        return ColumnState(name, plan, missing=missing)

    def _over(self, parts: list[TypedPart], states: dict[str, ColumnState]) -> dict[str, ColumnState]:
        before = 0
        for part in parts:
            for name, state in states.items():
                state.begin_file(first=not before, many=part.many(name))
            for piece in part.pieces(list(states)):
                self._add(states, piece)
                self.told.step(piece[0] * len(states))
            for state in states.values():
                state.end_file()
            before += part.rows
        return states

    def by_piece(self) -> tuple[int, list[ColumnFound]]:
        """All columns of a piece after the other; columns may show late."""
        states: dict[str, ColumnState] = {}
        rows, names = 0, [""]
        for number, part in enumerate(self.parts, 1):
            first, seen = not rows, dict[str, None]()
            for state in states.values():
                state.begin_file(first=first)
            for piece in part.pieces():
                for column in piece[1]:
                    seen.setdefault(column.name)
                    if column.name not in states:
                        states[column.name] = self._as_texts(len(states), column.name, missing=rows)
                        states[column.name].begin_file(first=first)
                self._add(states, piece)
                rows += piece[0]
                self.told.step(piece[0])
            for state in states.values():
                state.end_file()
            if number == 1:
                names = list(seen)
            must_be_alike(names, list(seen), number)
        return rows, [states[name].finish() for name in names]

    @staticmethod
    def _add(states: dict[str, ColumnState], piece: Piece) -> None:
        rows, columns = piece
        for column in columns:
            states[column.name].add(column)
        if len(columns) < len(states):
            present = {column.name for column in columns}
            for name, state in states.items():
                if name not in present:
                    state.skip(rows)
