"""Constraints that a person gives to a baseline: read strictly, held against the baseline, kept as a new version."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from modelward.governance.access.permissions import Permission, require
from modelward.governance.monitoring import store, use_cases
from modelward.governance.monitoring.entities import Baseline, BaselineConstraintsChanged
from modelward.governance.monitoring.rules import OUTCOME_COLUMNS
from modelward.kernel import codec
from modelward.kernel.errors import Conflict, Invalid
from modelward.kernel.refs import BaselineRef, Digest
from modelward.storage.work import Work

NOTE_CHARACTERS_MAX = 2_000
COLUMNS_MAX = 20_000
TABLE_RULES_MAX = 1_000
SHARES = ("completeness_min", "values_share_min", "range_share_min", "unique_share_min", "pattern_share_min")
BEYOND_0 = ("numeric_threshold", "shift_threshold", "categorical_threshold", "missing_threshold", "false_share")


class NoConstraints(Conflict):
    """This baseline has no constraints yet."""


class ConstraintsMoved(Conflict):
    """The constraints were changed by somebody else meanwhile."""


def profile_to_hold_against(work: Work, name: BaselineRef) -> Digest:
    """The digest of the profile that new constraints of a baseline are read with.

    Raises:
        NoConstraints: the baseline is not ready.
    """
    require(work, Permission.MONITOR_MANAGE, on=name)
    found = use_cases.get_baseline(work, name)
    if found.constraints is None or found.profile is None:
        raise NoConstraints(f"The baseline {name} is {found.state.value} and has no constraints.", field="baseline")
    return found.profile


def change_constraints(
    work: Work, name: BaselineRef, written: bytes, *, note: str = "", replaces: Digest | None = None
) -> Baseline:
    """Let a baseline's data keep other constraints: the next runs are judged by them, those before stay as they are.

    Args:
        work: the transaction.
        name: the baseline.
        written: all constraints, as ``read_constraints`` tells them. It takes too long for a transaction.
        note: why, for the event log.
        replaces: the digest of those that were edited; refused if there are others by now. None: whatever there is.

    Raises:
        NoConstraints: the baseline is not ready.
        ConstraintsMoved: ``replaces`` are no longer the constraints.
        Invalid: the note is too long.
    """
    profile_to_hold_against(work, name)
    found = use_cases.get_baseline(work, name)
    assert found.constraints is not None
    if replaces is not None and replaces != found.constraints:
        raise ConstraintsMoved(
            f"The constraints of {name} are {found.constraints} by now, not {replaces}.",
            field="body.replaces",
            hint="Read them again and make your change to those.",
        )
    if len(note) > NOTE_CHARACTERS_MAX:
        raise Invalid(f"note has {len(note)} characters; at most {NOTE_CHARACTERS_MAX} are kept.", field="body.note")
    digest, _ = work.blobs.put(written)
    if digest == found.constraints:
        return found
    version = found.constraints_version + 1
    changed: Baseline = replace(found, constraints=digest, constraints_version=version)
    store.put_baseline(work, changed)
    work.record(
        BaselineConstraintsChanged(
            baseline=name, version=version, constraints=digest, constraints_before=found.constraints, note=note
        )
    )
    return changed


def read_constraints(given: dict[str, Any], profile: bytes) -> bytes:
    """Read constraints for the data of a profile, and write them as they are kept.

    Raises:
        Invalid: a field is unknown, of the wrong kind or breaks its rule; the message names field, value and rule.
    """
    # The numbers cost time and memory to load: only who changes constraints pays.
    from modelward.analysis import Constraints, Profile

    field = "constraints"
    _no_unknown(given, Constraints, field)
    read = codec.convert(given, Constraints, field=field)
    if read.version != 1:
        raise _wrong(f"{field}.version", read.version, "it must be 1, the only form there is")
    if len(read.columns) > COLUMNS_MAX or len(read.conditions) + len(read.unique_together) > TABLE_RULES_MAX:
        raise Invalid(f"At most {COLUMNS_MAX} columns and {TABLE_RULES_MAX} table rules are kept.", field=field)
    seen = Profile.from_bytes(profile)
    known = {*seen.columns, *OUTCOME_COLUMNS}
    _check_columns(read, known)
    _check_table(read, known)
    _check_drift(read.drift)
    _check_rules(read, seen)
    return codec.canonical(read)


def _wrong(field: str, value: object, rule: str) -> Invalid:
    return Invalid(f"{field} is {str(value)[:200]!r}; {rule}.", field=field)


def _no_unknown(given: object, kind: Any, field: str) -> None:
    """A misspelt rule would not be judged, and nobody would know."""
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


def _check_columns(read: Any, known: set[str]) -> None:
    names: set[str] = set()
    for place, rule in enumerate(read.columns):
        field = f"constraints.columns[{place}]"
        if rule.name in names:
            raise _wrong(f"{field}.name", rule.name, "that column was named before")
        names.add(rule.name)
        _check_known(f"{field}.name", rule.name, known)
        for name in SHARES:
            _check(f"{field}.{name}", getattr(rule, name), lambda value: 0 <= value <= 1, "it must be from 0 to 1")
        for name in ("drift_threshold", "age_seconds_max"):
            _check(f"{field}.{name}", getattr(rule, name), lambda value: value > 0, "it must be above 0")
        for name in ("minimum", "maximum"):
            _check(f"{field}.{name}", getattr(rule, name), lambda _: True, "it must be a number")
        if rule.minimum is not None and rule.maximum is not None and rule.minimum > rule.maximum:
            raise _wrong(f"{field}.minimum", rule.minimum, f"it must not be above maximum, {rule.maximum}")


def _check_table(read: Any, known: set[str]) -> None:
    for place, columns in enumerate(read.unique_together):
        field = f"constraints.unique_together[{place}]"
        if not columns or len(set(columns)) != len(columns):
            raise _wrong(field, ", ".join(columns), "it must name at least one column, and none twice")
        for name in columns:
            _check_known(field, name, known)
    for place, condition in enumerate(read.conditions):
        field = f"constraints.conditions[{place}]"
        if not condition.name.strip():
            raise _wrong(f"{field}.name", condition.name, "a condition needs a name")
        _check(f"{field}.share_min", condition.share_min, lambda value: 0 <= value <= 1, "it must be from 0 to 1")
    for name in ("rows_min", "rows_max", "rows_change_max", "rows"):
        _check(f"constraints.{name}", getattr(read, name), lambda value: value >= 0, "it must be 0 or more")
    if read.rows_min is not None and read.rows_max is not None and read.rows_min > read.rows_max:
        raise _wrong("constraints.rows_min", read.rows_min, f"it must not be above rows_max, {read.rows_max}")


def _check_drift(drift: Any) -> None:
    for name in BEYOND_0:
        _check(f"constraints.drift.{name}", getattr(drift, name), lambda value: value > 0, "it must be above 0")
    if drift.false_share >= 1:
        raise _wrong("constraints.drift.false_share", drift.false_share, "it must be below 1")
    _check("constraints.drift.rows_min", drift.rows_min, lambda value: value >= 1, "it must be at least 1")


def _check(field: str, value: Any, fits: Callable[[Any], bool], rule: str) -> None:
    if value is not None and not (math.isfinite(value) and fits(value)):
        raise _wrong(field, value, rule)


def _check_known(field: str, name: str, known: set[str]) -> None:
    if name not in known:
        shown = ", ".join(sorted(known)[:20]) + (", ..." if len(known) > 20 else "")
        raise _wrong(field, name, f"the baseline has no such column; it has {shown}")


def _check_rules(read: Any, seen: Any) -> None:
    """Make every rule over rows ready to count, and hold the conditions against the types of the baseline.

    Raises:
        Invalid: a pattern is no regular expression, or a condition is not allowed or does not fit.
    """
    from modelward.analysis import counted_rules
    from modelward.analysis.row_rules import tally_of

    names = [condition.name for condition in read.conditions]
    if len(set(names)) != len(names):
        raise _wrong("constraints.conditions", ", ".join(names), "two conditions have the same name")
    known = {*seen.columns, *OUTCOME_COLUMNS}
    for rule in counted_rules(read):
        tally = tally_of(rule)
        for column in tally.columns:
            _check_known(rule.name, column, known)
        if set(tally.columns) <= set(seen.columns):
            tally.add(_nothing(tally.columns, seen))


def _nothing(columns: tuple[str, ...], seen: Any) -> Any:
    """A table with no rows whose columns have the types that the profile tells."""
    import pyarrow as pa

    types = {
        "integral": pa.int64(), "fractional": pa.float64(), "boolean": pa.bool_(),
        "timestamp": pa.timestamp("us", tz="UTC"),
    }  # fmt: skip
    schema = pa.schema([(name, types.get(seen.columns[name].kind.value, pa.string())) for name in columns])
    return pa.RecordBatch.from_pylist([], schema=schema)
