"""What a run may say by chance alone: which verdicts share the budget of false alarms, which lie outside it, and in words.

Verdicts that infer something from a sample can be wrong by chance: drift, in the whole table and in its groups, and limits
that a *share* of the rows must keep. They share the budget. Rules that are read as they stand - a type, a column that is
missing, a pattern, a repetition, a condition, a number of rows, an age, a limit for every row - are broken in these very
rows or are not: no chance is involved, so no budget applies.
"""

import math

import msgspec

from modelward.analysis.checking.chances import binomial_tail

LIMITS_SHARE = 0.2
"""The part of a run's chance that belongs to limits of a share, where there are any; the rest is for drift."""
SEGMENTS_SHARE = 0.5
"""The part of the chance for drift that belongs to groups of rows, where there are any."""
LIMIT_CHANCE = 0.01
"""How likely a share below its limit must be by chance to be let pass, where there is no budget."""

DRIFT, GROUPS, TOGETHER, LIMITS = "drift", "drift by group", "drift over runs together", "limits of a share"
OUTSIDE = (
    ("rules", "types, columns, patterns, repetitions, conditions, rows and ages are read as they stand: no chance is involved"),
    ("evaluations", "quality, bias and the classifier over all columns are asked for once and state their own chance or interval"),
)  # fmt: skip


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of verdict may take of a run's chance of a false alarm, and over how many questions it is weighed."""

    kind: str
    chance: float
    questions: int


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What a run may say by chance.

    ``false_alarms_a_month`` over ``runs_a_month``: what is declared; both None where each run is judged for itself.
    ``spent``: the chance that this run took, in expected false alarms; ``shares``: by which verdicts. ``columns``: how
    many were compared. Over all runs that carry this budget: ``earned``, the false alarms that the budget allows for so
    many runs, and ``spent_before``, what the runs before this one took of it; both None where they are not counted.
    ``past``: both totals after each of the last runs, this one the last, for drawing. ``outside``: kinds of verdicts that the
    budget does not cover, and why.
    """

    false_alarms_a_month: float | None
    runs_a_month: float | None
    columns: int
    spent: float
    shares: tuple[Share, ...]
    earned: float | None = None
    spent_before: float | None = None
    past: tuple[tuple[float, float], ...] = ()
    outside: tuple[tuple[str, str], ...] = OUTSIDE

    @property
    def sentence(self) -> str:
        """The budget and what this run took of it, in a sentence or two."""
        columns = f"{self.columns} column" + ("" if self.columns == 1 else "s")
        if self.false_alarms_a_month is None:
            return f"No budget over a month: this run may raise a false alarm over {columns} with a chance of {told_share(self.spent)}."
        alarms = f"{self.false_alarms_a_month:g} false alarm" + ("" if self.false_alarms_a_month == 1 else "s")
        words = f"Budget: at most {alarms} a month over {columns}; this run spent {told_number(self.spent)}."
        if self.earned is None or self.spent_before is None:
            return words
        so_far = told_number(self.spent_before + self.spent)
        return f"{words} So far {so_far} of {told_number(self.earned)} that the runs up to now may spend."


def told_number(value: float) -> str:
    """Two significant digits, written out."""
    if value <= 0:
        return "0"
    return f"{float(f'{value:.2g}'):.10f}".rstrip("0").rstrip(".") if value >= 1e-6 else f"{value:.1g}"


def told_share(value: float) -> str:
    """A chance in percent."""
    return f"{told_number(value * 100)} %"


class Levels(msgspec.Struct, frozen=True, kw_only=True):
    """The chances that the parts of one judgement may take. ``limit``: of each single limit of a share."""

    drift: float
    segments: float
    limit: float
    budgeted: bool


def divided(level: float, *, limits: int, segments: bool, budgeted: bool) -> Levels:
    """Divide a run's chance among its kinds of verdicts. Without a budget limits of a share have a chance of their own."""
    of_limits = level * LIMITS_SHARE if limits and budgeted else 0.0
    drift = level - of_limits
    of_segments = drift * SEGMENTS_SHARE if segments else 0.0
    limit = of_limits / limits if of_limits else LIMIT_CHANCE
    return Levels(drift=drift - of_segments, segments=of_segments, limit=limit, budgeted=budgeted)


def keeps_limit(kept: int, rows: int, least: float, chance: float) -> bool:
    """Whether so many kept rows agree with a limit: at least this share, or less but by chance.

    A limit of 1 allows no exception. Below it a smaller share is let pass while chance gives as small a one with more than
    ``chance`` where the limit is just kept.
    """
    if kept >= least * rows - 1e-9:
        return True
    if least >= 1 or not math.isfinite(least):
        return False
    return binomial_tail(rows - kept, rows, 1 - least) > chance
