"""What a check of `modelward doctor` says: an outcome, a sentence, and what to do next."""

import msgspec

from modelward.kernel.outcome import Outcome


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What one check found, and what to do next where something is to be done."""

    name: str
    outcome: Outcome
    told: str
    next: str = ""


def passed(name: str, told: str) -> Checked:
    """A check that found all well."""
    return Checked(name=name, outcome=Outcome.PASSED, told=told)


def failed(name: str, told: str, *, next: str) -> Checked:
    """A check that found something wrong."""
    return Checked(name=name, outcome=Outcome.FAILED, told=told, next=next)


def undecided(name: str, told: str, *, next: str) -> Checked:
    """A check that could not be made, with the reason."""
    return Checked(name=name, outcome=Outcome.UNDECIDED, told=told, next=next)


def short(problem: object) -> str:
    """The words of an error on one line, without the statement that caused it."""
    text = " ".join(str(problem).split("\n[SQL")[0].split())
    return text if len(text) <= 300 else text[:297] + "..."
