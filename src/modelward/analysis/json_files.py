"""JSON lines and arrays of JSON objects, read by DuckDB into Arrow batches."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from modelward.analysis.formats.json_bodies import must_name_once
from modelward.analysis.left_out import LeftOut
from modelward.analysis.packed_files import BROKEN, damaged, lines_of, unpacked
from modelward.analysis.text_files import (
    BATCH_ROWS,
    BOM,
    LINE_BYTES_MAX,
    File,
    Opened,
    batches_from,
    connected,
    explained,
    gathered,
    plainly,
)
from modelward.kernel.errors import Invalid

_TWICE = re.compile(r'has duplicate key "(.*?)"')


@contextmanager
def read_json(paths: list[str], folder: str, *, decimal: str, sure: bool) -> Iterator[Opened]:
    """Stream JSON lines: schema, batches, and what was left out.

    A line that is not a JSON object is left out and counted; the first five are named.

    Raises:
        Invalid: not one line is a JSON object, or a record is over 8 MiB.
    """
    with connected() as connection:
        left_out = LeftOut()
        files = [File(path, unpacked(path, folder, number)) for number, path in enumerate(paths)]
        try:
            reader, schema = _open_json(connection, [file.path for file in files])
        except (duckdb.Error, OSError, pa.ArrowException) as problem:
            if _TWICE.search(str(problem)):
                raise _explained(files, problem) from problem
            files = [File(path, _without_rejects(path, folder, number, left_out)) for number, path in enumerate(paths)]
            try:
                reader, schema = _open_json(connection, [file.path for file in files])
            except (duckdb.Error, OSError, pa.ArrowException) as problem:
                raise _explained(files, problem) from problem
        yield schema, gathered(batches_from(reader, files, True)), left_out


def _open_json(connection: Any, paths: list[str]) -> tuple[Any, Any]:
    # All records are looked at first: a broken line or a late change of type then shows before any batch is given out.
    relation = connection.sql(
        "SELECT * FROM read_json($paths, format=$format, records=true, sample_size=-1, union_by_name=true, "
        "map_inference_threshold=-1, maximum_object_size=$line)",
        params={"paths": paths, "format": _json_format(paths[0]), "line": LINE_BYTES_MAX},
    )
    reader = _whole_as_whole(relation).to_arrow_reader(BATCH_ROWS)
    return reader, reader.schema


def _whole_as_whole(relation: Any) -> Any:
    """Whole numbers with and without a sign make columns of 128 bits, which Arrow lacks: 64 where they fit."""
    wide = [name for name, kind in zip(relation.columns, relation.types, strict=True) if str(kind) == "HUGEINT"]
    if not wide:
        return relation
    quoted = ['"' + name.replace('"', '""') + '"' for name in wide]
    ends = relation.aggregate(", ".join(f"min({each}), max({each})" for each in quoted)).fetchall()[0]
    fit = [
        f"{name}::BIGINT AS {name}"
        for name, low, high in zip(quoted, ends[::2], ends[1::2], strict=True)
        if low is None or (low >= -(2**63) and high < 2**63)
    ]
    return relation.project(f"* REPLACE ({', '.join(fit)})") if fit else relation


def _json_format(path: str) -> str:
    with lines_of(path) as file:
        head = file.read(1024).lstrip(BOM + b" \t\r\n")
    return "array" if head.startswith(b"[") else "newline_delimited"


def _without_rejects(path: str, folder: str, number: int, left_out: LeftOut) -> str:
    target = os.path.join(folder, f"clean-{number}.jsonl")
    decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
    kept, first = 0, ""
    try:
        with lines_of(path) as lines, open(target, "wb") as clean:
            for place, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                text = line if place > 1 else line.removeprefix(BOM)
                try:
                    decoder.decode(text)
                    text.decode()
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
                    note = f"{path}, line {place} was left out: {plainly(problem)}."
                    first = first or note
                    left_out.add(note)
                    continue
                kept += 1
                clean.write(text)
    except BROKEN as problem:
        raise damaged(path, problem) from problem
    if kept == 0:
        raise Invalid(
            f"{path} holds no JSON object. {first or 'There are only empty lines.'}",
            hint="Write one JSON object on each line.",
        )
    return target


def _explained(files: list[File], problem: Exception) -> Exception:
    twice = _TWICE.search(str(problem))
    return _named_twice(files, twice[1]) if twice else explained(files, problem, sure=True)


def _named_twice(files: list[File], key: str) -> Invalid:
    """Say in which lines of JSON an object names a key twice: readers of JSON keep the last value and drop the others."""
    found: list[str] = []
    for file in files:
        with lines_of(file.name) as lines:
            found += (f"{file.name}, line {place}" for place, line in enumerate(lines, 1) if _names_twice(line))
    if not found:
        # One array over many lines.
        return Invalid(f"{files[0].name} holds a record that has {key!r} twice.", field=key)
    more = f", and so do {len(found) - 1} more lines" if len(found) > 1 else ""
    return Invalid(f"{found[0]} holds a record that has {key!r} twice{more}.", field=key, hint="Name each value once.")


def _names_twice(line: bytes) -> bool:
    try:
        must_name_once(line.removeprefix(BOM).decode())
    except Invalid:
        return True
    except (ValueError, RecursionError):
        # No JSON is another matter.
        pass
    return False
