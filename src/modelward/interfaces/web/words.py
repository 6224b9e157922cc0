"""How values read on the pages: states as word, icon and tone; times, numbers, digests. Pure; used as template filters."""

import re
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from modelward.kernel.clock import moment
from modelward.kernel.events import Happening


class Sign(NamedTuple):
    """How a state is shown: a word, an icon and a tone, so that it never hangs on colour alone."""

    word: str
    icon: str
    tone: str


SIGNS: dict[str, Sign] = {
    "passed": Sign("Passed", "check", "good"),
    "failed": Sign("Failed", "cross", "bad"),
    "undecided": Sign("Undecided", "question", "open"),
    "approved": Sign("Approved", "check", "good"),
    "pending": Sign("Waiting for approval", "hourglass", "wait"),
    "rejected": Sign("Rejected", "cross", "bad"),
    "lapsed": Sign("Approval lapsed", "broken", "warn"),
    "draft": Sign("Draft", "pencil", "quiet"),
    "pending-review": Sign("Pending review", "hourglass", "wait"),
    "archived": Sign("Archived", "box", "quiet"),
    "withdrawn": Sign("Withdrawn", "box", "quiet"),
    "retired": Sign("Retired", "box", "quiet"),
    "open": Sign("Open", "dot", "warn"),
    "acknowledged": Sign("Acknowledged", "eye", "wait"),
    "closed": Sign("Closed", "check", "quiet"),
    "waiting": Sign("Waiting", "hourglass", "quiet"),
    "running": Sign("Running", "run", "wait"),
    "finished": Sign("Finished", "check", "quiet"),
    "preparing": Sign("Preparing", "run", "wait"),
    "ready": Sign("Ready", "check", "good"),
    "high": Sign("High", "up2", "bad"),
    "medium": Sign("Medium", "up", "warn"),
    "low": Sign("Low", "down", "quiet"),
    "critical": Sign("Critical", "up2", "bad"),
    "unknown": Sign("Unknown", "question", "open"),
    "disabled": Sign("Disabled", "box", "quiet"),
    "active": Sign("Active", "check", "good"),
    "none": Sign("None", "dash", "open"),
    "bound": Sign("From evidence", "link", "good"),
    "stale": Sign("Stale", "hourglass", "warn"),
    "current": Sign("Current", "check", "good"),
    "covered": Sign("Covered", "check", "good"),
    "not-applicable": Sign("Not applicable", "dash", "quiet"),
    "done": Sign("Done", "check", "good"),
    "declined": Sign("Declined", "cross", "warn"),
    "resolved": Sign("Resolved", "check", "quiet"),
    "delivered": Sign("Delivered", "check", "good"),
    "paused": Sign("Paused", "hourglass", "warn"),
    "unread": Sign("New", "dot", "wait"),
}

# Paths on a grid of 16, drawn with a stroke in the colour of the text.
ICONS: dict[str, str] = {
    "check": "M3 8.5l3.2 3.2L13 4.8",
    "cross": "M4 4l8 8M12 4l-8 8",
    "question": "M5.7 6.1a2.4 2.4 0 1 1 3.6 2c-.9.6-1.3 1-1.3 1.9M8 12.6v.1",
    "hourglass": "M4.5 2.5h7M4.5 13.5h7M5.2 2.5c0 3 5.6 3.6 5.6 5.5S5.2 10.5 5.2 13.5M10.8 2.5c0 3-5.6 3.6-5.6 5.5",
    "broken": "M8 2.5v5l2 2M13.5 8A5.5 5.5 0 1 1 8 2.5",
    "pencil": "M3 13l.6-2.8 7-7 2.2 2.2-7 7z",
    "box": "M2.5 3h11v3h-11zM3.5 6v7h9V6M6.5 8.5h3",
    "dot": "M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
    "eye": "M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8zM8 6.3a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4z",
    "run": "M13.3 6.5A5.5 5.5 0 1 0 13.5 8M13.5 2.8v3.7H9.8",
    "up": "M8 13V3.5M4 7.5l4-4 4 4",
    "up2": "M4 8l4-4 4 4M4 12.5l4-4 4 4",
    "down": "M8 3v9.5M4 8.5l4 4 4-4",
    "dash": "M4 8h8",
    "link": "M6.7 9.3l2.6-2.6M7.2 4.8l1.6-1.6a2.8 2.8 0 0 1 4 4l-1.6 1.6M8.8 11.2l-1.6 1.6a2.8 2.8 0 0 1-4-4l1.6-1.6",
    "inbox": "M2.5 9l2-5.5h7l2 5.5v4h-11zM2.5 9h3.2l1 1.6h2.6l1-1.6h3.2",
    "webhook": "M4.5 12.5a2 2 0 1 1 0-.1M8 5.5a2 2 0 1 1 .1 0M11.5 12.5a2 2 0 1 1 0-.1M7 5.4L5 9M9 5.4l2 3.6M6.5 12.5h3",
    "overview": "M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z",
    "model": "M8 1.8l5.5 3.1v6.2L8 14.2l-5.5-3.1V4.9zM2.5 4.9L8 8l5.5-3.1M8 8v6.2",
    "card": "M3.5 1.8h6L13 5.3v8.9H3.5zM9.2 1.8v3.7H13M5.8 8.3h4.7M5.8 11h4.7",
    "review": "M8 1.8l5 1.9v4c0 3.2-2.2 5.6-5 6.5-2.8-.9-5-3.3-5-6.5v-4zM5.6 8l1.7 1.7 3.2-3.3",
    "endpoint": "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.1M5 11h.1",
    "alert": "M8 2l6.3 11.5H1.7zM8 6.5v3.2M8 11.7v.1",
    "audit": "M3 3h.1M3 8h.1M3 13h.1M6 3h7.5M6 8h7.5M6 13h7.5",
    "people": "M5.7 7.4a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM1.5 13.5c.3-2.6 2-4 4.2-4s3.9 1.4 4.2 4"
    "M10.7 7.3a2.2 2.2 0 1 0-.6-4.3M11.5 9.6c1.7.3 2.8 1.6 3 3.9",
}

