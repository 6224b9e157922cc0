"""What one can do with one's inbox: read it, mark notices as read. Others' verbs put notices in by ``notify``."""

from collections.abc import Iterable

from msgspec.structs import replace

from modelward.governance.access import use_cases as access
from modelward.governance.access.permissions import PERSONAS, Permission, require
from modelward.governance.cards import conversation_store as store
from modelward.governance.cards.conversation import (
    NOTICE_CHARACTERS_MAX,
    Notice,
    NoticeKind,
    NoticeRead,
    NoticeRef,
)
from modelward.kernel.errors import Invalid, NotFound
from modelward.kernel.ids import new_id
from modelward.kernel.pages import Page, PageRequest
from modelward.kernel.refs import CardRef
from modelward.storage.work import Work


def list_inbox(work: Work, *, page: PageRequest, unread: bool = False) -> Page[Notice]:
    """One's own notices, the newest first."""
    require(work, Permission.SELF_READ)
    return store.list_notices(work, work.actor.id, page=page, unread=unread)


def count_unread(work: Work, *, most: int | None = None) -> int:
    """How many of one's own notices are unread; counted up to ``most`` where that is enough to know."""
    require(work, Permission.SELF_READ)
    return store.count_unread(work, work.actor.id, most=most)


def mark_read(work: Work, ref: NoticeRef) -> Notice:
    """Mark a notice of one's own as read.

    Raises:
        NotFound: one has no such notice.
    """
    require(work, Permission.SELF_READ, on=ref)
    found = store.find_notice(work, ref)
    if found is None or found.person != work.actor.id:
        raise NotFound(f"There is no notice {ref} in your inbox.", field="notice")
    if found.read_at is not None:
        return found
    seen = replace(found, read_at=work.now)
    store.put_read(work, seen)
    work.record(NoticeRead(notice=ref, person=found.person))
    return seen


def notify(
    work: Work, people: Iterable[str], *, kind: NoticeKind, card: CardRef, path: str, about: str, text: str
) -> None:
    """Put a notice into the inbox of each of some people; nobody is told of what they did themselves."""
    for person in people:
        if person == work.actor.id:
            continue
        new = Notice(
            id=NoticeRef(new_id("notice")),
            person=person,
            kind=kind,
            card=card,
            path=path,
            about=about,
            text=text[:NOTICE_CHARACTERS_MAX],
            by=work.actor.id,
            at=work.now,
        )
        store.add_notice(work, new)


def has_access(work: Work, person: str) -> bool:
    """Whether somebody of this id can come in and read cards, so that a notice may be shown to them."""
    persona = access.persona_of(work, id=person)
    return persona is not None and Permission.CARD_READ in PERSONAS[persona]


def check_person(work: Work, person: str, *, field: str) -> None:
    """Refuse a person who could not see the card.

    Raises:
        Invalid: nobody of this id has access to cards.
    """
    if not has_access(work, person):
        raise Invalid(f"Nobody with the id {person[:80]!r} can read cards.", field=field, hint="An owner sees who can.")
