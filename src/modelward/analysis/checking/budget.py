"""At most so many false alarms a month, however often one looks; and small changes that only many runs show.

The budget is spent evenly: a run may raise a false alarm with the chance ``alarms / runs``, over all columns together (the
step-up rule of Benjamini & Hochberg at that level, which under no change at all is the chance of any alarm). Expected
numbers add up whatever the runs have in common - one baseline serves them all - so the expected number of false alarms
keeps the budget at every moment, with no assumption on how runs depend on each other.

One run alone sees only large changes. Profiles add up, so the last 2, 4, 8, ... 256 runs are also judged together, as one
table, each time that so many have come. Half of the budget belongs to single runs, the other half in equal parts to the
eight lengths; 2^k runs together are judged 2^k times as seldom, so each judgement may take 2^k times the chance.

Each run that was planned earns its part of the budget, and each judgement spends of it. A run beyond the plan earns nothing:
it is judged by what the runs before it left over, so that looking more often than declared makes alarms no more frequent.
What is spent never exceeds what was earned. Another look at the same rows is no further chance to err, and spends nothing.

The promise is about rows that are drawn independently of each other: within a window, and from one window to the next.
Where neighbouring rows resemble each other a window holds less than its rows say, and chance explains more.
"""

import zlib
from enum import StrEnum

import msgspec

from modelward.analysis.checking.checks import CheckReport, RunsVerdict, check
from modelward.analysis.checking.constraints import LEVEL_MAX, Constraints, DriftSettings
from modelward.analysis.checking.drift import verdicts
from modelward.analysis.checking.judging import Unchecked
from modelward.analysis.checking.spending import TOGETHER, Share
from modelward.analysis.profiles import Profile
from modelward.kernel.errors import Invalid
from modelward.kernel.outcome import Outcome

MAGIC = b"MWRUNS"
VERSION = 1
LENGTHS = 8
"""Up to 2^8 = 256 runs are judged together."""
PAST_MAX = 60
"""Of how many runs it is kept what they spent."""
LEAST_PART = 0.02
"""A judgement that would get less than this part of its chance is not made: it could find nothing."""
SPENT = "the runs of this month have spent the budget of false alarms; one more look would exceed it"


class Standing(StrEnum):
    """What a run is to the runs before it.

    ``new``: its rows were not judged before. ``planned``: it belongs to the schedule, but shares rows with runs before it.
    ``extra``: somebody asked for it beyond the schedule, and it shares rows with others. ``again``: another look at a
    window. Only new runs are judged together with others, and only new and planned ones earn.
    """

    NEW = "new"
    PLANNED = "planned"
    EXTRA = "extra"
    AGAIN = "again"


class RunHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The runs since the last alarm, added up: ``parts[k]`` holds 2^k of them or none, as the digits of a binary number.

    ``earned`` and ``spent``: the expected false alarms that all runs so far were given and took, alarms or not. ``past``:
    both (spent, earned) after each of the last runs.
    """

    runs: int = 0
    parts: tuple[Profile | None, ...] = ()
    earned: float = 0.0
    spent: float = 0.0
    past: tuple[tuple[float, float], ...] = ()

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
        return msgspec.structs.replace(self, runs=self.runs + 1, parts=tuple(parts)), full

    def begun_anew(self) -> "RunHistory":
        """The history after an alarm: no runs, but what was earned and spent."""
        return RunHistory(earned=self.earned, spent=self.spent, past=self.past)

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
    standing: Standing = Standing.NEW,
) -> tuple[CheckReport, RunHistory]:
    """Judge a run alone and together with those before it; tell the history to keep for the next run.

    After a drift alarm the history begins anew: what is known is not told again. A run whose columns cannot be added to
    those before it begins anew too.

    Args:
        current: the table of this run.
        baseline: what it is compared with.
        constraints: what it must keep, with the budget.
        history: the runs before.
        at: the moment of the check, in seconds since 1970.
        standing: what it is to the runs before.

    Raises:
        Invalid: the constraints name no budget.
    """
    settings = constraints.drift
    single = level_of(settings, 1)
    if standing is Standing.AGAIN:
        return _again(check(current, baseline, constraints, at=at, level=single), history), history
    if standing is not Standing.EXTRA:
        history = _earned(history, settings)
    joins = standing is Standing.NEW and baseline is not None and settings.enabled
    history, full, notes = _joined(history, current, joins)
    planned = single + sum(level_of(settings, runs) for runs, _ in full)
    part = min(1.0, max(0.0, history.earned - history.spent + 1e-12) / planned)
    if part < LEAST_PART:
        without = msgspec.structs.replace(constraints, drift=msgspec.structs.replace(settings, enabled=False))
        report = check(current, baseline, without, at=at, level=single * LEAST_PART)
        return _unspent(report, history), history
    report = check(current, baseline, constraints, at=at, level=single * part)
    if report.budget is None:
        return report, history
    before = history.spent
    spent = report.budget.spent
    found, shares = _together(baseline, constraints, full, part) if baseline is not None else ((), ())
    spent += sum(share.chance for share in shares)
    budget = msgspec.structs.replace(
        report.budget, spent=spent, spent_before=before, earned=history.earned, shares=(*report.budget.shares, *shares)
    )
    past = (*history.past, (before + spent, history.earned))[-PAST_MAX:]
    budget = msgspec.structs.replace(budget, past=past)
    report = msgspec.structs.replace(report, budget=budget, unchecked=(*report.unchecked, *notes))
    if found:
        report = _with_runs(report, found)
    history = msgspec.structs.replace(history, spent=before + spent, past=past)
    drifted = any(verdict.outcome is Outcome.FAILED for verdict in report.drift)
    return report, history.begun_anew() if found or drifted else history


def _earned(history: RunHistory, settings: DriftSettings) -> RunHistory:
    alarms, runs = settings.false_alarms_a_month, settings.runs_a_month
    return msgspec.structs.replace(history, earned=history.earned + (alarms or 0.0) / (runs or 1.0))


def _again(report: CheckReport, history: RunHistory) -> CheckReport:
    if report.budget is None:
        return report
    budget = msgspec.structs.replace(report.budget, spent=0.0, earned=history.earned, spent_before=history.spent)
    return msgspec.structs.replace(report, budget=budget)


def _joined(
    history: RunHistory, current: Profile, joins: bool
) -> tuple[RunHistory, list[tuple[int, Profile]], list[Unchecked]]:
    """The history with this run, the lengths that are now full, and what could not be done."""
    if not joins or current.rows == 0:
        return history, [], []
    # What is drawn from the rows themselves is not needed again.
    kept = msgspec.structs.replace(current, segments=None, rules={}, notes=())
    try:
        return *history.with_run(kept), []
    except Invalid as problem:
        anew, full = history.begun_anew().with_run(kept)
        reason = f"its columns cannot be added to those of the runs before, so counting begins anew: {problem.message}"
        return anew, full, [Unchecked("", TOGETHER, reason)]


def _together(
    baseline: Profile, constraints: Constraints, full: list[tuple[int, Profile]], part: float
) -> tuple[tuple[RunsVerdict, ...], tuple[Share, ...]]:
    """What the lengths that are full say, and what they took."""
    rules = {rule.name: rule for rule in constraints.columns}
    found, shares = [], []
    for runs, together in full:
        level = level_of(constraints.drift, runs) * part
        judged, _ = verdicts(baseline, together, constraints.drift, rules, level)
        failed = tuple(verdict for verdict in judged if verdict.outcome is Outcome.FAILED)
        if judged:
            shares.append(Share(kind=f"{TOGETHER}: {runs}", chance=level, questions=len(judged)))
        if failed:
            found.append(RunsVerdict(runs=runs, rows=together.rows, drift=failed))
    return tuple(found), tuple(shares)


def _unspent(report: CheckReport, history: RunHistory) -> CheckReport:
    """A report without drift, because nothing is left to spend: told, and undecided unless a rule is broken."""
    unchecked = tuple(each for each in report.unchecked if each.check != "drift" or each.column)
    unchecked = (*unchecked, Unchecked("", "drift", SPENT))
    if report.budget is not None:
        budget = msgspec.structs.replace(report.budget, earned=history.earned, spent_before=history.spent)
        report = msgspec.structs.replace(report, budget=budget)
    if report.outcome is Outcome.FAILED:
        return msgspec.structs.replace(report, unchecked=unchecked)
    reason = f"Drift was not judged: {SPENT}."
    return msgspec.structs.replace(report, unchecked=unchecked, outcome=Outcome.UNDECIDED, reason=reason)


def _with_runs(report: CheckReport, found: tuple[RunsVerdict, ...]) -> CheckReport:
    columns = list(dict.fromkeys(verdict.column for each in found for verdict in each.drift))
    told = f"Over the last {found[-1].runs} runs together {len(columns)} columns drifted, first {columns[0]!r}."
    reason = f"{report.reason} {told}" if report.outcome is Outcome.FAILED else told
    return msgspec.structs.replace(report, outcome=Outcome.FAILED, reason=reason, over_runs=found)
