"""What a model, a version and a status may be. Pure."""

from datetime import datetime

from modelward.governance.registry.entities import ApprovalStatus, Version
from modelward.kernel.errors import Conflict, Invalid
from modelward.kernel.outcome import Judgement, Outcome

TEXT_CHARACTERS_MAX = 4096
TAGS_MAX = 50
TAG_CHARACTERS_MAX = 256

STATUS_MOVES: dict[ApprovalStatus, frozenset[ApprovalStatus]] = {
    ApprovalStatus.PENDING: frozenset({ApprovalStatus.APPROVED, ApprovalStatus.REJECTED}),
    ApprovalStatus.APPROVED: frozenset({ApprovalStatus.LAPSED, ApprovalStatus.REJECTED}),
    ApprovalStatus.REJECTED: frozenset({ApprovalStatus.APPROVED}),
    ApprovalStatus.LAPSED: frozenset({ApprovalStatus.APPROVED, ApprovalStatus.REJECTED}),
}


def status_at(kept: ApprovalStatus, until: datetime | None, *, at: datetime) -> ApprovalStatus:
    """The approval status at a moment: approved only as long as the evidence under the approval is not too old."""
    expired = kept is ApprovalStatus.APPROVED and until is not None and at > until
    return ApprovalStatus.LAPSED if expired else kept


def kept_status(version: Version) -> ApprovalStatus:
    """The status that is in the log: an approval whose evidence is too old stays approved there until it is swept."""
    return ApprovalStatus.APPROVED if version.approved_until is not None else version.status


def standing(version: Version) -> Judgement:
    """Whether a version counts as approved at the moment it was read; undecided while nobody has decided."""
    if version.status is ApprovalStatus.APPROVED:
        return Judgement(outcome=Outcome.PASSED, reason=version.status_reason)
    if version.status is ApprovalStatus.PENDING:
        return Judgement(outcome=Outcome.UNDECIDED, reason="No review of it has been decided.")
    why = f": {version.status_reason}" if version.status_reason else "."
    return Judgement(outcome=Outcome.FAILED, reason=f"It is {version.status.value}{why}")


def told_expired(until: datetime) -> str:
    """Why an approval has lapsed whose lapse is not in the log yet."""
    return f"What its card rests on became too old on {until:%Y-%m-%d %H:%M} UTC."


class StatusMoveForbidden(Conflict):
    """A version cannot go from this approval status to that one."""


def check_text(text: str, *, field: str) -> None:
    """Refuse a text that is too long or holds control characters other than line breaks and tabs.

    Raises:
        Invalid: the text breaks the rule.
    """
    if len(text) > TEXT_CHARACTERS_MAX:
        raise Invalid(f"{field} has {len(text)} characters; at most {TEXT_CHARACTERS_MAX} are kept.", field=field)
    if any(character < " " and character not in "\n\r\t" for character in text):
        raise Invalid(f"{field} holds a control character.", field=field)


def check_tags(tags: dict[str, str]) -> None:
    """Refuse too many tags, or ones with an empty or overlong key or value.

    Raises:
        Invalid: a tag breaks the rule; the message names it.
    """
    if len(tags) > TAGS_MAX:
        raise Invalid(f"{len(tags)} tags are given; at most {TAGS_MAX} are kept.", field="tags")
    for key, value in tags.items():
        if not key or len(key) > TAG_CHARACTERS_MAX or len(value) > TAG_CHARACTERS_MAX:
            raise Invalid(
                f"The tag {key[:40]!r} must have a key of 1 to {TAG_CHARACTERS_MAX} characters and a value of at most that.",
                field=f"tags.{key[:40]}",
            )
        check_text(key + value, field=f"tags.{key[:40]}")


def check_status_move(ref: str, before: ApprovalStatus, after: ApprovalStatus) -> None:
    """Refuse a move of the approval status that the table does not list.

    Raises:
        StatusMoveForbidden: the move is not in the table.
    """
    if after not in STATUS_MOVES[before]:
        raise StatusMoveForbidden(f"{ref} is {before.value}; it cannot become {after.value}.", field="status")
