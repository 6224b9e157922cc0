"""At most so many false drift alarms a month, however often one looks; and small changes that only many runs show.

The budget is spent evenly: a run may raise a false alarm with the chance ``alarms / runs``, over all columns together (the
step-up rule of Benjamini & Hochberg at that level, which under no change at all is the chance of any alarm). Expected
numbers add up whatever the runs have in common - one baseline serves them all - so the expected number of false alarms in
a month keeps the budget at every moment, with no assumption on how runs depend on each other.

One run alone sees only large changes. Profiles add up, so the last 2, 4, 8, ... 256 runs are also judged together, as one
table, each time that so many have come. Half of the budget belongs to single runs, the other half in equal parts to the
eight lengths; 2^k runs together are judged 2^k times as seldom, so each judgement may take 2^k times the chance.
"""

import zlib

import msgspec

from modelward.analysis.checking import CheckReport, RunsVerdict, check
from modelward.analysis.constraints import LEVEL_MAX, Constraints, DriftSettings
from modelward.analysis.drift import verdicts
from modelward.analysis.profiles import Profile
from modelward.kernel.errors import Invalid
from modelward.kernel.outcome import Outcome

MAGIC = b"MWRUNS"
VERSION = 1
LENGTHS = 8
"""Up to 2^8 = 256 runs are judged together."""


class RunHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The runs since the last alarm, added up: ``parts[k]`` holds 2^k of them or none, as the digits of a binary number."""

    runs: int = 0
    parts: tuple[Profile | None, ...] = ()

    def with_run(self, current: Profile) -> tuple["RunHistory", list[tuple[int, Profile]]]:
        """Add a run; tell the lengths that are now full, with their sums."""
        parts = list(self.parts)
        full = []
        length, carried = 0, current
        while length < LENGTHS and length < len(parts) and parts[length] is not None:
            before = parts[length]
            assert before is not None
            carried, parts[length] = before + carried, None
            length += 1
            full.append((2**length, carried))
        if length < LENGTHS:
            parts += [None] * (length + 1 - len(parts))
            parts[length] = carried
        return RunHistory(runs=self.runs + 1, parts=tuple(parts)), full

    def to_bytes(self) -> bytes:
        """Write the history in a form of its own: ``MWRUNS``, a version, packed MessagePack."""
        return MAGIC + VERSION.to_bytes(2, "big") + zlib.compress(msgspec.msgpack.encode(self), 6)

    @classmethod
    def from_bytes(cls, data: bytes) -> "RunHistory":
        """Read what ``to_bytes`` wrote.

        Raises:
            Invalid: not a history of runs, a version this release does not know, or damaged bytes.
        """
        if data[:6] != MAGIC or int.from_bytes(data[6:8], "big") != VERSION:
            raise Invalid("These bytes are not a history of runs that this release reads.", hint="Begin a new one.")
        try:
            return msgspec.msgpack.decode(zlib.decompress(data[8:]), type=cls)
        except (zlib.error, msgspec.DecodeError) as problem:
            raise Invalid(f"The history of runs is damaged: {problem}.", hint="Begin a new one.") from problem


def level_of(settings: DriftSettings, runs: int) -> float:
    """The chance of a false alarm that one judgement of so many runs together may take.

    Raises:
        Invalid: the settings name no budget.
    """
    if settings.false_alarms_a_month is None or settings.runs_a_month is None:
        raise Invalid(
            "The constraints name no budget of false alarms.",
            field="drift.false_alarms_a_month",
            hint="Give drift.false_alarms_a_month and drift.runs_a_month.",
        )
    single = settings.false_alarms_a_month / settings.runs_a_month / 2
    return min(LEVEL_MAX, single if runs == 1 else single * runs / LENGTHS)


def check_run(
    current: Profile,
    baseline: Profile | None,
    constraints: Constraints,
    history: RunHistory,
    *,
    at: float | None = None,
) -> tuple[CheckReport, RunHistory]:
    """Judge a run alone and together with those before it; tell the history to keep for the next run.

    After a drift alarm the history begins anew: what is known is not told again. A run whose columns cannot be added to
    those before it begins anew too.

    Raises:
        Invalid: the constraints name no budget.
    """
    settings = constraints.drift
    report = check(current, baseline, constraints, at=at, level=level_of(settings, 1))
    if baseline is None or current.rows == 0 or not settings.enabled:
        return report, history
    # What is drawn from the rows themselves is not needed again.
    kept = msgspec.structs.replace(current, segments=None, rules={}, notes=())
    try:
        history, full = history.with_run(kept)
    except Invalid:
        history, full = RunHistory().with_run(kept)
    rules = {rule.name: rule for rule in constraints.columns}
    found = []
    for runs, together in full:
        judged, _ = verdicts(baseline, together, settings, rules, level_of(settings, runs))
        failed = tuple(verdict for verdict in judged if verdict.outcome is Outcome.FAILED)
        if failed:
            found.append(RunsVerdict(runs=runs, rows=together.rows, drift=failed))
    if found:
        report = _with_runs(report, tuple(found))
    alarmed = found or any(verdict.outcome is Outcome.FAILED for verdict in report.drift)
    return report, RunHistory() if alarmed else history


def _with_runs(report: CheckReport, found: tuple[RunsVerdict, ...]) -> CheckReport:
    columns = list(dict.fromkeys(verdict.column for each in found for verdict in each.drift))
    told = f"Over the last {found[-1].runs} runs together {len(columns)} columns drifted, first {columns[0]!r}."
    reason = f"{report.reason} {told}" if report.outcome is Outcome.FAILED else told
    return msgspec.structs.replace(report, outcome=Outcome.FAILED, reason=reason, over_runs=found)