# Names that are no words.
TITLES = {
    "auc": "AUC",
    "brier": "Brier score",
    "f0_5": "F0.5",
    "kappa": "Cohen's kappa",
    "mae": "Mean absolute error",
    "mape": "Mean absolute error as a share of the label",
    "matthews": "Matthews correlation",
    "mse": "Mean squared error",
    "r2": "R²",
    "rmse": "Root mean squared error",
}

FILTERS = (
    "ago",
    "card_value",
    "day",
    "event_words",
    "figure",
    "number",
    "origin",
    "percent",
    "plain_name",
    "run_outcome",
    "short_digest",
    "short_name",
    "sign",
    "size",
    "when",
    "with_short_names",
    "worst_first",
)

DONE = {
    "acknowledged": "The alert is yours: it is acknowledged in your name.",
    "closed": "The alert is closed.",
    "approved": "Approved. The approval is bound to the artifact, the card version, the evidence and the policy shown.",
    "rejected": "Rejected. The version may not be used.",
    "saved": "Saved as a new version of the card.",
    "unchanged": "Nothing was different, so no new version was made.",
    "status": "The status of the card is changed.",
    "added": "Access is given. Make a token next, so that they can sign in.",
    "persona": "The persona is changed; it counts from their next request on.",
    "disabled": "All access has ended. What they did stays on record.",
    "key-revoked": "The key pair is revoked: nothing that it signs is taken any more.",
    "revoked": "The token is revoked, and the sessions that began with it have ended.",
    "requested": "A run is asked for; this page shows it as soon as it is done.",
    "bound": "The field is bound to evidence; its value was taken from there.",
    "unbound": "The field is let go from its evidence; its value stays and can be written by hand.",
    "refreshed": "The bound fields hold the newest evidence now.",
    "imported": "The report is on the card now, bound to its evidence.",
    "created": "The card is created as a draft.",
    "cloned": "The card is cloned. What was true of the other version only was left out.",
    "deleted": "The draft is deleted. That it existed stays on record.",
    "owner": "The owner of the card is changed.",
    "commented": "Your comment is written.",
    "resolved": "The thread is resolved.",
    "reopened": "The thread is open again.",
    "asked": "The request is sent; they find it in their inbox.",
    "answered": "Your answer is sent.",
    "withdrawn": "The request is withdrawn.",
    "attached": "The file is attached.",
    "removed": "The file is taken off the card; that it was there stays on record.",
    "pack-kept": "The pack is kept as a new version; cards are measured by it from now on.",
    "pack-retired": "The pack is retired. What cards were measured by it stays on record.",
    "stated": "Your statement is kept with your name and the day.",
    "read": "Marked as read.",
    "webhook": "The webhook is changed.",
    "webhook-gone": "The webhook is removed.",
    "tested": "A test event is on its way; its delivery is listed below.",
    "again": "It will be delivered once more.",
    "signed-out": "You are signed out.",
}


