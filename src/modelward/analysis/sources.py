"""Where tables come from: Parquet by pyarrow, CSV and JSON lines by DuckDB, Arrow tables as they are.

Every complaint names the file, and the column, line or value where one is known.
"""

import gzip
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from modelward.analysis.buffers import is_text
from modelward.kernel.errors import Invalid, NotFound, NotImplementedYet, Unavailable

Format: TypeAlias = Literal["parquet", "csv", "json"]
Source: TypeAlias = Any
"""A path, a list of paths, an s3:// address, a pyarrow BufferReader with Parquet, or anything Arrow can stream."""

FORMATS: dict[str, Format] = {
    ".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".asc": "csv",
    ".json": "json", ".jsonl": "json", ".ndjson": "json",
}  # fmt: skip


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan is asked to do.

    ``columns``: only these, in this order (all when None). ``decimal``: the decimal separator of CSV files.
    ``threads``: how many threads share the columns (the processors, at most 8, when None).
    ``segments``: columns to profile apart by value; not built yet. Edges of the baseline are not needed: the
    histograms of two profiles always have a common grid.
    """

    columns: tuple[str, ...] | None = None
    decimal: Literal[".", ","] = "."
    threads: int | None = None
    segments: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.segments:
            raise NotImplementedYet("Profiles by segment are not built yet.", field="segments")


class ParquetPart(msgspec.Struct, frozen=True, kw_only=True):
    """A Parquet file that can be opened any number of times, once per thread."""

    name: str
    open: Callable[[], Any]


class StreamPart(msgspec.Struct, frozen=True, kw_only=True):
    """A table that comes in batches: ``open`` gives a ``Stream`` and cleans up after it.

    ``open(True)`` looks at all rows of a CSV file before it settles the types; ``open(False)`` may end in
    ``TypeChanged``, after which ``open(True)`` must be used.
    """

    name: str
    open: Callable[[bool], AbstractContextManager["Stream"]]


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """The schema, the batches, and what was left out on the way."""

    schema: Any
    batches: Iterable[Any]
    rejected: int = 0
    notes: tuple[str, ...] = ()


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
        return _parts_of_paths([os.fspath(path) for path in source], plan)
    if isinstance(source, pa.BufferReader):
        buffer = source.read_buffer() if source.tell() == 0 else _whole_buffer(source)
        return [ParquetPart(name="the buffer", open=lambda: pa.BufferReader(buffer))]
    if isinstance(source, pa.Table):
        return [_stream("the table", source.schema, source.to_batches())]
    if isinstance(source, pa.RecordBatch):
        return [_stream("the batch", source.schema, [source])]
    if isinstance(source, pa.RecordBatchReader):
        return [_stream("the stream", source.schema, source)]
    if hasattr(source, "__arrow_c_stream__"):
        reader = pa.RecordBatchReader.from_stream(source)
        return [_stream("the frame", reader.schema, reader)]
    raise Invalid(
        f"A {type(source).__name__} is not a source of a table.",
        hint="Give a path, a list of paths, an s3:// address, an Arrow table, or a pandas or polars frame.",
    )


def _whole_buffer(source: Any) -> Any:
    source.seek(0)
    return source.read_buffer()


def _stream(name: str, schema: Any, batches: Iterable[Any]) -> StreamPart:
    @contextmanager
    def opened(sure: bool) -> Iterator[Stream]:
        yield Stream(schema=schema, batches=batches)

    return StreamPart(name=name, open=opened)


def _parts_of_paths(paths: list[str], plan: Plan) -> list[Part]:
    parts: list[Part] = []
    texts: dict[Format, list[str]] = {}
    for path in (file for given in paths for file in _files_at(given)):
        kind = format_of(path)
        if kind == "parquet":
            parts.append(_parquet_part(path))
        else:
            if kind in texts:
                texts[kind].append(path)
                continue
            texts[kind] = [path]
            parts.append(_text_part(kind, texts[kind], plan))
    return parts


def _files_at(path: str) -> list[str]:
    if path.startswith("s3://"):
        return [path]
    if not os.path.exists(path):
        near = (
            sorted(os.listdir(os.path.dirname(path) or "."))[:5] if os.path.isdir(os.path.dirname(path) or ".") else []
        )
        hint = f"The folder holds: {', '.join(near)}." if near else None
        raise NotFound(f"There is no file {path!r}.", hint=hint)
    if os.path.isdir(path):
        files = sorted(str(file) for file in Path(path).rglob("*") if file.is_file() and _ending(str(file)) in FORMATS)
        if not files:
            raise NotFound(f"The folder {path!r} holds no Parquet, CSV or JSON lines file.")
        return files
    if os.path.getsize(path) == 0:
        raise Invalid(f"The file {path!r} is empty: it holds no bytes.")
    return [path]


def _ending(path: str) -> str:
    name = (path.partition("?")[0] if path.startswith("s3://") else path).lower()
    for packed in (".gz", ".zst"):
        name = name.removesuffix(packed)
    return os.path.splitext(name)[1]


def format_of(path: str) -> Format:
    """Tell the format of a file by its ending, else by its first bytes.

    Raises:
        Invalid: the file is an archive cut short.
    """
    known = FORMATS.get(_ending(path))
    if known is not None or path.startswith("s3://"):
        return known or "parquet"
    with open(path, "rb") as file:
        head = file.read(4096)
    if head[:4] == b"PAR1":
        return "parquet"
    if head[:2] == b"\x1f\x8b":
        try:
            with gzip.open(path) as packed:
                head = packed.read(4096)
        except (EOFError, OSError) as problem:
            raise Invalid(f"The file {path!r} is a gzip archive that cannot be read: {problem}.") from problem
    return "json" if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") else "csv"


def _parquet_part(path: str) -> ParquetPart:
    if path.startswith("s3://"):
        files, inner = _remote(path)
        return ParquetPart(name=path, open=lambda: files.open_input_file(inner))
    return ParquetPart(name=path, open=lambda: pa.OSFile(path))


def _remote(address: str) -> tuple[Any, str]:
    from pyarrow import fs

    try:
        files, inner = fs.FileSystem.from_uri(address)
        found = files.get_file_info(inner)
    except (OSError, pa.ArrowInvalid) as problem:
        raise Unavailable(
            f"{address} cannot be reached: {problem}", hint="Check the address and the credentials."
        ) from problem
    if found.type is not fs.FileType.File:
        raise NotFound(f"There is no object {address!r}.", hint="Name one object, or a list of objects.")
    return files, inner


def _text_part(kind: Format, paths: list[str], plan: Plan) -> StreamPart:
    @contextmanager
    def opened(sure: bool) -> Iterator[Stream]:
        # DuckDB costs 0.3 s to load: only who reads text files pays.
        from modelward.analysis.text_files import read_csv, read_json

        with tempfile.TemporaryDirectory(prefix="modelward-") as folder:
            local = [_fetched(path, folder) for path in paths]
            read = read_csv if kind == "csv" else read_json
            with read(local, folder, decimal=plan.decimal, sure=sure) as (schema, batches, rejected, notes):
                yield Stream(schema=schema, batches=batches, rejected=rejected, notes=notes)

    return StreamPart(name=paths[0], open=opened)


def _fetched(path: str, folder: str) -> str:
    if not path.startswith("s3://"):
        return path
    from pyarrow import fs

    files, inner = _remote(path)
    target = os.path.join(folder, f"{abs(hash(path))}-{os.path.basename(inner)}")
    fs.copy_files(inner, target, source_filesystem=files, destination_filesystem=fs.LocalFileSystem())
    return target


def open_parquet(part: ParquetPart, metadata: Any = None) -> Any:
    """Open a Parquet file with its text columns kept as dictionaries.

    Raises:
        Invalid: the file is not Parquet, is cut short, or is damaged.
    """
    try:
        if metadata is None:
            metadata = pq.read_metadata(part.open())
        schema = metadata.schema.to_arrow_schema()
        texts = [name for name in schema.names if is_text(schema.field(schema.names.index(name)).type)]
        return pq.ParquetFile(part.open(), metadata=metadata, read_dictionary=texts)
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
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        raise Invalid(
            f"{name} has more than one column named {twice[0]!r}.", field=twice[0], hint="Rename one of them."
        )
    if wanted is None:
        return names
    for column in wanted:
        if column not in names:
            shown = ", ".join(repr(known) for known in names[:20]) + (" ..." if len(names) > 20 else "")
            raise NotFound(f"{name} has no column {column!r}; it has: {shown}.", field=column)
    return list(wanted)


def batches_of(source: Source, columns: Iterable[str], plan: Plan | None = None) -> Iterator[Any]:
    """Stream record batches that hold just these columns, in this order.

    Raises:
        NotFound: a file or a column does not exist.
        Invalid: a file cannot be read.
    """
    plan = plan or Plan()
    wanted = tuple(dict.fromkeys(columns))
    for part in parts_of(source, plan):
        if isinstance(part, ParquetPart):
            file = open_parquet(part)
            chosen_columns(file.schema_arrow, wanted, part.name)
            try:
                for batch in file.iter_batches(columns=list(wanted), batch_size=262_144):
                    yield batch.select(list(wanted))
            except (pa.ArrowInvalid, OSError) as problem:
                raise broken(part.name, problem) from problem
            continue
        with part.open(True) as stream:
            chosen_columns(stream.schema, wanted, part.name)
            for batch in stream.batches:
                yield batch.select(list(wanted))
