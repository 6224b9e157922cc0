"""Records as Arrow tables: typed columns from single records, files of different schemas as one stream. No database."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from modelward.governance.monitoring import rules
from modelward.governance.monitoring.capture_store import HotRecord
from modelward.governance.monitoring.entities import CaptureFile
from modelward.kernel.clock import moment
from modelward.kernel.errors import Invalid

TIME = pa.timestamp("us", tz="UTC")
BATCH_ROWS = 131_072
HOURS_MAX = 24 * 366 * 20


class TableFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What reading a table through has told: every page of it can be read."""

    rows: int
    first_at: datetime
    last_at: datetime
    columns: dict[str, str]
    notes: list[str]
    hours: dict[datetime, int]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a window: its schema without id and time, and its batches, cut to the window."""

    name: str
    schema: Any
    batches: Callable[[], Iterable[Any]]


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """All records of a window as one stream of batches with one schema; ``notes`` tell what had to become text."""

    schema: Any
    notes: list[str]
    batches: Iterable[Any]

    def reader(self) -> Any:
        """The stream as Arrow gives it to others."""
        return pa.RecordBatchReader.from_batches(self.schema, iter(self.batches))


def table_of_records(records: list[HotRecord]) -> tuple[Any, list[str]]:
    """A table of single records: id, time, each feature, and the outcomes where there are any.

    Numbers stay numbers; a column that holds texts beside numbers or truth values becomes text, which is noted.
    """
    names: dict[str, None] = {}
    for record in records:
        names.update(dict.fromkeys(record.body.features))
    ids = pa.array([record.inference_id for record in records], pa.string())
    times = pa.array([moment(record.at) for record in records], TIME)
    columns: dict[str, Any] = {rules.ID_COLUMN: ids, rules.TIME_COLUMN: times}
    notes: list[str] = []
    for name in names:
        columns[name] = _column([record.body.features.get(name) for record in records], name, notes)
    outcomes: dict[str, list[Any]] = {
        "prediction": [record.body.prediction for record in records],
        "probability": [record.body.probability for record in records],
    }
    for name, values in outcomes.items():
        if any(value is not None for value in values):
            columns[name] = _column(values, name, notes)
    return pa.table(columns), notes


def _column(values: list[Any], name: str, notes: list[str]) -> Any:
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1:
        return pa.array(values)
    if kinds == {int, float}:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    notes.append(_became_text(name))
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _became_text(name: str) -> str:
    return f"Column {name!r} holds values of different kinds, so it was read as text."


def parquet_bytes(table: Any) -> bytes:
    """A table as a Parquet file, in the order of its times."""
    sink = pa.BufferOutputStream()
    pq.write_table(table.sort_by(rules.TIME_COLUMN), sink, compression="zstd")
    return bytes(sink.getvalue())


def read_through(source: Any, *, time_column: str, id_column: str, at: datetime | None) -> TableFacts:
    """Read a table to its end, so that what is acknowledged can be read again, and tell what it holds.

    Raises:
        Invalid: it is not Parquet, is damaged, holds no rows, has a column name twice or one that cannot be kept, or
            a row has no time.
    """
    try:
        file = pq.ParquetFile(source)
        schema = file.schema_arrow
        _check_schema(schema, time_column, id_column)
        if file.metadata.num_rows == 0:
            raise Invalid("The table holds no rows, so there is nothing to store.", field="body")
        seen = _Seen(time_column, id_column, at)
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            seen.add(batch)
    except (pa.ArrowException, OSError) as problem:
        raise Invalid(
            f"The body is not a readable Parquet file: {_first_line(problem)}",
            field="body",
            hint="Write the file again; nothing was stored.",
        ) from problem
    return seen.facts(schema)


def _first_line(problem: Exception) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0][:200]


def _check_schema(schema: Any, time_column: str, id_column: str) -> None:
    names = list(schema.names)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Invalid(
            f"The table has more than one column named {twice[0]!r}.", field="body", hint="Rename one of them."
        )
    for wanted, field in ((time_column, "query.time_column"), (id_column, "query.id_column")):
        if wanted and wanted not in names:
            shown = ", ".join(repr(name) for name in names[:20]) + (" ..." if len(names) > 20 else "")
            raise Invalid(f"The table has no column {wanted!r}; it has: {shown}.", field=field)
    if time_column and time_column == id_column:
        raise Invalid("The id and the time cannot be the same column.", field="query.id_column")
    known = {name for name in (time_column, id_column) if name}
    told = [name for name in names if name not in known]
    rules.check_feature_names(name for name in told if name not in rules.OUTCOME_COLUMNS)
    if not told:
        raise Invalid("The table has no column besides its time and its id.", field="body")


class _Seen:
    """What the batches of a table have shown so far."""

    def __init__(self, time_column: str, id_column: str, at: datetime | None) -> None:
        self.time_column, self.id_column, self.at = time_column, id_column, at
        self.rows = 0
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.hours: dict[datetime, int] = {}
        self.present: dict[str, int] = {}

    def add(self, batch: Any) -> None:
        self.rows += batch.num_rows
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            self.present[name] = self.present.get(name, 0) + batch.num_rows - column.null_count
            _check_text(column, name)
        if not self.time_column or not batch.num_rows:
            return
        times = times_of(batch.column(self.time_column), self.time_column)
        if times.null_count:
            raise Invalid(f"{times.null_count} rows have no time in column {self.time_column!r}.", field="body")
        ends = pc.min_max(times).as_py()
        if not 1970 <= ends["min"].year <= ends["max"].year <= 9000:
            raise Invalid(
                f"Column {self.time_column!r} holds {ends['min']}, which is no time of a prediction.", field="body"
            )
        self.first = min(self.first or ends["min"], ends["min"])
        self.last = max(self.last or ends["max"], ends["max"])
        for each in pc.value_counts(pc.floor_temporal(times, unit="hour")).to_pylist():
            self.hours[each["values"]] = self.hours.get(each["values"], 0) + each["counts"]
        if len(self.hours) > HOURS_MAX:
            raise Invalid(f"The table holds more than {HOURS_MAX} different hours.", field="body")

    def facts(self, schema: Any) -> TableFacts:
        if self.at is not None:
            self.first = self.last = self.at
            self.hours = {rules.hour_of(self.at): self.rows}
        assert self.first is not None
        assert self.last is not None
        outside = {self.time_column, self.id_column}
        empty = [name for name, count in self.present.items() if count == 0]
        return TableFacts(
            rows=self.rows,
            first_at=self.first,
            last_at=self.last,
            columns={field.name: str(_inner(field.type)) for field in schema if field.name not in outside},
            notes=[f"Column {name!r} holds no value at all." for name in empty[:20]],
            hours=self.hours,
        )


def _check_text(column: Any, name: str) -> None:
    """Refuse texts and bytes that are no UTF-8: they could be kept, but no run could read them."""
    column = column.storage if isinstance(column, pa.ExtensionArray) else column
    column = column.dictionary if pa.types.is_dictionary(column.type) else column
    try:
        if pa.types.is_fixed_size_binary(column.type):
            column = column.cast(pa.binary())
        if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
            column.cast(pa.large_string())
        elif pa.types.is_binary_view(column.type):
            column.cast(pa.string_view())
        elif _is_text(column.type):
            column.validate(full=True)
    except pa.ArrowException as problem:
        raise Invalid(
            f"Column {name!r} ({column.type}) holds bytes that are not UTF-8, which no monitor could read.",
            field="body",
            hint="Write it as text (for bytes: as hexadecimal or base64), or leave it out; nothing was stored.",
        ) from problem


def times_of(column: Any, name: str) -> Any:
    """A column as moments in UTC; times without a zone are taken as UTC.

    Raises:
        Invalid: the column holds neither times, dates nor RFC 3339 texts.
    """
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    try:
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            return _in_utc(column)
        if _is_text(kind):
            return _from_text(column)
    except pa.ArrowException as problem:
        raise Invalid(
            f"Column {name!r} is not a column of times: {_first_line(problem)}", field="query.time_column"
        ) from problem
    raise Invalid(
        f"Column {name!r} is {kind}, not a column of times.",
        field="query.time_column",
        hint="Use timestamps, dates or RFC 3339 texts.",
    )


def _in_utc(column: Any) -> Any:
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        return column.cast(TIME, safe=False)
    return column.cast(pa.timestamp("us"), safe=False).cast(TIME)


def _from_text(column: Any) -> Any:
    try:
        return column.cast(TIME)
    except pa.ArrowInvalid:
        return column.cast(pa.timestamp("us")).cast(TIME)


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _inner(kind: Any) -> Any:
    kind = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def file_part(file: CaptureFile, source: Any, *, start: datetime, end: datetime) -> Part:
    """A file of records, cut to a window."""
    parquet = pq.ParquetFile(source, read_dictionary=_texts(source, file))
    dropped = {file.time_column, file.id_column}
    schema = pa.schema([field for field in parquet.schema_arrow if field.name not in dropped])
    whole = start <= file.first_at and file.last_at < end

    def batches() -> Iterator[Any]:
        for batch in parquet.iter_batches(batch_size=BATCH_ROWS):
            yield (batch if whole else _cut(batch, file, start, end)).select(schema.names)

    if file.at is not None and not start <= file.at < end:
        return Part(name=file.id, schema=pa.schema([]), batches=lambda: ())
    return Part(name=file.id, schema=schema, batches=batches)


def _texts(source: Any, file: CaptureFile) -> list[str]:
    # Texts as dictionaries are several times faster to count.
    schema = pq.read_schema(source)
    return [field.name for field in schema if _is_text(field.type) and field.name != file.time_column]


def _cut(batch: Any, file: CaptureFile, start: datetime, end: datetime) -> Any:
    times = times_of(batch.column(file.time_column), file.time_column)
    within = pc.and_(pc.greater_equal(times, pa.scalar(start, TIME)), pc.less(times, pa.scalar(end, TIME)))
    return batch.filter(within)


def records_part(chunks: Iterable[list[HotRecord]]) -> tuple[Part, list[str]]:
    """Records that are not filed yet; they are in memory, at most those of the last hour or so."""
    tables: list[Any] = []
    notes: list[str] = []
    for chunk in chunks:
        table, told = table_of_records(chunk)
        tables.append(table.drop_columns([rules.ID_COLUMN, rules.TIME_COLUMN]))
        notes += told
    schema, more = joined_schema([table.schema for table in tables])
    batches = [fitted(batch, schema) for table in tables for batch in table.to_batches()]
    return Part(name="records", schema=schema, batches=lambda: batches), [*dict.fromkeys([*notes, *more])]


def window_of(parts: list[Part], notes: list[str]) -> Window:
    """Parts of different schemas as one stream: numbers widen, kinds that do not mix become text, what lacks is null."""
    schema, more = joined_schema([part.schema for part in parts])

    def batches() -> Iterator[Any]:
        for part in parts:
            for batch in part.batches():
                if batch.num_rows:
                    yield fitted(batch, schema)

    return Window(schema=schema, notes=[*dict.fromkeys([*notes, *more])], batches=batches())


def joined_schema(schemas: list[Any]) -> tuple[Any, list[str]]:
    """The one schema into which all fit, and notes on the columns that had to become text."""
    kinds: dict[str, list[Any]] = {}
    for schema in schemas:
        for field in schema:
            kinds.setdefault(field.name, []).append(_inner(field.type))
    notes: list[str] = []
    fields = []
    for name, given in kinds.items():
        joined = joined_type(given)
        if joined is None:
            notes.append(_became_text(name))
        fields.append(pa.field(name, pa.dictionary(pa.int32(), pa.string()) if joined is None else joined))
    return pa.schema(fields), notes


def joined_type(kinds: list[Any]) -> Any:
    """The type that holds values of all these types, or None where only text does."""
    known = [kind for kind in kinds if not pa.types.is_null(kind)]
    if not known:
        return pa.null()
    if all(_is_text(kind) for kind in known):
        return pa.dictionary(pa.int32(), pa.string())
    if all(kind == known[0] for kind in known):
        return known[0]
    if all(pa.types.is_integer(kind) and not pa.types.is_uint64(kind) for kind in known):
        return pa.int64()
    if all(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) for kind in known):
        return pa.float64()
    if all(pa.types.is_timestamp(kind) or pa.types.is_date(kind) for kind in known):
        return TIME
    return None


def fitted(batch: Any, schema: Any) -> Any:
    """A batch with exactly these columns: cast, or null where it lacks one."""
    columns = []
    for field in schema:
        place = batch.schema.get_field_index(field.name)
        if place < 0:
            columns.append(pa.nulls(batch.num_rows, field.type))
        else:
            columns.append(_fitted_column(batch.column(place), field))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _fitted_column(column: Any, field: Any) -> Any:
    column = column.storage if isinstance(column, pa.ExtensionArray) else column
    if column.type == field.type:
        return column
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), field.type)
    plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    try:
        if field.type == TIME:
            return _in_utc(plain)
        if pa.types.is_dictionary(field.type):
            return plain.cast(pa.string()).dictionary_encode().cast(field.type)
        return plain.cast(field.type, safe=False)
    except pa.ArrowException as problem:
        raise Invalid(
            f"Column {field.name!r} is {plain.type} in one file and cannot be read beside the others: {_first_line(problem)}",
            field=field.name,
        ) from problem
