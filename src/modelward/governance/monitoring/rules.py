"""What a record, a baseline, a monitor and its window may be. Pure."""

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from modelward.governance.monitoring.entities import CaptureRecord, Monitor, Run, Scalar
from modelward.kernel import codec
from modelward.kernel.clock import timestamp
from modelward.kernel.errors import Invalid
from modelward.kernel.refs import EndpointRef, MonitorRef, RunRef

RECORDS_MAX = 10_000
REJECTED_SHOWN_MAX = 10
FEATURES_MAX = 2_000
NAME_CHARACTERS_MAX = 256
ID_CHARACTERS_MAX = 200
TEXT_CHARACTERS_MAX = 100_000
WINDOW_HOURS_MAX = 24 * 366
LAG_MINUTES_MAX = 7 * 24 * 60
FALSE_ALARMS_MAX = 1000
SEGMENT_COLUMNS_MAX = 3
INTEGER_MAX = 2**63

ID_COLUMN = "inference_id"
TIME_COLUMN = "at"
OUTCOME_COLUMNS = ("prediction", "probability", "label")
# By expressions, since each of thousands of records comes by: control characters, and halves of surrogate pairs.
_UNSHOWN = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_UNKEPT = re.compile("[\x00\ud800-\udfff]")
RESERVED = frozenset({ID_COLUMN, TIME_COLUMN, *OUTCOME_COLUMNS})


class RecordsRejected(Invalid):
    """Some records are not valid, so none was stored."""


def read_records(given: list[dict[str, Any]]) -> list[CaptureRecord]:
    """Read a batch of records, all of them or none.

    Raises:
        RecordsRejected: at least one record is not valid; the message names the first ones with their reasons.
        Invalid: there are none, or too many.
    """
    if not 1 <= len(given) <= RECORDS_MAX:
        raise Invalid(f"{len(given)} records are given; from 1 to {RECORDS_MAX} are taken at once.", field="records")
    records: list[CaptureRecord] = []
    rejected: list[str] = []
    names: set[str] = set()
    for place, each in enumerate(given):
        try:
            records.append(_read_record(each, names))
        except Invalid as problem:
            rejected.append(f"records[{place}]: {problem.message}")
    if rejected:
        shown = " ".join(rejected[:REJECTED_SHOWN_MAX])
        raise RecordsRejected(
            f"{len(rejected)} of {len(given)} records are not valid, and nothing was stored. {shown}",
            field="records",
            hint="Mend them and send the whole batch again; records that were stored before are not stored twice.",
        )
    return records


def _read_record(given: dict[str, Any], names: set[str]) -> CaptureRecord:
    record = codec.convert(given, CaptureRecord, field="the record")
    _check_record(record, names)
    return record


def _check_record(record: CaptureRecord, names: set[str]) -> None:
    if not 1 <= len(record.inference_id) <= ID_CHARACTERS_MAX:
        raise Invalid(f"inference_id must have 1 to {ID_CHARACTERS_MAX} characters.", field="inference_id")
    _check_text(record.inference_id, "inference_id")
    if record.at.tzinfo is None:
        raise Invalid("at has no time zone; write it as in 2026-01-31T12:00:00Z.", field="at")
    if not 1970 <= record.at.year <= 9000:
        raise Invalid(f"at is in the year {record.at.year}; it must be from 1970 on.", field="at")
    # Most records of a batch have the same features: their names are checked once.
    check_features(record.features, known=names)
    _check_value(record.prediction, "prediction")
    _check_value(record.probability, "probability")


def check_features(features: Mapping[str, Any], *, known: set[str] | None = None) -> None:
    """Refuse features whose names or values could not be kept as they are.

    Raises:
        Invalid: there are none, or a name or value breaks its rule.
    """
    if not features:
        raise Invalid("There are no features.", field="features")
    if known is None or not features.keys() <= known or len(features) > FEATURES_MAX:
        check_feature_names(features)
        (known if known is not None else set()).update(features)
    for name, value in features.items():
        if type(value) is not float or not math.isfinite(value):
            _check_value(value, f"features[{name[:60]!r}]")


def check_feature_names(names: Iterable[str]) -> None:
    """Refuse feature names that are empty, overlong, reserved or hold control characters, and too many of them.

    Raises:
        Invalid: a name breaks the rule; the message shows it.
    """
    count = 0
    for name in names:
        count += 1
        shown = repr(name[:60])
        if not name or len(name) > NAME_CHARACTERS_MAX:
            raise Invalid(
                f"The feature name {shown} must have 1 to {NAME_CHARACTERS_MAX} characters.", field="features"
            )
        if name in RESERVED:
            raise Invalid(
                f"A feature cannot be named {shown}: that is one of {', '.join(sorted(RESERVED))}.", field="features"
            )
        _check_text(name, f"the feature name {shown}")
    if count > FEATURES_MAX:
        raise Invalid(f"There are {count} features; at most {FEATURES_MAX} are kept.", field="features")


def check_columns(columns: list[str]) -> None:
    """Refuse an empty list of columns, one that names a column twice, and overlong names.

    Raises:
        Invalid: the list breaks the rule.
    """
    if not columns or len(set(columns)) != len(columns) or len(columns) > FEATURES_MAX:
        raise Invalid("columns must name at least one column, and none twice.", field="columns")
    for name in columns:
        if not name or len(name) > NAME_CHARACTERS_MAX:
            raise Invalid(f"The column {name[:60]!r} must have 1 to {NAME_CHARACTERS_MAX} characters.", field="columns")


