"""How much memory the chosen columns of some files take as texts, by a look at the types and at the first rows."""

import os
from collections.abc import Callable
from contextlib import closing
from itertools import islice

import pyarrow as pa

from modelward.analysis.compatible.different_values import can_be_by_value
from modelward.analysis.compatible.free_memory import TEXTS_OVER_FILE, free_bytes, too_large
from modelward.analysis.compatible.text_reading import delimiter_at, pieces_of_lines
from modelward.analysis.left_out import LeftOut
from modelward.analysis.places import format_of
from modelward.analysis.sources import ParquetPart, open_parquet
from modelward.analysis.text_files import csv_lines

NUMBER_BYTES = 40
"""Memory for each row of a column that is kept as numbers."""
SAMPLE_ROWS = 1_000

_Chosen = Callable[[list[str]], list[str]]


def must_fit(paths: list[str], *, header: bool, chosen: _Chosen | None) -> None:
    """Refuse files whose chosen columns (all for None) would not fit into memory, before they are read.

    Raises:
        Invalid: they would not.
    """
    free = free_bytes()
    # Only where whole files would not fit is it worth a look which share of them the columns are.
    needed = sum(_whole(path, chosen) for path in paths)
    if needed > free and chosen is not None:
        needed = sum(_whole(path, chosen) * _share(path, header, chosen) for path in paths)
    if needed > free:
        raise too_large(f"{paths[0]}{' and others' if len(paths) > 1 else ''}", needed, free)


def _whole(path: str, chosen: _Chosen | None) -> float:
    return _of_parquet(path, chosen) if format_of(path) == "parquet" else os.path.getsize(path) * TEXTS_OVER_FILE


def _share(path: str, header: bool, chosen: _Chosen) -> float:
    kind = format_of(path)
    if kind == "parquet":
        return 1.0
    return _csv_share(path, header, chosen) if kind == "csv" else _lines_share(path, chosen)


def _of_parquet(path: str, chosen: _Chosen | None) -> float:
    file = open_parquet(ParquetPart(name=path, open=lambda: pa.OSFile(path)))
    metadata, schema = file.metadata, file.schema_arrow
    names = list(schema.names)
    wanted = set(names if chosen is None else chosen(names))
    numbers = {name for name in wanted if can_be_by_value(schema.field(name).type)}
    texts = 0.0
    for place in range(metadata.num_row_groups if wanted - numbers else 0):
        group = metadata.row_group(place)
        columns = (group.column(column) for column in range(group.num_columns))
        texts += sum(
            column.total_uncompressed_size
            for column in columns
            if column.path_in_schema.partition(".")[0] in wanted - numbers
        )
    rows: int = metadata.num_rows
    return texts * TEXTS_OVER_FILE + rows * NUMBER_BYTES * len(wanted)


def _csv_share(path: str, header: bool, chosen: _Chosen) -> float:
    with csv_lines(path, delimiter_at(path)) as lines:
        some = list(islice(lines, SAMPLE_ROWS))
    if not some:
        return 1.0
    names = some[0] if header else [f"_c{place}" for place in range(len(some[0]))]
    wanted = set(chosen(names))
    places = [place for place, name in enumerate(names) if name in wanted]
    every = sum(len(value) + 1 for line in some for value in line)
    return sum(len(line[place]) + 1 for line in some for place in places if place < len(line)) / max(1, every)


def _lines_share(path: str, chosen: _Chosen) -> float:
    with closing(pieces_of_lines(path, LeftOut(), SAMPLE_ROWS)) as pieces:
        rows = next(pieces, [])
    wanted = set(chosen(list(dict.fromkeys(name for row in rows for name in row))))
    sizes = [(name in wanted, len(name) + len(value or "")) for row in rows for name, value in row.items()]
    return sum(size for kept, size in sizes if kept) / max(1, sum(size for _, size in sizes))
