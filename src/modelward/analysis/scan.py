"""profile(source, plan) -> Profile: one pass over the data, bounded memory, columns shared among threads."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pyarrow as pa

from modelward.analysis.accumulate import Accumulator, accumulator_for
from modelward.analysis.decimal_commas import LOOKED_AT, refuse_decimal_commas
from modelward.analysis.engines.engine import Engine
from modelward.analysis.grouping import GroupedAccumulator, Grouping, Split, largest
from modelward.analysis.nested import flat_batch, flat_schema, has_structs
from modelward.analysis.places import files_at
from modelward.analysis.profiles import ColumnProfile, Kind, Profile, TypeChanged
from modelward.analysis.row_rules import plain, tallies_of
from modelward.analysis.rule_counts import RuleCount
from modelward.analysis.sources import (
    ParquetPart,
    Plan,
    Source,
    Stream,
    StreamPart,
    broken,
    chosen_columns,
    open_parquet,
    parquet_stream,
    parts_of,
)
from modelward.kernel.errors import Invalid

Progress = Callable[[int, int], None]
"""Called with steps done and steps in all (0 when not known)."""

READS_MAX = 200


def profile(
    source: Source, plan: Plan | None = None, *, progress: Progress | None = None, engine: Engine | None = None
) -> Profile:
    """Read a table once and tell what it holds.

    Args:
        source: a path, a folder, a list of paths, an ``s3://`` address (Parquet, CSV, JSON lines, capture records, by
            ending, then by first bytes); a ``pyarrow.BufferReader`` over Parquet; a ``pyarrow.Table``, ``RecordBatch``
            or ``RecordBatchReader``; or anything with ``__arrow_c_stream__``, such as a pandas or polars frame or a
            DuckDB relation.
        plan: which columns, and how to read; everything when None.
        progress: called now and then with steps done and steps in all.
        engine: where files are profiled, one task each; here when None. Files of CSV and JSON are then typed one by one.

    Memory is bounded by one column of one row group per thread, plus about 40 KB a column (and group).

    Raises:
        NotFound: a file or a wanted column does not exist.
        Invalid: a file is empty, damaged or not a table; two columns share a name; decimal commas in a CSV file.
        Unavailable: the object store cannot be reached, or the engine is not installed.
    """
    plan = plan or Plan()
    if engine is not None:
        return _by_engine(source, plan, engine, progress)
    total: Profile | None = None
    for part in parts_of(source, plan):
        found = (
            _scan_parquet(part, plan, progress) if isinstance(part, ParquetPart) else _scan_stream(part, plan, progress)
        )
        total = found if total is None else total + found
    if total is None:
        raise Invalid("There is nothing to read.")
    return total


def _by_engine(source: Source, plan: Plan, engine: Engine, progress: Progress | None) -> Profile:
    paths = [source] if isinstance(source, str | os.PathLike) else source
    if not isinstance(paths, list | tuple) or not all(isinstance(path, str | os.PathLike) for path in paths):
        raise Invalid(
            f"An engine profiles files, and a {type(source).__name__} is none.", hint="Give paths, or no engine."
        )
    files = [file for path in paths for file in files_at(os.fspath(path))]
    asked = msgspec.json.encode(plan)
    total: Profile | None = None
    for done, answer in enumerate(engine.map(profile_task, [(file, asked) for file in files]), 1):
        found = Profile.from_bytes(answer)
        total = found if total is None else total + found
        if progress is not None:
            progress(done, len(files))
    if total is None:
        raise Invalid("The list of files is empty.", hint="Name at least one file.")
    return total


def profile_task(task: tuple[str, bytes]) -> bytes:
    """What an engine runs, wherever it runs it: the profile of one file by a plan in JSON, as bytes."""
    path, asked = task
    return profile(path, msgspec.json.decode(asked, type=Plan)).to_bytes()


def threads_of(plan: Plan) -> int:
    """How many threads share the columns."""
    return max(1, plan.threads or min(8, os.cpu_count() or 1))


def _scan_parquet(part: ParquetPart, plan: Plan, progress: Progress | None) -> Profile:
    first = open_parquet(part)
    schema, metadata = first.schema_arrow, first.metadata
    if plan.segments or has_structs(schema) or any("[" in name for name in plan.columns or ()):
        return _scan_stream(parquet_stream(part), plan, progress)
    names = chosen_columns(schema, plan.columns, part.name)
    steps = metadata.num_row_groups * len(names)
    opened = threading.local()
    opened.file = first
    count = _Counter(progress, steps)

    def scan_columns(some: list[str]) -> list[ColumnProfile]:
        if not hasattr(opened, "file"):
            opened.file = open_parquet(part, metadata)
        accumulators = {name: accumulator_for(schema.field(name).type) for name in some}
        for group in range(metadata.num_row_groups):
            try:
                table = opened.file.read_row_group(group, columns=some, use_threads=False)
            except (pa.ArrowException, OSError) as problem:
                raise broken(part.name, problem) from problem
            for name, accumulator in accumulators.items():
                for chunk in table.column(name).chunks:
                    accumulator.add(chunk)
                count.step()
        return [accumulator.finish(name) for name, accumulator in accumulators.items()]

    # Each call of Arrow walks over all columns of the file: in a wide one several are read at once.
    size = -(-len(names) // READS_MAX)
    some = [names[start : start + size] for start in range(0, len(names), size)]
    with ThreadPoolExecutor(threads_of(plan), thread_name_prefix="scan") as pool:
        columns = [column for found in pool.map(scan_columns, some) for column in found]
    rules = _counted(part, plan, list(schema.names), metadata.num_rows)
    return Profile(rows=metadata.num_rows, columns={column.name: column for column in columns}, rules=rules)


def _counted(part: ParquetPart, plan: Plan, names: list[str], rows: int) -> dict[str, RuleCount]:
    """Count the rules over just the columns that they read."""
    tallies = tallies_of(plan.rules, names)
    needed = list(dict.fromkeys(name for tally in tallies.values() for name in tally.columns))
    if needed:
        with parquet_stream(part, needed).open(True) as stream:
            for batch in stream.batches:
                for tally in tallies.values():
                    tally.add(batch)
    return {name: tally.finish() if tally.columns else RuleCount(unknown=rows) for name, tally in tallies.items()}


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
            return _scan_batches(stream, part, plan, progress)
    except TypeChanged:
        with part.open(True) as stream:
            return _scan_batches(stream, part, plan, progress)


def _scan_batches(stream: Stream, part: StreamPart, plan: Plan, progress: Progress | None) -> Profile:
    flat = has_structs(stream.schema) or any("[" in name for name in plan.columns or ())
    schema = flat_schema(stream.schema, plan.columns or ()) if flat else stream.schema
    names = chosen_columns(schema, plan.columns, part.name)
    scan = _Scan(part, plan, schema, names)
    count = _Counter(progress, 0)
    with ThreadPoolExecutor(threads_of(plan), thread_name_prefix="scan") as pool:
        for batch in stream.batches:
            scan.add(flat_batch(batch, schema) if flat else batch, pool)
            count.step()
    found = scan.finish()
    if plan.decimal == ".":
        for column in found.columns.values():
            if column.kind is Kind.STRING and column.categories is not None:
                refuse_decimal_commas(column.name, [text for text, _ in column.categories.top(LOOKED_AT)], part.name)
    return msgspec.structs.replace(found, rejected=stream.rejected, notes=stream.notes)


class _Scan:
    """All that is kept of one stream: columns, groups and rules."""

    def __init__(self, part: StreamPart, plan: Plan, schema: Any, names: list[str]) -> None:
        chosen_columns(schema, plan.segments, part.name)
        self.places = {name: schema.get_field_index(name) for name in schema.names}
        self.rows, self.names = 0, names
        kinds = {name: _plain_type(schema.field(self.places[name]).type) for name in names}
        self.grouping = Grouping(plan.segments, plan.segments_max, _largest(part, plan)) if plan.segments else None
        self.grouped = {name: GroupedAccumulator(kind) for name, kind in kinds.items()} if self.grouping else {}
        self.plain = {} if self.grouping else {name: accumulator_for(kind) for name, kind in kinds.items()}
        self.tallies = tallies_of(plan.rules, list(schema.names))

    def add(self, batch: Any, pool: ThreadPoolExecutor) -> None:
        if batch.num_rows == 0:
            return
        self.rows += batch.num_rows
        split = None
        if self.grouping is not None:
            split = self.grouping.split([plain(batch.column(self.places[name])) for name in self.grouping.by])
        jobs = [pool.submit(self._add_column, name, batch.column(self.places[name]), split) for name in self.names]
        for tally in self.tallies.values():
            tally.add(batch)
        for job in jobs:
            job.result()

    def _add_column(self, name: str, array: Any, split: Split | None) -> None:
        if split is None:
            self.plain[name].add(plain(array))
        else:
            self.grouped[name].add(plain(array), split)

    def finish(self) -> Profile:
        whole: dict[str, Accumulator] = self.plain or {name: each.whole for name, each in self.grouped.items()}
        return Profile(
            rows=self.rows,
            columns={name: accumulator.finish(name) for name, accumulator in whole.items()},
            segments=self.grouping.finish(self.grouped) if self.grouping else None,
            rules={name: tally.finish() for name, tally in self.tallies.items()},
        )


def _largest(part: StreamPart, plan: Plan) -> list[tuple[str | None, ...]] | None:
    """The groups with the most rows, where the segment columns can be read beforehand at little cost."""
    if part.columns is None:
        return None
    inside = [name for name in plan.segments if "." not in name]
    if len(inside) < len(plan.segments):
        return None
    with part.columns(inside).open(True) as stream:
        return largest(stream.batches, plan.segments, plan.segments_max)


def _plain_type(kind: Any) -> Any:
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
