"""Where tables come from: Parquet by pyarrow, CSV and JSON lines by DuckDB, Arrow tables as they are.

Every complaint names the file, and the column, line or value where one is known.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal, TypeAlias

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from modelward.analysis.buffers import is_text
from modelward.analysis.decimal_commas import without_decimal_commas
from modelward.analysis.left_out import LeftOut
from modelward.analysis.places import Format, fetched, files_at, format_of, remote
from modelward.analysis.row_rules import RowRule
from modelward.kernel.errors import Invalid, NotFound

Source: TypeAlias = Any
"""A path, a list of paths, an s3:// address, a pyarrow BufferReader with Parquet, or anything Arrow can stream."""

SEGMENT_COLUMNS_MAX = 3
SEGMENTS_MAX = 10_000


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan is asked to do.

    ``columns``: only these, in this order (all when None). ``decimal``: the decimal separator of CSV files.
    ``threads``: how many threads share the columns (the processors, at most 8, when None).
    ``segments``: up to three columns, by whose values the rows are profiled apart; ``segments_max``: how many groups are
    kept, the rest being pooled. ``rules``: what is counted row by row. ``format``: of files whose ending or content does
    not tell. Edges of the baseline are not needed: the histograms of two profiles always have a common grid.

    Values inside structs are columns by their path, ``address.city``; ``columns`` may also name an element of a list,
    ``features[0]``.

    Raises:
        Invalid: more than three segment columns, one of them twice, or a number of groups out of range.
    """

    columns: tuple[str, ...] | None = None
    decimal: Literal[".", ","] = "."
    threads: int | None = None
    segments: tuple[str, ...] = ()
    segments_max: int = 50
    rules: tuple[RowRule, ...] = ()
    format: Format | None = None

    def __post_init__(self) -> None:
        if len(self.segments) > SEGMENT_COLUMNS_MAX or len(set(self.segments)) != len(self.segments):
            raise Invalid(
                f"Segments by {', '.join(self.segments)}: at most {SEGMENT_COLUMNS_MAX} different columns can be used.",
                field="segments",
            )
        if not 1 <= self.segments_max <= SEGMENTS_MAX:
            raise Invalid(
                f"segments_max is {self.segments_max}; it must be from 1 to {SEGMENTS_MAX}.", field="segments_max"
            )


class ParquetPart(msgspec.Struct, frozen=True, kw_only=True):
    """A Parquet file that can be opened any number of times, once per thread."""

    name: str
    open: Callable[[], Any]


class StreamPart(msgspec.Struct, frozen=True, kw_only=True):
    """A table that comes in batches: ``open`` gives a ``Stream`` and cleans up after it.

    ``open(True)`` looks at all rows of a CSV file before it settles the types; ``open(False)`` may end in
    ``TypeChanged``, after which ``open(True)`` must be used. ``columns``: the same table with some columns only, where
    reading these alone costs little. ``csv``: whether a number may have been taken for a text.
    """

    name: str
    open: Callable[[bool], AbstractContextManager["Stream"]]
    columns: Callable[[list[str]], "StreamPart"] | None = None
    csv: bool = False


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """The schema, the batches, and what is left out on the way: known after the last batch."""

    schema: Any
    batches: Iterable[Any]
    left_out: LeftOut = msgspec.field(default_factory=LeftOut)

    @property
    def rejected(self) -> int:
        """How many records were left out so far."""
        return self.left_out.count

    @property
    def notes(self) -> tuple[str, ...]:
        """Which, and why."""
        return self.left_out.notes


Part: TypeAlias = ParquetPart | StreamPart


def parts_of(source: Source, plan: Plan) -> list[Part]:
    """Take a source apart into Parquet files and streams, in the order given.

    Raises:
        NotFound: a file does not exist.
        Invalid: the source is of no known kind, an empty list, or an empty file.
    """
    if isinstance(source, str | os.PathLike):
        return _parts_of_paths([os.fspath(source)], plan)
    if isinstance(source, list | tuple):
        if not source:
            raise Invalid("The list of files is empty.", hint="Name at least one file.")
        other = next((one for one in source if not isinstance(one, str | os.PathLike)), None)
        if other is not None:
            raise Invalid(
                f"A list of sources names files; it holds a {type(other).__name__}.",
                hint="Join tables before: pyarrow.concat_tables, pyarrow.Table.from_pylist.",
            )
        return _parts_of_paths([os.fspath(path) for path in source], plan)
    if isinstance(source, pa.BufferReader):
        buffer = source.read_buffer() if source.tell() == 0 else _whole_buffer(source)
        return [ParquetPart(name="the buffer", open=lambda: pa.BufferReader(buffer))]
    if isinstance(source, pa.Table):
        return [_table_stream(source)]
    if isinstance(source, pa.RecordBatch):
        return [_stream("the batch", source.schema, [source])]
    if isinstance(source, pa.RecordBatchReader):
        return [_stream("the stream", source.schema, source)]
    if hasattr(source, "__arrow_c_stream__"):
        reader = pa.RecordBatchReader.from_stream(source)
        return [_stream("the frame", reader.schema, reader)]
    raise Invalid(
        f"A {type(source).__name__} is not a source of a table.",
        hint="Give a path, a list of paths, an s3:// address, an Arrow table, a pandas or polars frame (a lazy one "
        "collected), or a relation of DuckDB.",
    )


def _whole_buffer(source: Any) -> Any:
    source.seek(0)
    return source.read_buffer()


def _stream(name: str, schema: Any, batches: Iterable[Any]) -> StreamPart:
    @contextmanager
    def opened(sure: bool) -> Iterator[Stream]:
        yield Stream(schema=schema, batches=batches)

    return StreamPart(name=name, open=opened)


def _table_stream(table: Any) -> StreamPart:
    part = _stream("the table", table.schema, table.to_batches())
    return msgspec.structs.replace(part, columns=lambda names: _table_stream(table.select(names)))


def parquet_stream(part: ParquetPart, columns: list[str] | None = None) -> StreamPart:
    """A Parquet file as batches of at most about 64 MB, its text columns kept as dictionaries."""

    @contextmanager
    def opened(sure: bool) -> Iterator[Stream]:
        file = open_parquet(part)
        names = columns if columns is not None else list(file.schema_arrow.names)
        rows = max(1_024, min(131_072, 8_000_000 // max(1, len(names))))
        schema = pa.schema([file.schema_arrow.field(name) for name in names])
        yield Stream(schema=schema, batches=_parquet_batches(part, file, names, rows))

    return StreamPart(name=part.name, open=opened, columns=lambda names: parquet_stream(part, names))


def _parquet_batches(part: ParquetPart, file: Any, names: list[str], rows: int) -> Iterator[Any]:
    try:
        for batch in file.iter_batches(columns=names, batch_size=rows):
            yield batch.select(names)
    except (pa.ArrowException, OSError) as problem:
        raise broken(part.name, problem) from problem


def _parts_of_paths(paths: list[str], plan: Plan) -> list[Part]:
    parts: list[Part] = []
    texts: dict[Format, list[str]] = {}
    for path in (file for given in paths for file in files_at(given)):
        kind = plan.format or format_of(path)
        if kind == "parquet":
            parts.append(_parquet_part(path))
        else:
            if kind in texts:
                texts[kind].append(path)
                continue
            texts[kind] = [path]
            parts.append(_text_part(kind, texts[kind], plan))
    return parts


def _parquet_part(path: str) -> ParquetPart:
    if path.startswith("s3://"):
        files, inner = remote(path)
        return ParquetPart(name=path, open=lambda: files.open_input_file(inner))
    return ParquetPart(name=path, open=lambda: pa.OSFile(path))


def _text_part(kind: Format, paths: list[str], plan: Plan) -> StreamPart:
    @contextmanager
    def opened(sure: bool) -> Iterator[Stream]:
        # DuckDB costs 0.3 s to load: only who reads text files pays.
        from modelward.analysis.captures.files import looks_like_captures, read_captures
        from modelward.analysis.json_files import read_json
        from modelward.analysis.text_files import read_csv

        with tempfile.TemporaryDirectory(prefix="modelward-") as folder:
            local = [fetched(path, folder) for path in paths]
            captured = kind == "captures" or (kind == "json" and plan.format is None and looks_like_captures(local[0]))
            read = read_captures if captured else read_csv if kind == "csv" else read_json
            with read(local, folder, decimal=plan.decimal, sure=sure) as (schema, batches, left_out):
                yield Stream(schema=schema, batches=batches, left_out=left_out)

    return StreamPart(name=paths[0], open=opened, csv=kind == "csv")


def open_parquet(part: ParquetPart, metadata: Any = None, *, buffer_bytes: int = 0) -> Any:
    """Open a Parquet file with text columns kept as dictionaries, read by ``buffer_bytes`` of a column (whole when 0).

    Raises:
        Invalid: the file is not Parquet, is cut short, or is damaged.
    """
    try:
        if metadata is None:
            metadata = pq.read_metadata(part.open())
        schema = metadata.schema.to_arrow_schema()
        texts = [field.name for field in schema if is_text(field.type)]
        return pq.ParquetFile(part.open(), metadata=metadata, read_dictionary=texts, buffer_size=buffer_bytes)
    except (pa.ArrowInvalid, OSError, pa.ArrowNotImplementedError) as problem:
        raise broken(part.name, problem) from problem


def broken(name: str, problem: Exception) -> Invalid:
    """The error of a damaged Parquet file."""
    reason = str(problem).splitlines()[0][:200]
    return Invalid(f"{name} is not a readable Parquet file: {reason}", hint="Write or copy the file again.")


def chosen_columns(schema: Any, wanted: tuple[str, ...] | None, name: str) -> list[str]:
    """The columns to read.

    Raises:
        Invalid: two columns share a name, or there is no column at all.
        NotFound: a wanted column does not exist.
    """
    names: list[str] = list(schema.names)
    if not names:
        raise Invalid(f"{name} has no columns.")
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise Invalid(
            f"{name} has more than one column named {twice[0]!r}.", field=twice[0], hint="Rename one of them."
        )
    if wanted is None:
        return names
    known = set(names)
    for column in wanted:
        if column not in known:
            shown = ", ".join(repr(other) for other in names[:20]) + (" ..." if len(names) > 20 else "")
            raise NotFound(f"{name} has no column {column!r}; it has: {shown}.", field=column)
    return list(wanted)


def batches_of(
    source: Source, columns: Iterable[str] | None, plan: Plan | None = None, *, ahead: bool = False
) -> Iterator[Any]:
    """Stream record batches that hold just these columns, in this order; all columns for None.

    ``ahead``: read the next batch of a Parquet file, in a thread, while one is worked on.

    Raises:
        NotFound: a file or a column does not exist.
        Invalid: a file cannot be read; a wanted column of a CSV file holds decimal commas that the plan does not tell.
    """
    plan = plan or Plan()
    wanted = None if columns is None else tuple(dict.fromkeys(columns))
    for part in parts_of(source, plan):
        if isinstance(part, ParquetPart):
            file = open_parquet(part)
            names = chosen_columns(file.schema_arrow, wanted, part.name)
            batches = _parquet_batches(part, file, names, 262_144)
            yield from one_ahead(batches) if ahead else batches
            continue
        with part.open(True) as stream:
            names = chosen_columns(stream.schema, wanted, part.name)
            check = part.csv and plan.decimal == "."
            for batch in without_decimal_commas(stream.batches, names, part.name) if check else stream.batches:
                yield batch.select(names)


def one_ahead(batches: Iterator[Any]) -> Iterator[Any]:
    """The same batches, the next of which is fetched in a thread while one is worked on."""
    with ThreadPoolExecutor(1, "modelward-read") as reader:
        waiting = reader.submit(next, batches, None)
        while (batch := waiting.result()) is not None:
            waiting = reader.submit(next, batches, None)
            yield batch
