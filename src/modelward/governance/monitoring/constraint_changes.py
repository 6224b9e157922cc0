"""Constraints that a person gives to a baseline: read strictly, held against the baseline, kept as a new version."""

from typing import Any

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
    from modelward.analysis import Profile
    from modelward.analysis.checking.constraint_reading import read_constraints as read_strictly

    field = "constraints"
    read = read_strictly(given, field=field)
    if len(read.columns) > COLUMNS_MAX or len(read.conditions) + len(read.unique_together) > TABLE_RULES_MAX:
        raise Invalid(f"At most {COLUMNS_MAX} columns and {TABLE_RULES_MAX} table rules are kept.", field=field)
    seen = Profile.from_bytes(profile)
    known = {*seen.columns, *OUTCOME_COLUMNS}
    _check_columns(read, known)
    _check_rules(read, seen)
    return codec.canonical(read)


def _check_columns(read: Any, known: set[str]) -> None:
    for place, rule in enumerate(read.columns):
        _check_known(f"constraints.columns[{place}].name", rule.name, known)
    for place, columns in enumerate(read.unique_together):
        for name in columns:
            _check_known(f"constraints.unique_together[{place}]", name, known)


def _check_known(field: str, name: str, known: set[str]) -> None:
    if name not in known:
        shown = ", ".join(sorted(known)[:20]) + (", ..." if len(known) > 20 else "")
        rule = f"the baseline has no such column; it has {shown}"
        raise Invalid(f"{field} is {name[:200]!r}; {rule}.", field=field)


def _check_rules(read: Any, seen: Any) -> None:
    """Make every rule over rows ready to count, and hold the conditions against the types of the baseline.

    Raises:
        Invalid: a pattern is no regular expression, or a condition is not allowed or does not fit.
    """
    from modelward.analysis import counted_rules
    from modelward.analysis.row_rules import tally_of

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
