"""Numbers that a CSV file writes with a decimal comma, and that are read as texts: refused, never taken for categories."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from modelward.analysis.buffers import is_text, re2_matches
from modelward.kernel.errors import Invalid

DECIMAL_COMMA = r"^\s*[-+]?\d{1,3}(\.?\d{3})*,\d+\s*$"
LOOKED_AT = 20
"""Texts of a column that are looked at: all must be such numbers."""


def are_decimal_commas(texts: Sequence[str]) -> bool:
    """Whether there are texts, and the first twenty are all numbers with a decimal comma."""
    return bool(texts) and all(re2_matches(list(texts[:LOOKED_AT]), DECIMAL_COMMA))


def refuse_decimal_commas(column: str, texts: Sequence[str], name: str) -> None:
    """Refuse a column of which these are the most frequent, or the first, texts.

    Raises:
        Invalid: all of them are numbers with a decimal comma.
    """
    if are_decimal_commas(texts):
        raise Invalid(
            f"Column {column!r} of {name} holds {texts[0]!r}: numbers with a decimal comma.",
            field=column,
            hint="Say so with Plan(decimal=','), or `--decimal ,`; where neither can be said, write them with a point.",
        )


def without_decimal_commas(batches: Iterable[Any], columns: Iterable[str], name: str) -> Iterator[Any]:
    """The same batches, where the first texts of none of these columns are such numbers.

    Raises:
        Invalid: those of one are.
    """
    unseen = list(columns)
    for batch in batches:
        for column in unseen.copy():
            array = batch.column(column)
            if is_text(array.type) and array.null_count < len(array):
                texts = pc.unique(array.drop_null().slice(0, 1_000)).slice(0, LOOKED_AT)
                refuse_decimal_commas(column, texts.cast(pa.large_string()).to_pylist(), name)
                unseen.remove(column)
        yield batch
