"""What one look of `modelward watch` found, and the words that its terminal and its page share."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelward.analysis import CheckReport, Constraints, Profile
    from modelward.analysis.checking.classifier import ClassifierVerdict

EXIT_CODES = {"passed": 0, "failed": 1, "undecided": 2}


class Seen:
    """Everything one look found: profiles, constraints, and the report where something was compared."""

    def __init__(
        self,
        data: str,
        reference: str | None,
        profiles: "tuple[Profile, Profile | None]",
        rules: "Constraints",
        report: "CheckReport | None",
        *,
        rules_given: bool = False,
        together: "ClassifierVerdict | None" = None,
    ) -> None:
        self.together = together
        self.rules_given = rules_given
        self.data, self.reference, self.rules, self.report = data, reference, rules, report
        self.current, self.baseline = profiles

    @property
    def exit_code(self) -> int:
        """0 kept (or nothing to keep), 1 failed, 2 undecided."""
        codes = [EXIT_CODES[each.outcome.value] for each in (self.report, self.together) if each is not None]
        # Failed outweighs undecided.
        return 1 if 1 in codes else max(codes, default=0)

    def rules_json(self) -> bytes:
        """The constraints as indented JSON."""
        import msgspec

        from modelward.kernel import codec

        return msgspec.json.format(codec.encode(self.rules), indent=2) + b"\n"

    def to_json(self) -> str:
        """Everything as JSON."""
        import msgspec

        from modelward.kernel import codec

        return codec.encode(
            {
                "data": self.data,
                "reference": self.reference,
                "outcome": {0: "passed", 1: "failed", 2: "undecided"}[self.exit_code] if self.report else None,
                "exit_code": self.exit_code,
                "report": self.report,
                **({"together": self.together} if self.together else {}),
                "constraints": self.rules,
                "profile": msgspec.Raw(self.current.to_json()),
                "baseline": msgspec.Raw(self.baseline.to_json()) if self.baseline else None,
            }
        ).decode()


def moment(seconds: float) -> str:
    """Seconds since 1970 as a date and time in UTC; the number itself beyond the calendar."""
    from datetime import UTC, datetime

    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return f"{seconds:.4g}"


def short(text: str, length: int) -> str:
    """A text that fits, with what cannot be printed shown as a dot."""
    plain = "".join(letter if letter.isprintable() else "·" for letter in text)
    return plain if len(plain) <= length else plain[: length - 1] + "…"


def chance(p_value: float | None) -> str:
    """A p-value, never as nought: so small a number is below what floating point keeps."""
    if p_value is None:
        return "not known"
    return f"{p_value:.1g}" if p_value >= 1e-99 else "below 1e-99"


def told(rule: Any) -> str:
    """The rules of a column in a line."""
    parts = [str(rule.kind.value) if rule.kind else "kind not known"]
    if rule.completeness_min is not None:
        parts.append(f"present in {rule.completeness_min:.1%} or more")
    if rule.non_negative:
        parts.append("not negative")
    if rule.minimum is not None and rule.maximum is not None:
        parts.append(f"{rule.range_share_min:.0%} within {rule.minimum:.4g} .. {rule.maximum:.4g}")
    if rule.values is not None:
        shown = ", ".join(short(value, 16) for value in rule.values[:5]) + (", ..." if len(rule.values) > 5 else "")
        parts.append(f"one of {len(rule.values)}: {shown}")
    if rule.unique_share_min is not None:
        parts.append("no value twice" if rule.unique_share_min == 1 else f"{rule.unique_share_min:.1%} different")
    if rule.pattern is not None:
        parts.append(f"{rule.pattern_share_min:.1%} match {short(rule.pattern, 40)}")
    if rule.age_seconds_max is not None:
        parts.append(f"newest at most {rule.age_seconds_max:.0f} s old")
    return "; ".join(parts)
