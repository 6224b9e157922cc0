"""Constraints read strictly, and held against sense: a misspelt or impossible rule would not be judged, and nobody would know."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from modelward.analysis.checking.constraints import Constraints, DriftSettings
from modelward.kernel import codec
from modelward.kernel.errors import Invalid

SHARES = ("completeness_min", "values_share_min", "range_share_min", "unique_share_min", "pattern_share_min")
THRESHOLDS = ("numeric_threshold", "shift_threshold", "categorical_threshold", "missing_threshold")


def read_constraints(given: object, *, field: str = "constraints") -> Constraints:
    """Read constraints from decoded JSON.

    Raises:
        Invalid: a field is unknown, of the wrong kind or breaks its rule; the message names field, value and rule.
    """
    _no_unknown(given, Constraints, field)
    read = codec.convert(given, Constraints, field=field)
    if read.version != 1:
        raise wrong(f"{field}.version", read.version, "it must be 1, the only form there is")
    # A threshold of 0 leaves the verdict to chance alone: a choice for a simulation, a slip in a file.
    for name in THRESHOLDS:
        _check(f"{field}.drift.{name}", getattr(read.drift, name), lambda value: value > 0, "it must be above 0")
    must_make_sense(read, field=field)
    return read


def must_make_sense(read: Constraints, *, field: str = "constraints") -> None:
    """Refuse rules that no table could keep, or of which one would hide another.

    Raises:
        Invalid: a share outside of 0 to 1, a threshold below 0, a least value above the greatest, a column or
            a condition that is named twice.
    """
    _check_columns(read, field)
    _check_table(read, field)
    _check_drift(read.drift, f"{field}.drift")


def wrong(field: str, value: object, rule: str) -> Invalid:
    """The error about one field: what it holds, and what it must be."""
    return Invalid(f"{field} is {str(value)[:200]!r}; {rule}.", field=field)


def _no_unknown(given: object, kind: Any, field: str) -> None:
    if not isinstance(given, dict):
        return
    fields = {each.name: each.type for each in msgspec.structs.fields(kind)}
    for name, value in given.items():
        if name not in fields:
            known = ", ".join(fields)
            raise Invalid(f"{field}.{str(name)[:60]} is not known; known are {known}.", field=f"{field}.{name}"[:200])
        for inner in _structs_in(fields[name]):
            for place, each in enumerate(value) if isinstance(value, list) else [(None, value)]:
                _no_unknown(each, inner, f"{field}.{name}" + ("" if place is None else f"[{place}]"))


def _structs_in(kind: Any) -> Iterator[Any]:
    told = msgspec.inspect.type_info(kind)
    inner = told.item_type if isinstance(told, msgspec.inspect.VarTupleType) else told
    if isinstance(inner, msgspec.inspect.StructType):
        yield inner.cls


def _check_columns(read: Constraints, whole: str) -> None:
    names: set[str] = set()
    for place, rule in enumerate(read.columns):
        field = f"{whole}.columns[{place}]"
        if rule.name in names:
            raise wrong(f"{field}.name", rule.name, "that column was named before")
        names.add(rule.name)
        for name in SHARES:
            _check(f"{field}.{name}", getattr(rule, name), lambda value: 0 <= value <= 1, "it must be from 0 to 1")
        _check(f"{field}.drift_threshold", rule.drift_threshold, lambda value: value >= 0, "it must be 0 or more")
        _check(f"{field}.age_seconds_max", rule.age_seconds_max, lambda value: value > 0, "it must be above 0")
        for name in ("minimum", "maximum"):
            _check(f"{field}.{name}", getattr(rule, name), lambda _: True, "it must be a number")
        if rule.minimum is not None and rule.maximum is not None and rule.minimum > rule.maximum:
            raise wrong(f"{field}.minimum", rule.minimum, f"it must not be above maximum, {rule.maximum}")


def _check_table(read: Constraints, whole: str) -> None:
    for place, columns in enumerate(read.unique_together):
        if not columns or len(set(columns)) != len(columns):
            field = f"{whole}.unique_together[{place}]"
            raise wrong(field, ", ".join(columns), "it must name at least one column, and none twice")
    for place, condition in enumerate(read.conditions):
        field = f"{whole}.conditions[{place}]"
        if not condition.name.strip():
            raise wrong(f"{field}.name", condition.name, "a condition needs a name")
        _check(f"{field}.share_min", condition.share_min, lambda value: 0 <= value <= 1, "it must be from 0 to 1")
    names = [condition.name for condition in read.conditions]
    if len(set(names)) != len(names):
        raise wrong(f"{whole}.conditions", ", ".join(names), "two conditions have the same name")
    for name in ("rows_min", "rows_max", "rows_change_max", "rows"):
        _check(f"{whole}.{name}", getattr(read, name), lambda value: value >= 0, "it must be 0 or more")
    if read.rows_min is not None and read.rows_max is not None and read.rows_min > read.rows_max:
        raise wrong(f"{whole}.rows_min", read.rows_min, f"it must not be above rows_max, {read.rows_max}")


def _check_drift(drift: DriftSettings, field: str) -> None:
    for name in THRESHOLDS:
        _check(f"{field}.{name}", getattr(drift, name), lambda value: value >= 0, "it must be 0 or more")
    _check(f"{field}.false_share", drift.false_share, lambda value: 0 < value < 1, "it must be above 0 and below 1")
    _check(f"{field}.rows_min", drift.rows_min, lambda value: value >= 1, "it must be at least 1")


def _check(field: str, value: Any, fits: Callable[[Any], bool], rule: str) -> None:
    if value is not None and not (math.isfinite(value) and fits(value)):
        raise wrong(field, value, rule)
