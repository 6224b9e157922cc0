"""What a check says: violations, what was not checked, and the gathering of both."""

import msgspec

from modelward.kernel.outcome import Outcome


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that the data breaks: which column, which check, in a sentence, what was seen and what was expected."""

    column: str
    check: str
    description: str
    observed: str
    expected: str


class Unchecked(msgspec.Struct, frozen=True, array_like=False):
    """A check that was not made, and why."""

    column: str
    check: str
    reason: str


class Judged:
    """Gathers what was found, check by check."""

    def __init__(self) -> None:
        """Begin with nothing judged."""
        self.violations: list[Violation] = []
        self.unchecked: list[Unchecked] = []
        self.wanting: list[Unchecked] = []
        self.made = 0

    def rule(self, kept: bool, column: str, check: str, description: str, observed: object, expected: object) -> None:
        """Note a check that was made."""
        self.made += 1
        if not kept:
            self.violations.append(
                Violation(
                    column=column,
                    check=check,
                    description=description,
                    observed=_shown(observed),
                    expected=_shown(expected),
                )
            )

    def skip(self, column: str, check: str, reason: str) -> None:
        """Note a check that was not made and did not have to be."""
        self.unchecked.append(Unchecked(column, check, reason))

    def cannot(self, column: str, check: str, reason: str) -> None:
        """Note a check that was asked for and could not be made: without a failure the whole is undecided."""
        self.skip(column, check, reason)
        self.wanting.append(self.unchecked[-1])

    def outcomes(self) -> list[Outcome]:
        """Failed with a violation, undecided with a check that could not be made, else passed; nothing for no checks."""
        if self.violations:
            return [Outcome.FAILED]
        if self.wanting:
            return [Outcome.UNDECIDED]
        return [Outcome.PASSED] if self.made else []


def number(count: int, what: str) -> str:
    """A count with its noun: 1 violation, 2 violations."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
