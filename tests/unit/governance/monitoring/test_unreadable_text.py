"""A table with texts that no run could read is refused when it is sent, not when it is looked at."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelward.governance.monitoring.tables import read_through
from modelward.kernel.clock import system_clock
from modelward.kernel.errors import Invalid

BAD = [b"fine", b"\xff\xfe\x00", None]
GOOD = [b"fine", "größe".encode(), None]


def invalid_text():
    """A column that says it is text and holds other bytes, as careless writers make it."""
    return pa.array(BAD, pa.binary()).view(pa.string())


def parquet(column):
    sink = io.BytesIO()
    pq.write_table(pa.table({"x": column, "n": pa.array([1, 2, 3])}), sink)
    return io.BytesIO(sink.getvalue())


def read(column):
    return read_through(parquet(column), time_column="", id_column="", at=system_clock())


@pytest.mark.parametrize(
    "column",
    [
        pa.array(BAD, pa.binary()),
        pa.array(BAD, pa.large_binary()),
        pa.array([b"\xff\xfe\x00\x01", b"fine", None], pa.binary(4)),
        pa.array(BAD, pa.binary()).dictionary_encode(),
        invalid_text(),
    ],
    ids=["binary", "large binary", "fixed", "dictionary", "text"],
)
def test_bytes_that_are_no_text_are_refused_with_the_column_and_what_to_do(column):
    with pytest.raises(Invalid, match=r"'x'.*not UTF-8") as caught:
        read(column)

    assert caught.value.field == "body"
    assert "base64" in caught.value.hint


@pytest.mark.parametrize(
    "column",
    [
        pa.array(GOOD, pa.binary()),
        pa.array(GOOD, pa.large_binary()),
        pa.array(GOOD, pa.binary()).dictionary_encode(),
        pa.array([b"abcd", b"efgh", None], pa.binary(4)),
        pa.array(["a", "b", None]),
        pa.array([None, None, None], pa.binary()),
    ],
)
def test_bytes_that_are_text_are_taken(column):
    assert read(column).rows == 3
