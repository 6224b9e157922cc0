"""Capture records that are all alike, read as CSV by Arrow: what stands between the values is the same in every line.

A capture record is JSON with a body as a text in it. Cut at its commas, each line has the same cells when a machine wrote
them: most are the same in every line, some hold an id or a time, some a value. Arrow cuts and converts ten times faster
than any reading of JSON; afterwards every cell that is no value is compared. What does not fit is read record by record.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from modelward.analysis.buffers import indices, large_strings
from modelward.analysis.captures.bodies import joined_rows, sides_of
from modelward.analysis.captures.kinds import ARROW, Kind, as_kind
from modelward.analysis.captures.shapes import as_written
from modelward.analysis.formats.json_bodies import is_json
from modelward.kernel.errors import Invalid

PIECE_BYTES = 2 << 20
CELLS_MAX = 5_000
_BODY = re.compile(rb'"data"\s*:\s*"((?:[^"\\]|\\.)*)"')
_SIDE = re.compile(rb'"(endpointInput|endpointOutput|batchTransformOutput|groundTruthData)"')
_FREE = re.compile(rb'([^\\]*")([^"\\]*)("[}\]\s]*)')
_LEAF = re.compile(rb'\\"([^"\\]*)\\"(\s*:)?|-?\d[^\s,\]}]*|true|false|null')
_NOT_PLAIN = r'["\\\x00-\x1f]'

# Arrow leaves out blanks and tabs around numbers and truths.
_BARE = ((b"", b"", False), (b"\t", b"", False))

Span: TypeAlias = tuple[int, int]


class Unlike(Exception):
    """Some line is not like the others: these must be read one by one."""


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """The cells of a line.

    ``same``: cells that are the same in every line; ``free``: those that hold an id; ``values``: those that hold a
    value, and whether it is one of JSON; ``alone``: values that are a row of a CSV body by themselves: without one there is
    no row. ``rows``: for each row of a record its columns and the cell of each.
    """

    cells: int
    length: int
    same: dict[int, bytes]
    free: dict[int, tuple[bytes, bytes]]
    values: dict[int, tuple[bytes, bytes, bool]]
    alone: frozenset[int]
    rows: tuple[dict[str, int], ...]

    @property
    def columns(self) -> list[str]:
        """The columns in order."""
        return list(dict.fromkeys(name for row in self.rows for name in row))


class _Leaf(NamedTuple):
    start: int
    end: int
    json: bool
    alone: bool = False


def template_of(lines: Sequence[bytes], *, cut: bool = False) -> Template | None:
    """What lines of capture records have in common; None where they are too odd for this way.

    ``cut``: they are those of a cut shape.
    """
    try:
        # What is the same in all lines is compared as bytes, so these must be text.
        lines[0].decode()
        leaves, rows = _leaves_and_rows(as_written(lines[0]) if cut else lines[0], cut)
    except (Unlike, Invalid, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not rows or {leaf for row in rows for leaf in row.values()} != set(range(len(leaves))):
        return None
    alike = [line.split(b",") for line in lines]
    cells = len(alike[0])
    if cells > CELLS_MAX or any(len(each) != cells for each in alike):
        return None
    values = _value_cells(alike[0], leaves)
    others = [number for number in range(cells) if number not in values]
    known = _known_cells(alike[0])
    same = {
        number: alike[0][number]
        for number in others
        if number not in known and all(each[number] == alike[0][number] for each in alike)
    }
    free = {number: _FREE.fullmatch(alike[0][number]) for number in others if number not in same}
    if len(values) < len(leaves) or None in free.values():
        return None
    places = sorted(values)
    return Template(
        cells=cells,
        length=len(lines[0]),
        same=same,
        free={number: (parted[1], parted[3]) for number, parted in free.items() if parted is not None},
        values=values,
        alone=frozenset(place for place, leaf in zip(places, leaves, strict=True) if leaf.alone),
        rows=tuple({name: places[leaf] for name, leaf in row.items()} for row in rows),
    )


def _known_cells(cells: list[bytes]) -> set[int]:
    """Cells that hold ids and times: these differ, even if those of the first records happen to be equal."""
    inside, found = False, set()
    for number, cell in enumerate(cells):
        inside = b'"eventMetadata"' in cell or (inside and b'Data"' not in cell)
        if inside and _FREE.fullmatch(cell):
            found.add(number)
    return found


def _value_cells(cells: list[bytes], leaves: list[_Leaf]) -> dict[int, tuple[bytes, bytes, bool]]:
    """The cell of each value, as far as every value has one of its own."""
    values = {}
    start, waiting = 0, list(leaves)
    for number, cell in enumerate(cells):
        end = start + len(cell)
        if waiting and waiting[0].start <= end:
            leaf = waiting.pop(0)
            if leaf.end > end or (waiting and waiting[0].start <= end):
                break
            values[number] = (cell[: leaf.start - start], cell[leaf.end - start :], leaf.json)
        start = end + 1
    return values


def _leaves_and_rows(line: bytes, cut: bool) -> tuple[list[_Leaf], list[dict[str, int]]]:
    """Where the values stand in a line, and which of them is which column of which row."""
    bodies: dict[bytes, re.Match[bytes]] = {}
    for found in _BODY.finditer(line):
        named = [side[1] for side in _SIDE.finditer(line, 0, found.start())]
        if not named or named[-1] in bodies:
            raise Unlike
        bodies[named[-1]] = found
    bodies.pop(b"groundTruthData", None)
    sides = sides_of(line)
    known = [name for name in (b"endpointOutput", b"batchTransformOutput", b"endpointInput") if name in bodies]
    if len(known) != len(sides) or any(side.encoding not in ("CSV", "JSON") for side in sides):
        raise Unlike
    leaves: list[_Leaf] = []
    marked = []
    for name, side in zip(known, sides, strict=True):
        start, end = bodies[name].span(1)
        if msgspec.json.decode(line[start - 1 : end + 1]) != side.data:
            raise Unlike
        json = is_json(side.data, side.encoding)
        inside = _json_leaves(line, start, end) if json else _csv_leaves(line, start, end, cut)
        marked.append((_marked(line, (start, end), inside, len(leaves), json), side.encoding))
        leaves += inside
    rows = [{column: int(value) for column, value in row.items()} for row in joined_rows(marked)]
    order = sorted(range(len(leaves)), key=lambda number: leaves[number].start)
    rank = {number: place for place, number in enumerate(order)}
    return [leaves[number] for number in order], [{name: rank[one] for name, one in row.items()} for row in rows]


def _csv_leaves(line: bytes, start: int, end: int, cut: bool) -> list[_Leaf]:
    kept = re.sub(rb"(?:\\r)?\\n$", b"", line[start:end])
    rows = kept.split(b"\\n")
    if (len(rows) > 1 and not cut) or b"\\" in b"".join(rows) or (len(rows) > 1 and b"" in rows):
        raise Unlike
    leaves = []
    for row in rows:
        cells = row.split(b",")
        for cell in cells:
            leaves.append(_Leaf(start, start + len(cell), False, len(cells) == 1))
            start += len(cell) + 1
        # A row ends by two signs.
        start += 1
    return leaves


def _json_leaves(line: bytes, start: int, end: int) -> list[_Leaf]:
    if re.search(rb'\\[^"]', line[start:end]):
        raise Unlike
    found = _LEAF.finditer(line, start, end)
    return [_Leaf(*leaf.span(), True) for leaf in found if not leaf[2]]


def _marked(line: bytes, body: Span, leaves: list[_Leaf], first: int, json: bool) -> str:
    """The body with the number of each value in its place."""
    parts, at = [], body[0]
    for number, leaf in enumerate(leaves, first):
        mark = f'\\"{number}\\"' if json else str(number)
        parts += [line[at : leaf.start], mark.encode()]
        at = leaf.end
    text: str = msgspec.json.decode(b'"' + b"".join([*parts, line[at : body[1]]]) + b'"')
    return text


def read_alike(block: memoryview, template: Template, kinds: Mapping[str, Kind]) -> Any:
    """The rows of a block of lines, as an Arrow table with the columns of the template.

    Raises:
        Unlike: a line does not fit the template, or a value its kind.
    """
    made = [_checked(cells, template, kinds) for cells in _cells(block, template, kinds).to_batches()]
    if not made:
        raise Unlike
    return pa.concat_tables(made)


def _checked(cells: Any, template: Template, kinds: Mapping[str, Kind]) -> Any:
    """The values of some lines, once all other cells are what they must be."""
    for number, text in template.same.items():
        _must_be_same(cells.column(number), text)
    for number, (before, after) in template.free.items():
        _must_be_plain(cells.column(number), before, after)
    arrays: dict[tuple[int, Kind], Any] = {}
    for row in template.rows:
        for name, number in row.items():
            asked = (number, kinds[name])
            if asked not in arrays:
                arrays[asked] = _value(cells.column(number), template.values[number], kinds[name])
                if number in template.alone and arrays[asked].null_count:
                    raise Unlike
    tables = [
        pa.Table.from_arrays([arrays[number, kinds[name]] for name, number in row.items()], names=list(row))
        for row in template.rows
    ]
    return tables[0] if len(tables) == 1 else _rows_in_order(tables)


def _rows_in_order(tables: list[Any]) -> Any:
    if any(table.column_names != tables[0].column_names for table in tables):
        raise Unlike
    rows = tables[0].num_rows
    places = np.arange(rows * len(tables)).reshape(len(tables), rows).T.ravel().copy()
    return pa.concat_tables(tables).take(indices(places))


def _cells(block: memoryview, template: Template, kinds: Mapping[str, Kind]) -> Any:
    bare = {
        number: kinds[name]
        for row in template.rows
        for name, number in row.items()
        if template.values[number] in _BARE and kinds[name] in ("whole", "number", "boolean")
    }
    names = [str(number) for number in range(template.cells)]
    texts = template.values
    types = {
        name: ARROW[bare[place]] if place in bare else pa.string() if place in texts else pa.binary()
        for place, name in enumerate(names)
    }
    try:
        return arrow_csv.read_csv(
            pa.BufferReader(block),
            arrow_csv.ReadOptions(
                column_names=names, use_threads=False, block_size=max(PIECE_BYTES, 4 * template.length)
            ),
            arrow_csv.ParseOptions(quote_char=False, double_quote=False, escape_char=False, ignore_empty_lines=False),
            arrow_csv.ConvertOptions(
                column_types=types,
                null_values=["", "\t"],
                true_values=["true", "True", "TRUE"],
                false_values=["false", "False", "FALSE"],
            ),
        )
    except pa.ArrowException as problem:
        raise Unlike from problem


def _must_be_same(array: Any, text: bytes) -> None:
    rows, length = len(array), len(text)
    offsets, data = _offsets(array), array.buffers()[2]
    if not np.array_equal(offsets, np.arange(rows + 1, dtype=np.int32) * np.int32(length) + offsets[0]):
        raise Unlike
    if not data.slice(int(offsets[0]), rows * length).equals(pa.py_buffer(text * rows)):
        raise Unlike


def _offsets(array: Any) -> npt.NDArray[np.int32]:
    return np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]


def _must_be_plain(array: Any, before: bytes, after: bytes) -> None:
    """What stands between must be a JSON text without signs of JSON."""
    offsets = _offsets(array)
    data = np.frombuffer(array.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]
    lengths = np.diff(offsets)
    length = int(lengths[0])
    if (lengths == length).all() and length >= len(before) + len(after):
        found = data.reshape(-1, length)
        framed = bool((found[:, : len(before)] == np.frombuffer(before, np.uint8)).all()) and bool(
            (found[:, length - len(after) :] == np.frombuffer(after, np.uint8)).all()
        )
        if not framed:
            raise Unlike
    else:
        _inside(array, before, after)
    # The frame has so many signs; more can only stand inside.
    quotes = before.count(b'"') + after.count(b'"')
    if np.count_nonzero(data == 0x22) != quotes * len(array) or (data == 0x5C).any() or data.min() < 0x20:
        raise Unlike
    if data.max() >= 0x80:
        _must_be_utf8(array)


def _must_be_utf8(array: Any) -> None:
    try:
        array.cast(pa.string())
    except pa.ArrowInvalid as problem:
        raise Unlike from problem


def _inside(array: Any, before: bytes, after: bytes) -> Any:
    """The cells without their frame."""
    offsets = _offsets(array)
    if int(np.diff(offsets).min()) < len(before) + len(after):
        raise Unlike
    data = np.frombuffer(array.buffers()[2], np.uint8)
    if not (_stands_at(data, offsets[:-1], before) and _stands_at(data, offsets[1:] - len(after), after)):
        raise Unlike
    return _cut(array, len(before), len(after))


def _stands_at(data: npt.NDArray[np.uint8], places: npt.NDArray[np.int32], text: bytes) -> bool:
    """Whether a text stands at all these places."""
    done = 0
    while done < len(text):
        size = next(size for size in (8, 4, 2, 1) if size <= len(text) - done)
        # Every byte may begin a word: a view with a stride of one byte.
        words: npt.NDArray[Any] = np.ndarray(len(data) - size + 1, f"<u{size}", data, strides=(1,))
        if not (words[places + done] == int.from_bytes(text[done : done + size], "little")).all():
            return False
        done += size
    return True


def _cut(array: Any, before: int, after: int) -> Any:
    """Texts without so many bytes at both ends (Arrow's own slicing of bytes fails on some empty results)."""
    offsets = _offsets(array)
    # Each text as three, of which every second is taken.
    parts = np.empty((len(array), 3), np.int32)
    parts[:, 0], parts[:, 1], parts[:, 2] = offsets[:-1], offsets[:-1] + before, offsets[1:] - after
    all_offsets = np.append(parts.ravel(), offsets[-1:])
    cut = pa.Array.from_buffers(pa.string(), parts.size, [None, pa.py_buffer(all_offsets), array.buffers()[2]])
    return cut.take(indices(np.arange(1, parts.size, 3)))


def _no_signs(texts: Any) -> None:
    if pc.any(pc.match_substring_regex(texts, _NOT_PLAIN)).as_py():
        raise Unlike


def _value(array: Any, cell: tuple[bytes, bytes, bool], kind: Kind) -> Any:
    before, after, json = cell
    if not pa.types.is_string(array.type):
        return array
    texts = _inside(array, before, after) if before or after else array
    try:
        if not json and kind in ("whole", "number"):
            try:
                return as_kind(texts, kind)
            except pa.ArrowInvalid:
                # Blanks around a number, or nothing.
                return as_kind(_of_csv(texts, kind), kind)
        made = as_kind(_of_json(texts, kind) if json else _of_csv(texts, kind), kind)
    except (pa.ArrowException, ValueError) as problem:
        raise Unlike from problem
    if json and kind == "number" and made.null_count < len(made) and not pc.all(pc.is_finite(made)).as_py():
        raise Unlike
    return made


def _of_csv(texts: Any, kind: Kind) -> Any:
    if kind in ("text", "moment", "zoned", "none"):
        _no_signs(texts)
    texts = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.equal(texts, _EMPTY), _NOTHING, texts)


# Python's values would be made scalars by a way that imports pandas.
_EMPTY, _NULL = large_strings(["", "null"]).cast(pa.string())
_NOTHING = pa.nulls(1, pa.string())[0]


def _of_json(texts: Any, kind: Kind) -> Any:
    """JSON values as texts, null where they are null."""
    nothing = pc.equal(texts, _NULL)
    if kind in ("text", "moment", "zoned"):
        quoted = pc.and_(pc.starts_with(texts, '\\"'), pc.ends_with(texts, '\\"'))
        if not pc.all(pc.or_(quoted, nothing)).as_py() or int(np.diff(_offsets(texts)).min()) < 4:
            raise Unlike
        inside = _cut(texts, 2, 2)
        _no_signs(inside)
        texts = inside
    return pc.if_else(nothing, _NOTHING, texts)
