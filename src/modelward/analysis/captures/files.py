"""Capture records as tables, block by block: alike records at the speed of CSV, everything else record by record.

Outputs stand before inputs, as is the default of the hosted service. Columns of CSV bodies are ``_c0``, ``_c1``, ...; those
of JSON bodies have the path of the value (``address.city``, ``instances[0]``).
"""

import itertools
import mmap
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from modelward.analysis.captures.bodies import Row, raw_rows_in, rows_in
from modelward.analysis.captures.kinds import ARROW, Kind, column, kind_of, together
from modelward.analysis.captures.learning import Sorted, Templates
from modelward.analysis.captures.shapes import Part, Places, in_order, lines_at
from modelward.analysis.columns import TypeChanged
from modelward.analysis.left_out import LeftOut
from modelward.analysis.packed_files import BROKEN, damaged, lines_of, must_be_bytes_of_utf8
from modelward.analysis.text_files import LINE_BYTES_MAX, Opened, plainly
from modelward.kernel.errors import Invalid

__all__ = ["looks_like_captures", "read_captures", "rows_in"]

BLOCK_BYTES = 8 << 20
SAMPLE_ROWS = 2_048
FIRST_ROWS = 256
THREADS = min(8, os.cpu_count() or 1)
TEMPLATE_LINES = 64
TEMPLATES_MAX = 8
COLUMNS_MAX = 20_000
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Invalid)

Kinds = dict[str, Kind]


class _Block(NamedTuple):
    """Whole lines of a file. The memory is used again for a later block."""

    path: str
    begins: bool
    memory: mmap.mmap
    start: int
    end: int

    @property
    def view(self) -> memoryview:
        """The lines, not copied."""
        return memoryview(self.memory)[self.start : self.end]

    @property
    def text(self) -> bytes:
        """The lines, copied."""
        return bytes(self.view)

    def head(self, count: int) -> list[bytes]:
        """At most so many of the first lines."""
        at, lines = self.start, list[bytes]()
        while len(lines) < count and at < self.end:
            end = self.memory.find(b"\n", at, self.end)
            end = self.end if end < 0 else end
            lines.append(bytes(memoryview(self.memory)[at:end]))
            at = end + 1
        return lines


def looks_like_captures(path: str) -> bool:
    """Whether a JSON lines file begins with a capture record."""
    try:
        with lines_of(path) as lines:
            head = lines.read(1 << 16)
    except (*BROKEN, Invalid):
        # Who reads the file says what is wrong with it.
        return False
    return b'"captureData"' in head and b'"eventMetadata"' in head and head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"


@contextmanager
def read_captures(paths: list[str], folder: str, *, decimal: str, sure: bool) -> Iterator[Opened]:
    """Stream the rows inside capture records: schema, batches, and what is left out on the way.

    Types come from the first 2000 records, or from all when ``sure`` (which reads twice).

    Raises:
        Invalid: no record can be read, or a file is damaged.
        TypeChanged: not ``sure``, and a late record does not fit.
    """
    templates = Templates()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="captures") as pool:
        kinds = _all_kinds(paths, pool, templates) if sure else _first_kinds(paths[0], templates)
        if not kinds:
            raise _nothing_in(paths)
        schema = pa.schema([(name, ARROW[kind]) for name, kind in kinds.items()])
        left_out = LeftOut()
        yield schema, _batches(paths, pool, _Reader(kinds, schema, templates, left_out, sure=sure)), left_out


def _blocks(paths: Sequence[str]) -> Iterator[_Block]:
    """The files in blocks of whole lines; of each only the last few are kept."""
    # Mapped and not allocated: only what is written to becomes memory.
    ring = itertools.cycle([mmap.mmap(-1, BLOCK_BYTES + LINE_BYTES_MAX) for _ in range(THREADS + 3)])
    for path in paths:
        must_be_bytes_of_utf8(path)
        try:
            with lines_of(path) as file:
                yield from _blocks_of(path, file, ring)
        except BROKEN as problem:
            raise damaged(path, problem) from problem


def _blocks_of(path: str, file: IO[bytes], ring: Iterator[mmap.mmap]) -> Iterator[_Block]:
    memory, rest, begins = next(ring), 0, True
    while True:
        read = file.readinto(memoryview(memory)[rest : rest + BLOCK_BYTES])  # type: ignore[attr-defined]
        end = rest + read
        cut = memory.rfind(b"\n", rest, end) + 1 if read else end
        if cut:
            start = 3 if begins and memory[:3] == b"\xef\xbb\xbf" else 0
            yield _Block(path, begins, memory, start, cut)
            begins = False
        if not read:
            return
        if end - cut > LINE_BYTES_MAX:
            raise Invalid(f"{path} has a line of more than {LINE_BYTES_MAX >> 20} MiB, the most that is read.")
        if cut:
            further = next(ring)
            further[: end - cut] = memoryview(memory)[cut:end]
            memory = further
        rest = end - cut


def _first_kinds(path: str, templates: Templates) -> Kinds:
    """The kinds of the columns by the first records of the first file; raises TypeChanged where there are none."""
    kinds: Kinds = {}
    for block in _blocks([path]):
        lines = block.head(SAMPLE_ROWS)
        templates.learn(lines)
        for rows in _rows_of(lines[:FIRST_ROWS]):
            _widen(kinds, rows)
        if templates.read(block.view[: sum(len(line) + 1 for line in lines)], kinds) is None:
            for rows in _rows_of(lines[FIRST_ROWS:]):
                _widen(kinds, rows)
        break
    if not kinds or "none" in kinds.values():
        raise TypeChanged("The first records do not tell the kinds of all columns.")
    return kinds


