"""How facts read in a document: dates, ages, states; and texts without signs that steer. Pure."""

import re
from datetime import datetime

from modelward.governance.cards.documents.facts import CardFacts

STATUS_WORDS = {
    "draft": "Draft",
    "pending-review": "Pending review",
    "approved": "Approved",
    "archived": "Archived",
}

# Control characters but tab and line feed, and those that turn the direction of what follows.
_STEERING = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


def visible(text: str) -> str:
    """A text in which characters that steer are told by their numbers, so that they steer nothing."""
    return _STEERING.sub(lambda one: f"[U+{ord(one[0]):04X}]", text.replace("\r\n", "\n"))


def when(at: datetime) -> str:
    """A moment to the minute, in UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def days_before(moment: datetime, at: datetime | None) -> str:
    """A day, and how many days it lies before a moment."""
    if at is None:
        return ""
    days = (moment.date() - at.date()).days
    age = "on the day of this document" if days <= 0 else "1 day before" if days == 1 else f"{days:,} days before"
    return f"{at:%Y-%m-%d} ({age})"


def status_words(facts: CardFacts) -> str:
    """The status of the version; an older one says which replaced it."""
    status = STATUS_WORDS.get(facts.status, facts.status)
    return status if facts.number == facts.current else f"{status}, superseded by version {facts.current}"


def state_words(state: str) -> str:
    """The state of an evidence as a word."""
    return state.replace("-", " ").capitalize()


def identity(facts: CardFacts) -> list[tuple[str, str]]:
    """What the card is, as names and values."""
    overview = facts.content.get("model_overview", {})
    rows = [
        ("Model", str(facts.model or overview.get("model_name", ""))),
        ("Model version", str(facts.version or overview.get("model_version", ""))),
        ("Card version", f"{facts.number} of {facts.current}"),
        ("Status", status_words(facts)),
        ("Risk rating", facts.risk_rating),
        ("Model owner", str(overview.get("model_owner", ""))),
        ("Written by", f"{facts.by}, {when(facts.at)}"),
        ("Complete", f"{facts.complete_share:.0%} of the recommended fields"),
    ]
    return [(name, value) for name, value in rows if value]
