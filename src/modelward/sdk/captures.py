"""Captured records, from Python."""

import math
import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modelward.kernel.clock import timestamp
from modelward.kernel.errors import Invalid, NotFound
from modelward.sdk.records import wrap
from modelward.sdk.resources import Resource
from modelward.sdk.serving import endpoint_path

RECORDS_AT_ONCE = 10_000
CHUNK_BYTES = 1 << 20
OWN_KEYS = ("inference_id", "at", "prediction", "probability")


class Captures(Resource):
    """What went into a model and what came out, record by record."""

    def store(self, endpoint: str, rows: Iterable[Mapping[str, Any]]) -> Any:
        """Send records; answers how many were new.

        A row is a dict with ``features`` (a dict), or with the features directly in it; besides these ``inference_id``
        (a new one where it lacks), ``at`` (a datetime; now where it lacks), ``prediction`` and ``probability``. NaN is
        a missing value.
        """
        now = timestamp(datetime.now(UTC))
        records = [_record(row, now) for row in rows]
        stored = duplicates = 0
        for start in range(0, len(records), RECORDS_AT_ONCE):
            part = records[start : start + RECORDS_AT_ONCE]
            receipt = self._sender.post(f"{endpoint_path(endpoint)}/captures", {"records": part})
            stored, duplicates = stored + receipt["stored"], duplicates + receipt["duplicates"]
        return wrap("receipt", {"endpoint": endpoint, "stored": stored, "duplicates": duplicates})

    def store_table(
        self,
        endpoint: str,
        table: Any,
        *,
        time_column: str | None = None,
        id_column: str | None = None,
        at: datetime | None = None,
    ) -> Any:
        """Send a Parquet file (a path) or an Arrow table; its rows happened as ``time_column`` tells, or all ``at`` once.

        ``id_column`` names the column that numbers the records, if there is one: it is no feature.
        """
        query: dict[str, Any] = {
            "time_column": time_column,
            "id_column": id_column,
            "at": timestamp(at) if at else None,
        }
        return self._sender.upload(f"{endpoint_path(endpoint)}/captures/table", _bytes_of(table), **query)

    def files(self, endpoint: str) -> Any:
        """The newest files of an endpoint's records."""
        return self._sender.get(f"{endpoint_path(endpoint)}/captures/files")


def _record(row: Mapping[str, Any], now: str) -> dict[str, Any]:
    if not isinstance(row, Mapping):
        raise Invalid(f"A row is a dict of features; {row!r:.80} is not.", field="rows")
    given = row.get("features")
    features = given if isinstance(given, Mapping) else {key: row[key] for key in row if key not in OWN_KEYS}
    at = row.get("at") or now
    return {
        "inference_id": str(row.get("inference_id") or secrets.token_hex(16)),
        "at": timestamp(at) if isinstance(at, datetime) else at,
        "features": {str(name): _value(value, name) for name, value in features.items()},
        "prediction": _value(row.get("prediction"), "prediction"),
        "probability": _value(row.get("probability"), "probability"),
    }


def _value(value: Any, name: Any) -> Any:
    # numpy's numbers know how to become Python's.
    if hasattr(value, "item") and not isinstance(value, str | bytes):
        value = value.item()
    if isinstance(value, bytes):
        raise Invalid(f"{name!r} is bytes; send text or a number.", field=str(name))
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return None
        raise Invalid(
            f"{name!r} is {value}, which JSON cannot hold.", field=str(name), hint="Send it with store_table."
        )
    return value


def _bytes_of(table: Any) -> bytes | Iterator[bytes]:
    if isinstance(table, bytes):
        return table
    if isinstance(table, str | Path):
        path = Path(table)
        if not path.is_file():
            raise NotFound(f"There is no file {path}.", field="table")
        return _pieces(path)
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not isinstance(table, pa.Table):
        try:
            table = pa.table(table)
        except (TypeError, ValueError) as problem:
            raise Invalid(f"This is not a table: {problem}", field="table") from problem
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            yield piece