def _check_value(value: Scalar, field: str) -> None:
    if value is not None and not isinstance(value, bool | int | float | str):
        raise Invalid(f"{field} is neither a number, a text, a truth value nor null.", field=field)
    if isinstance(value, str):
        if len(value) > TEXT_CHARACTERS_MAX:
            raise Invalid(f"{field} has {len(value)} characters; at most {TEXT_CHARACTERS_MAX} are kept.", field=field)
        if _UNKEPT.search(value):
            raise Invalid(f"{field} holds a character that cannot be kept.", field=field)
    elif isinstance(value, float) and not math.isfinite(value):
        raise Invalid(f"{field} is {value}, which JSON cannot hold; leave a missing value out.", field=field)
    elif isinstance(value, int) and not -INTEGER_MAX <= value < INTEGER_MAX:
        raise Invalid(f"{field} is an integer of more than 64 bits.", field=field)


def _check_text(text: str, field: str) -> None:
    if _UNSHOWN.search(text):
        raise Invalid(f"{field} holds a control character.", field=field)


def check_window(start: datetime, end: datetime) -> None:
    """Refuse a window that is empty, backwards, or longer than a year.

    Raises:
        Invalid: the window breaks the rule.
    """
    if start.tzinfo is None or end.tzinfo is None:
        raise Invalid("The window needs a time zone; write it as in 2026-01-31T00:00:00Z.", field="start")
    if not start < end:
        raise Invalid(f"The window ends at {timestamp(end)}, not after its start {timestamp(start)}.", field="end")
    if end - start > timedelta(hours=WINDOW_HOURS_MAX):
        raise Invalid(f"The window is longer than {WINDOW_HOURS_MAX} hours.", field="end")


def check_monitor(monitor: Monitor) -> None:
    """Refuse a window, a lag, a budget or segments outside their limits.

    Raises:
        Invalid: a number is outside, a budget has no schedule to be spread over, or a segment column breaks its rule.
    """
    if monitor.window_hours is not None and not 1 <= monitor.window_hours <= WINDOW_HOURS_MAX:
        raise Invalid(f"window_hours must be from 1 to {WINDOW_HOURS_MAX}.", field="window_hours")
    if not 0 <= monitor.lag_minutes <= LAG_MINUTES_MAX:
        raise Invalid(f"lag_minutes must be from 0 to {LAG_MINUTES_MAX}.", field="lag_minutes")
    _check_budget(monitor)
    _check_segments(monitor.segments)


def _check_budget(monitor: Monitor) -> None:
    alarms, field = monitor.false_alarms_a_month, "false_alarms_a_month"
    if alarms is None:
        return
    if not 0 < alarms <= FALSE_ALARMS_MAX:
        raise Invalid(f"{field} is {alarms}; it must be above 0 and at most {FALSE_ALARMS_MAX}.", field=field)
    if not monitor.cron:
        raise Invalid(
            f"{field} is {alarms:g}, but the monitor runs on demand only: how many runs share it is not known.",
            field=field,
            hint="Give a cron line too, or leave the budget out.",
        )


def _check_segments(columns: list[str]) -> None:
    if len(columns) > SEGMENT_COLUMNS_MAX or len(set(columns)) != len(columns):
        raise Invalid(
            f"segments names {', '.join(map(repr, columns))[:200]}; at most {SEGMENT_COLUMNS_MAX} different columns can be used.",
            field="segments",
        )
    for name in columns:
        if not name or len(name) > NAME_CHARACTERS_MAX:
            raise Invalid(
                f"segments names {name[:60]!r}; a column has 1 to {NAME_CHARACTERS_MAX} characters.", field="segments"
            )


def window_of_slot(
    monitor: Monitor, slot: datetime, *, last_end: datetime | None, slot_before: datetime
) -> tuple[datetime, datetime]:
    """The window that a slot looks at.

    Without ``window_hours`` it begins where the last scheduled window ended, else at the slot before this one.
    """
    lag = timedelta(minutes=monitor.lag_minutes)
    end = slot - lag
    if monitor.window_hours is not None:
        return end - timedelta(hours=monitor.window_hours), end
    start = last_end if last_end is not None and last_end < end else slot_before - lag
    return max(start, end - timedelta(hours=WINDOW_HOURS_MAX)), end


def run_id(monitor: MonitorRef, start: datetime, end: datetime, attempt: int) -> RunRef:
    """The id of a run: the same monitor, window and attempt always have the same one."""
    told = f"{monitor}\n{timestamp(start)}\n{timestamp(end)}\n{attempt}"
    return RunRef(f"run-{hashlib.sha256(told.encode()).hexdigest()[:26]}")


def cause_of(run: Run, *, shown: int = 3) -> str:
    """What a run found, in a sentence or three: the worst findings with their figures."""
    texts = [finding.text for finding in run.findings[:shown]]
    more = run.violations + len(run.drifted) - len(texts)
    return " ".join([*texts, *([f"And {more} more."] if more > 0 else [])]) or run.reason


def file_id(endpoint: EndpointRef, *facts: str) -> str:
    """The id of a file of captured records: the same facts always have the same one."""
    return f"captures-{hashlib.sha256(chr(10).join([endpoint, *facts]).encode()).hexdigest()[:26]}"


def hour_of(moment: datetime) -> datetime:
    """The full hour in UTC in which a moment lies."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