def _rows_of(lines: Sequence[bytes]) -> Iterator[list[Row]]:
    """The rows of each line that holds a record."""
    for line in lines:
        try:
            yield raw_rows_in(line)
        except _BROKEN:
            continue


def _widen(kinds: Kinds, rows: Sequence[Row]) -> None:
    """Let the kinds of the columns hold these rows too."""
    for row in rows:
        for name, value in row.items():
            kind, before = kind_of(value), kinds.get(name)
            if before != kind:
                kinds[name] = kind if before is None else together(before, kind)
    if len(kinds) > COLUMNS_MAX:
        raise Invalid(f"The capture records have more than {COLUMNS_MAX} columns.", hint="Are keys of bodies values?")


def _all_kinds(paths: list[str], pool: ThreadPoolExecutor, templates: Templates) -> Kinds:
    """The kinds that hold every record."""
    kinds: Kinds = {}

    def fits(block: _Block) -> bool:
        known = dict(kinds)
        if templates.read(block.view, known) is not None:
            return True
        found = templates.read_sorted(block.view, known)
        return all(not line.strip() for _, line in lines_at(block.text, found.others)) if found.others.size else True

    for block, fitted in _in_order(_blocks(paths), fits, pool):
        if fitted or fits(block):
            continue
        templates.learn(block.head(SAMPLE_ROWS))
        # Mostly the first records tell enough.
        for lines in (block.head(SAMPLE_ROWS), block.text.split(b"\n")):
            for rows in _rows_of(lines):
                _widen(kinds, rows)
            if kinds and fits(block):
                break
    return kinds


def _in_order(
    blocks: Iterator[_Block], work: Callable[[_Block], Any], pool: ThreadPoolExecutor
) -> Iterator[tuple[_Block, Any]]:
    """Each block with what work made of it, some ahead in threads."""
    waiting: deque[tuple[_Block, Future[Any]]] = deque()
    try:
        for block in blocks:
            waiting.append((block, pool.submit(work, block)))
            if len(waiting) > THREADS:
                begun, done = waiting.popleft()
                yield begun, done.result()
        while waiting:
            begun, done = waiting.popleft()
            yield begun, done.result()
    finally:
        for _, done in waiting:
            done.cancel()


class _Reader:
    """Makes batches of one schema of blocks."""

    def __init__(self, kinds: Kinds, schema: Any, templates: Templates, left_out: LeftOut, *, sure: bool) -> None:
        self.kinds, self.schema, self.templates = kinds, schema, templates
        self.left_out, self.sure = left_out, sure

    def quickly(self, block: _Block) -> tuple[Any, int] | Sorted:
        """The table of a block of alike records, and how many; of others what could be read of it by their shapes."""
        found = self.templates.read(block.view, self.kinds)
        if found is None and self.templates.learn(block.head(SAMPLE_ROWS)):
            found = self.templates.read(block.view, self.kinds)
        return self.templates.read_sorted(block.view, self.kinds) if found is None else found

    def completed(self, block: _Block, found: Sorted, first: int) -> Any:
        """The table of a block of which only some lines were read; ``first`` is the number of its first line."""
        parts = [part._replace(table=self.whole(part.table)) for part in found.parts]
        if found.others.size:
            parts.append(self._one_by_one(block, found.others, first))
        return in_order(found.lines, parts)

    def _one_by_one(self, block: _Block, places: Places, first: int) -> Part:
        """Some lines, record by record; what is no record is left out and told by the number of its line."""
        rows: list[Row] = []
        counts = np.zeros(places.size, np.int64)
        for number, (place, line) in enumerate(lines_at(block.text, places)):
            if not line.strip():
                continue
            try:
                inside = raw_rows_in(line)
            except _BROKEN as problem:
                reason = problem.message if isinstance(problem, Invalid) else plainly(problem) + "."
                self.left_out.add(f"{block.path}, line {first + place} was left out: {reason}")
                continue
            counts[number] = len(inside)
            rows += inside
        if not self.sure:
            found = dict(self.kinds)
            _widen(found, rows)
            if found != self.kinds:
                raise TypeChanged(f"{block.path}: a record after line {first} has other columns or types.")
        arrays = [column([row.get(name) for row in rows], kind) for name, kind in self.kinds.items()]
        return Part(places, counts, pa.Table.from_arrays(arrays, schema=self.schema))

    def whole(self, table: Any) -> Any:
        """The table with all columns of the schema, in order."""
        if table.schema.equals(self.schema):
            return table
        known = set(table.column_names)
        arrays = [
            table.column(field.name) if field.name in known else pa.nulls(table.num_rows, field.type)
            for field in self.schema
        ]
        return pa.Table.from_arrays(arrays, schema=self.schema)


def _batches(paths: list[str], pool: ThreadPoolExecutor, reader: _Reader) -> Iterator[Any]:
    line = 1
    for block, found in _in_order(_blocks(paths), reader.quickly, pool):
        line = 1 if block.begins else line
        if isinstance(found, Sorted):
            table, lines = reader.completed(block, found, line), found.lines
        else:
            table, lines = reader.whole(found[0]), found[1]
        line += lines
        yield from table.combine_chunks().to_batches()


def _nothing_in(paths: list[str]) -> Invalid:
    """Why there is not one row."""
    for block in _blocks(paths):
        for place, line in enumerate(block.text.split(b"\n"), 1):
            try:
                if line.strip() and not raw_rows_in(line):
                    return Invalid(f"{paths[0]} holds no capture record with rows: the body in line {place} is empty.")
            except _BROKEN as problem:
                reason = problem.message if isinstance(problem, Invalid) else plainly(problem) + "."
                return Invalid(f"{paths[0]} holds no capture record with rows. Line {place} was left out: {reason}")
    return Invalid(f"{paths[0]} holds no capture record with rows.")