def sign(value: object) -> Sign:
    """How to show a state; an unknown one is shown by its own name."""
    text = str(value)
    return SIGNS.get(text) or SIGNS.get(text.lower()) or Sign(plain_name(text), "dot", "quiet")


def when(at: datetime | str | None) -> str:
    """A moment to the minute, in UTC."""
    if at is None:
        return "–"
    at = moment(at) if isinstance(at, str) else at
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def day(at: datetime | str) -> str:
    """A day, in UTC."""
    at = moment(at) if isinstance(at, str) else at
    return f"{at.day} {at:%b %Y}"


def ago(at: datetime | str | None, now: datetime) -> str:
    """How long ago, or how soon, in the largest fitting unit."""
    if at is None:
        return "–"
    at = moment(at) if isinstance(at, str) else at
    seconds = (now - at).total_seconds()
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if abs(seconds) >= length:
            count = f"{int(abs(seconds) // length)} {unit}"
            return f"{count} ago" if seconds > 0 else f"in {count}"
    return "just now" if seconds >= 0 else "in a moment"


def number(value: float | None) -> str:
    """A count, with thin spaces between thousands."""
    if value is None:
        return "–"
    return f"{value:,.0f}".replace(",", "\u202f")


def figure(value: Any) -> str:
    """A measured value: four significant digits; not a number and infinity in words."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if value != value:
        return "not computable"
    if value in (float("inf"), float("-inf")):
        return "infinite" if value > 0 else "minus infinite"
    if float(value).is_integer() and abs(value) < 1e15:
        return number(value)
    text = f"{value:.4g}"
    return text.replace("e-0", "e-").replace("e+0", "e").replace("-", "−", 1) if value < 0 else text


def percent(share: float | None) -> str:
    """A share as a percentage; it reads 100 % only when nothing is missing."""
    if share is None:
        return "–"
    shown = f"{share * 100:.0f}"
    if shown == "100" and share < 1:
        shown = "99"
    return f"{shown} %"


def size(count: int) -> str:
    """A number of bytes in a fitting unit."""
    value = float(count)
    for unit in ("bytes", "KB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "bytes" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable")


def short_digest(digest: str | None) -> str:
    """The first twelve hexadecimal digits of a digest."""
    return str(digest).removeprefix("sha256:")[:12] if digest else "–"


def plain_name(name: str) -> str:
    """A name of the machine as words: ``data-quality`` and ``data_quality`` become ``Data quality``."""
    if name in TITLES:
        return TITLES[name]
    text = str(name).replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:]


def event_words(name: str) -> str:
    """What an event says: the first part of its own description."""
    known = Happening.known.get(name)
    told = (known.__doc__ or "").strip().splitlines()[0] if known else ""
    return re.split(r"[.;:]", told)[0] or name


def card_value(value: Any) -> str:
    """A value of a card as a text."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def run_outcome(run: Any) -> str:
    """The outcome of a run, or while there is none its state. A run that broke off is shown as undecided."""
    if run.outcome:
        return str(run.outcome)
    return "undecided" if str(run.state) == "failed" else str(run.state)


_DIGEST = re.compile(r"\b(sha256:[0-9a-f]{12})[0-9a-f]{52}\b")
_TWICE = re.compile(r"\b([a-z]+) \1 …")
_MACHINE_NAME = re.compile(r"\b([a-z]+)-[0-9a-z]{20}([0-9a-z]{6})\b")


def short_name(name: str) -> str:
    """A name that a machine gave by its kind and its end, which tell more than the whole; digests by their beginning."""
    name = str(name)
    if name.startswith("sha256:"):
        return f"sha256:{short_digest(name)}…"
    return _MACHINE_NAME.sub(r"\1 …\2", name) if _MACHINE_NAME.fullmatch(name) else name


def with_short_names(text: str) -> str:
    """A text with every name that a machine gave, and every digest, in its short form."""
    short = _DIGEST.sub(r"\1…", _MACHINE_NAME.sub(r"\1 …\2", text))
    return _TWICE.sub(r"\1 …", short)


def origin(text: str) -> str:
    """Where a field of a card comes from, as the end of a sentence."""
    return with_short_names(text if text.startswith("carried over") else f"from {text}")


def worst_first(judged: list[Any]) -> list[Any]:
    """Findings in the order failed, undecided, passed."""
    order = {"failed": 0, "undecided": 1, "passed": 2}
    return sorted(judged, key=lambda each: order.get(str(each.outcome), 3))
