"""What people say about a card: comments in threads, requests to look at a section, notices in an inbox. No I/O."""

import re
from datetime import datetime
from enum import StrEnum

import msgspec

from modelward.governance.cards import rules
from modelward.kernel.errors import Conflict, Invalid
from modelward.kernel.events import Happening
from modelward.kernel.refs import CardRef, Digest, Ref

WHOLE_CARD = "$"
TEXT_CHARACTERS_MAX = 10_000
PATH_CHARACTERS_MAX = 300
MENTIONS_MAX = 20
NOTICE_CHARACTERS_MAX = 200
_STEP = r"""(?:\.[A-Za-z_][A-Za-z0-9_]*|\[[0-9]{1,5}\]|\["(?:[^"\\]|\\.)+"\])"""
_PATH = re.compile(rf"\$(?:\.(?P<section>[A-Za-z_][A-Za-z0-9_]*){_STEP}*)?")
_MENTION = re.compile(r"(?<![\w@.])@([A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9_])?)")
# A text with one of these is never meant, and PostgreSQL cannot keep the first.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class CommentRef(Ref):
    """One comment on a card, by its id."""

    __slots__ = ()


class RequestRef(Ref):
    """One request to look at a card, by its id."""

    __slots__ = ()


class NoticeRef(Ref):
    """One notice in an inbox, by its id."""

    __slots__ = ()


class RequestClosed(Conflict):
    """The request was answered or withdrawn already."""


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """A comment on a card, a section or a field (``path``), made when the card had version ``number``.

    ``thread`` is the id of the comment that began it, its own for the first one. Threads are resolved as a whole.
    """

    id: CommentRef
    card: CardRef
    path: str
    number: int
    thread: CommentRef
    text: str
    mentions: list[str] = []
    at: datetime
    by: str
    edited_at: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None

    @property
    def begins(self) -> bool:
        """Whether it is the first of its thread."""
        return self.id == self.thread


class CommentText(msgspec.Struct, frozen=True, kw_only=True):
    """What a comment said from a moment on. Editions count from 1."""

    edition: int
    text: str
    mentions: list[str] = []
    at: datetime


class RequestState(StrEnum):
    """How far a request to look at a card is."""

    OPEN = "open"
    DONE = "done"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class ReviewRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One person asks another to look at a section or the whole of a card, as it stands in version ``number``.

    ``answered_number`` is the version that the reviewer answered on; it may be a later one.
    """

    id: RequestRef
    card: CardRef
    path: str
    number: int
    reviewer: str
    asked_by: str
    asked_at: datetime
    note: str = ""
    state: RequestState = RequestState.OPEN
    answer: str = ""
    answered_at: datetime | None = None
    answered_number: int | None = None


class NoticeKind(StrEnum):
    """Why something stands in an inbox."""

    MENTION = "mention"
    REPLY = "reply"
    REVIEW_ASKED = "review-asked"
    REVIEW_ANSWERED = "review-answered"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person should see. ``about`` is the id of the comment or request; ``text`` begins what it says."""

    id: NoticeRef
    person: str
    kind: NoticeKind
    card: CardRef
    path: str
    about: str
    text: str
    by: str
    at: datetime
    read_at: datetime | None = None


class CommentWritten(Happening, frozen=True, kw_only=True):
    """Somebody commented on a card; the text is known here by its digest."""

    card: CardRef
    comment: CommentRef
    thread: CommentRef
    path: str
    number: int
    text: Digest
    mentions: list[str]


class CommentEdited(Happening, frozen=True, kw_only=True):
    """Somebody changed a comment of their own; what it said before is kept."""

    card: CardRef
    comment: CommentRef
    edition: int
    before: Digest
    after: Digest
    mentions: list[str]


class ThreadResolved(Happening, frozen=True, kw_only=True):
    """A thread of comments was marked as dealt with."""

    card: CardRef
    thread: CommentRef


class ThreadReopened(Happening, frozen=True, kw_only=True):
    """A thread of comments is open again."""

    card: CardRef
    thread: CommentRef


class CardReviewAsked(Happening, frozen=True, kw_only=True):
    """Somebody was asked to look at a section or the whole of a card."""

    card: CardRef
    request: RequestRef
    path: str
    number: int
    reviewer: str


class CardReviewAnswered(Happening, frozen=True, kw_only=True):
    """A reviewer answered a request: done, or declined."""

    card: CardRef
    request: RequestRef
    path: str
    number: int
    state: RequestState


class CardReviewWithdrawn(Happening, frozen=True, kw_only=True):
    """A request to look at a card was taken back."""

    card: CardRef
    request: RequestRef


class NoticeRead(Happening, frozen=True, kw_only=True):
    """A person marked a notice in their inbox as read."""

    notice: NoticeRef
    person: str


def check_path(path: str) -> None:
    """Refuse a path that points at no section of the schema; ``$`` is the whole card.

    Raises:
        Invalid: it is no path, or its section is unknown.
    """
    found = _PATH.fullmatch(path) if len(path) <= PATH_CHARACTERS_MAX else None
    if found is None:
        raise Invalid(
            f"{path[:80]!r} is not a path of a card: write it as in $.intended_uses.risk_rating.", field="path"
        )
    known = rules.schema()["properties"]
    section = found["section"]
    if section is not None and section not in known:
        raise Invalid(
            f"A card has no section {section[:80]!r}; its sections are {', '.join(sorted(known))}.", field="path"
        )


def check_text(text: str, *, field: str = "text", may_be_empty: bool = False) -> None:
    """Refuse a text that says nothing, is too long, or holds control characters.

    Raises:
        Invalid: it does.
    """
    if not may_be_empty and not text.strip():
        raise Invalid(f"{field} is empty; say something.", field=field)
    if len(text) > TEXT_CHARACTERS_MAX:
        raise Invalid(f"{field} has {len(text)} characters; at most {TEXT_CHARACTERS_MAX} are kept.", field=field)
    if _CONTROL.search(text):
        raise Invalid(f"{field} holds a control character.", field=field)
    try:
        text.encode()
    except UnicodeEncodeError as problem:
        raise Invalid(f"{field} holds half a character, which cannot be kept.", field=field) from problem


def names_in(text: str) -> list[str]:
    """The names that stand after an @ in a text, each once, in their order; an address such as a@b is none."""
    return list(dict.fromkeys(found[1] for found in _MENTION.finditer(text)))[:MENTIONS_MAX]


def check_open(request: ReviewRequest) -> None:
    """Refuse to answer or withdraw a request a second time.

    Raises:
        RequestClosed: it is closed.
    """
    if request.state is not RequestState.OPEN:
        raise RequestClosed(f"The request {request.id} is {request.state.value} already.", hint="Ask anew.")
