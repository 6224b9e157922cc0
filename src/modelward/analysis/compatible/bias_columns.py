"""Which rows are the group, which labels are favourable: the rules of the bias job for columns, values and thresholds.

Source: smclarify 0.5 (as seen in its logs and outputs): floats are continuous; whole numbers are continuous where at least
one in twenty of the rows is a different value, so one column can be either, depending on its length. A missing value is
neither favourable nor of the group.
"""

from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from modelward.analysis.compatible.kinds import TextKind, count_kinds
from modelward.analysis.compatible.text_columns import NumberColumn
from modelward.analysis.compatible.texts import TextColumn
from modelward.analysis.formats.analysis_config import Value
from modelward.kernel.errors import Invalid

Mask: TypeAlias = npt.NDArray[np.bool_]
CONTINUOUS_SHARE_MIN = 0.05


class Chosen(msgspec.Struct, frozen=True):
    """Rows chosen by a value or a threshold, and how the files name the choice."""

    name: str
    rows: Mask


def is_continuous(column: TextColumn, values: list[Value]) -> bool:
    """Whether the bias job cuts this column at a threshold instead of looking for values.

    Whole numbers none of which lies above the one that is given are not cut there, whatever the share: in a short table
    the job would take the label 1 of 0 and 1 for a threshold, find nothing above it, and give errors alone.
    """
    if len(values) > 1 or not column.rows:
        return False
    kind = count_kinds(column).kind
    if kind is not TextKind.INTEGRAL:
        return kind is TextKind.FRACTIONAL
    many = column.different / column.rows >= CONTINUOUS_SHARE_MIN
    return many and not (values and isinstance(values[0], int | float) and np.nanmax(numbers_of(column)) <= values[0])


def choose(column: TextColumn, values: list[Value]) -> list[Chosen]:
    """The groups of a facet: those above a threshold, those with one of the values, or each value in turn.

    Raises:
        Invalid: a continuous column without a threshold, a threshold that is no number, or a value that does not occur.
    """
    if is_continuous(column, values):
        if not values:
            raise Invalid(
                f"Column {column.name!r} is continuous, so it has no groups of itself.",
                field=column.name,
                hint="Give a threshold in value_or_threshold.",
            )
        return [_above(column, values[0])]
    if not values:
        return [Chosen(text, column.codes == place) for place, text in enumerate(column.texts)]
    wanted = np.array([any(_same(text, value) for value in values) for text in [*column.texts, ""]])
    wanted[-1] = False
    return [Chosen(",".join(_shown(value) for value in values), wanted[column.codes])]


def _above(column: TextColumn, threshold: Value) -> Chosen:
    if isinstance(threshold, str):
        raise Invalid(f"The threshold {threshold!r} of column {column.name!r} is no number.", field=column.name)
    numbers = numbers_of(column)
    greatest = float(np.nanmax(numbers))
    whole = count_kinds(column).kind is TextKind.INTEGRAL
    top = str(int(greatest)) if whole else repr(greatest)
    return Chosen(f"({threshold}, {top}]", np.asarray(numbers > threshold, np.bool_))


def numbers_of(column: TextColumn) -> npt.NDArray[np.float64]:
    """A number for each row; not a number where there is none.

    Raises:
        Invalid: the column holds texts that are no numbers.
    """
    if isinstance(column, NumberColumn):
        numbers = np.full(column.rows, np.nan)
        numbers[column.there] = column.numbers()
        return numbers
    try:
        known = [float(text.replace(" ", "")) for text in column.texts]
    except ValueError as problem:
        raise Invalid(f"Column {column.name!r} holds texts that are no numbers.", field=column.name) from problem
    return np.array([*known, np.nan])[column.codes]


def favourable(column: TextColumn, values: list[Value], *, threshold: float | None = None) -> Chosen:
    """The rows whose label or prediction is favourable: among the values, or above the threshold where continuous."""
    if threshold is not None and count_kinds(column).kind is TextKind.FRACTIONAL:
        return _above(column, threshold)
    return choose(column, values)[0]


def _same(text: str, value: Value) -> bool:
    if isinstance(value, bool):
        return text.lower() == str(value).lower()
    try:
        return float(text) == float(value)
    except ValueError:
        return text == str(value)


def _shown(value: Value) -> str:
    return str(value)


def codes_of(column: TextColumn) -> Any:
    """The values of a column as numbers from 0 on, in the order of the values; a missing value is the last group.

    The order decides the last digit of sums over groups: smclarify takes them sorted.
    """
    places = range(len(column.texts))
    if count_kinds(column).numeric:
        ordered = sorted(places, key=lambda place: float(column.texts[place].replace(" ", "")))
    else:
        ordered = sorted(places, key=lambda place: column.texts[place])
    ranks = np.empty(len(column.texts) + 1, np.int64)
    ranks[[*ordered, -1]] = np.arange(len(column.texts) + 1)
    return ranks[column.codes]
