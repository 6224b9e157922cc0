"""profile(source, plan) -> Profile: one pass over the data, bounded memory, columns shared among threads."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa

from modelward.analysis.accumulate import Accumulator, accumulator_for
from modelward.analysis.buffers import re2_matches
from modelward.analysis.profiles import ColumnProfile, Kind, Profile, TypeChanged
from modelward.analysis.sources import (
    ParquetPart,
    Plan,
    Source,
    Stream,
    StreamPart,
    broken,
    chosen_columns,
    open_parquet,
    parts_of,
)
from modelward.kernel.errors import Invalid

Progress = Callable[[int, int], None]
"""Called with steps done and steps in all (0 when not known)."""

DECIMAL_COMMA = r"^\s*[-+]?\d{1,3}(\.?\d{3})*,\d+\s*$"


def profile(source: Source, plan: Plan | None = None, *, progress: Progress | None = None) -> Profile:
    """Read a table once and tell what it holds.

    Args:
        source: a path, a folder, a list of paths, an ``s3://`` address (Parquet, CSV, JSON lines, by ending, then by
            first bytes); a ``pyarrow.BufferReader`` over Parquet; a ``pyarrow.Table``, ``RecordBatch`` or
            ``RecordBatchReader``; or anything with ``__arrow_c_stream__``, such as a pandas or polars frame.
        plan: which columns, and how to read; everything when None.
        progress: called now and then with steps done and steps in all.

    Memory is bounded by one column of one row group per thread, plus about 40 KB a column.

    Raises:
        NotFound: a file or a wanted column does not exist.
        Invalid: a file is empty, damaged or not a table; two columns share a name; decimal commas in a CSV file.
        Unavailable: the object store cannot be reached.
    """
    plan = plan or Plan()
    total: Profile | None = None
    for part in parts_of(source, plan):
        found = (
            _scan_parquet(part, plan, progress) if isinstance(part, ParquetPart) else _scan_stream(part, plan, progress)
        )
        total = found if total is None else total + found
    if total is None:
        raise Invalid("There is nothing to read.")
    return total


def threads_of(plan: Plan) -> int:
    """How many threads share the columns."""
    return max(1, plan.threads or min(8, os.cpu_count() or 1))


def _scan_parquet(part: ParquetPart, plan: Plan, progress: Progress | None) -> Profile:
    first = open_parquet(part)
    schema, metadata = first.schema_arrow, first.metadata
    names = chosen_columns(schema, plan.columns, part.name)
    steps = metadata.num_row_groups * len(names)
    opened = threading.local()
    opened.file = first
    count = _Counter(progress, steps)

    def scan_column(name: str) -> ColumnProfile:
        if not hasattr(opened, "file"):
            opened.file = open_parquet(part, metadata)
        accumulator = accumulator_for(schema.field(name).type)
        for group in range(metadata.num_row_groups):
            try:
                column = opened.file.read_row_group(group, columns=[name], use_threads=False).column(name)
            except (pa.ArrowException, OSError) as problem:
                raise broken(part.name, problem) from problem
            for chunk in column.chunks:
                accumulator.add(chunk)
            count.step()
        return accumulator.finish(name)

    with ThreadPoolExecutor(threads_of(plan), thread_name_prefix="scan") as pool:
        columns = list(pool.map(scan_column, names))
    return Profile(rows=metadata.num_rows, columns={column.name: column for column in columns})


class _Counter:
    def __init__(self, progress: Progress | None, steps: int) -> None:
        self.progress, self.steps, self.done = progress, steps, 0
        self.lock = threading.Lock()

    def step(self) -> None:
        if self.progress is not None:
            with self.lock:
                self.done += 1
                self.progress(self.done, self.steps)


def _scan_stream(part: StreamPart, plan: Plan, progress: Progress | None) -> Profile:
    try:
        with part.open(False) as stream:
            return _scan_batches(stream, part.name, plan, progress)
    except TypeChanged:
        with part.open(True) as stream:
            return _scan_batches(stream, part.name, plan, progress)


def _scan_batches(stream: Stream, name: str, plan: Plan, progress: Progress | None) -> Profile:
    names = chosen_columns(stream.schema, plan.columns, name)
    places = [stream.schema.get_field_index(column) for column in names]
    accumulators = [accumulator_for(_plain_type(stream.schema.field(place).type)) for place in places]
    rows = 0
    count = _Counter(progress, 0)
    with ThreadPoolExecutor(threads_of(plan), thread_name_prefix="scan") as pool:
        for batch in stream.batches:
            rows += batch.num_rows
            jobs = [
                pool.submit(_add, accumulator, batch.column(place))
                for accumulator, place in zip(accumulators, places, strict=True)
            ]
            for job in jobs:
                job.result()
            count.step()
    columns = {column: accumulator.finish(column) for column, accumulator in zip(names, accumulators, strict=True)}
    if plan.decimal == ".":
        _refuse_decimal_commas(columns, name)
    return Profile(rows=rows, columns=columns, rejected=stream.rejected, notes=stream.notes)


def _plain_type(kind: Any) -> Any:
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _add(accumulator: Accumulator, array: Any) -> None:
    accumulator.add(array.storage if isinstance(array, pa.ExtensionArray) else array)


def _refuse_decimal_commas(columns: dict[str, ColumnProfile], name: str) -> None:
    for column in columns.values():
        if column.kind is not Kind.STRING or column.categories is None or not column.categories.counts:
            continue
        some = column.categories.top(20)
        if all(re2_matches([text for text, _ in some], DECIMAL_COMMA)):
            raise Invalid(
                f"Column {column.name!r} of {name} holds {some[0][0]!r}: numbers with a decimal comma.",
                field=column.name,
                hint="Say so with Plan(decimal=','), or `--decimal ,`.",
            )
