"""Has some group of rows drifted, though the table as a whole may not have? Judges the segments of two profiles."""

import msgspec

from modelward.analysis.checking.constraints import ColumnConstraints, DriftSettings
from modelward.analysis.checking.drift import DriftVerdict, verdicts
from modelward.analysis.checking.judging import Judged
from modelward.analysis.profiles import Profile
from modelward.analysis.segments import Segment, Segments
from modelward.kernel.outcome import Outcome, worst

CHECK = "drift by segment"
TOLD_MAX = 20


class SegmentVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The drift verdicts of one group against the same group of the baseline: those that failed, and how many there were."""

    values: tuple[str | None, ...]
    rows: int
    baseline_rows: int
    outcome: Outcome
    compared: int
    drift: tuple[DriftVerdict, ...] = ()


def comparable(current: Profile, baseline: Profile | None) -> bool:
    """Whether both profiles are by the same columns."""
    if current.segments is None or baseline is None or baseline.segments is None:
        return False
    return current.segments.by == baseline.segments.by


def segment_verdicts(
    current: Segments,
    baseline: Segments,
    settings: DriftSettings,
    rules: dict[str, ColumnConstraints],
    level: float,
    judged: Judged,
) -> tuple[SegmentVerdict, ...]:
    """Judge every group that both sides have; the chance of a false alarm is shared evenly among them."""
    before = {group.values: group for group in baseline.groups}
    both = [group for group in current.groups if group.values in before]
    _tell_others(current, before, judged)
    found = []
    few: list[tuple[Segment, Segment]] = []
    for group in both:
        against = before[group.values]
        drift, _ = verdicts(_as_profile(against), _as_profile(group), settings, rules, level / len(both))
        thin = min(group.rows, against.rows) < settings.rows_min
        if thin:
            few.append((group, against))
        found.append(
            SegmentVerdict(
                values=group.values,
                rows=group.rows,
                baseline_rows=against.rows,
                outcome=Outcome.UNDECIDED if thin or not drift else worst([verdict.outcome for verdict in drift]),
                compared=len(drift),
                drift=tuple(verdict for verdict in drift if verdict.outcome is Outcome.FAILED),
            )
        )
    _tell_few(current.by, few, settings.rows_min, judged)
    return tuple(found)


def _as_profile(group: Segment) -> Profile:
    return Profile(rows=group.rows, columns=group.columns)


def _tell_others(current: Segments, before: dict[tuple[str | None, ...], Segment], judged: Judged) -> None:
    new = [group for group in current.groups if group.values not in before]
    for group in new[:TOLD_MAX]:
        judged.skip(told(current.by, group.values), CHECK, f"its {group.rows} rows have no such group in the baseline")
    if len(new) > TOLD_MAX:
        judged.skip("", CHECK, f"{len(new) - TOLD_MAX} more groups are not in the baseline")
    there = {group.values for group in current.groups}
    gone = [values for values in before if values not in there]
    for values in gone[:TOLD_MAX]:
        judged.skip(told(current.by, values), CHECK, "no row of the current data is in it")
    if len(gone) > TOLD_MAX:
        judged.skip("", CHECK, f"{len(gone) - TOLD_MAX} more groups of the baseline have no row")
    if current.pooled is not None:
        judged.skip("", CHECK, f"{current.pooled.rows} rows stand in groups beyond the {current.limit} that are kept")


def _tell_few(by: tuple[str, ...], few: list[tuple[Segment, Segment]], least: int, judged: Judged) -> None:
    for group, against in few[:TOLD_MAX]:
        rows, side = (group.rows, "current data") if group.rows < least else (against.rows, "baseline")
        judged.skip(told(by, group.values), CHECK, f"it has {rows} rows in the {side}; at least {least} are needed")
    if len(few) > TOLD_MAX:
        judged.skip("", CHECK, f"{len(few) - TOLD_MAX} more groups have fewer than {least} rows")


def told(by: tuple[str, ...], values: tuple[str | None, ...]) -> str:
    """A group in words."""
    return ", ".join(f"{name} = {value}" for name, value in zip(by, values, strict=True))
