"""What a machine may conclude: passed, failed, or undecided with a reason. Undecided never counts as passed."""

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """The three values of a judgement."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome with its reason; an undecided one cannot be made without a reason."""

    outcome: Outcome
    reason: str = ""

    def __post_init__(self) -> None:
        if self.outcome is Outcome.UNDECIDED and not self.reason:
            raise ValueError("An undecided judgement needs a reason: say what is missing.")


def worst(outcomes: list[Outcome]) -> Outcome:
    """Join judgements: one failure fails all, else one undecided leaves all undecided; nothing judged is undecided."""
    if Outcome.FAILED in outcomes:
        return Outcome.FAILED
    if Outcome.UNDECIDED in outcomes or not outcomes:
        return Outcome.UNDECIDED
    return Outcome.PASSED
