"""What one can do with comments on a card: write, answer, edit one's own, resolve and reopen a thread, read."""

from msgspec.structs import replace

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import conversation, inbox, use_cases
from modelward.governance.cards import conversation_store as store
from modelward.governance.cards.conversation import (
    WHOLE_CARD,
    Comment,
    CommentEdited,
    CommentRef,
    CommentText,
    CommentWritten,
    NoticeKind,
    ThreadReopened,
    ThreadResolved,
)
from modelward.kernel.errors import Invalid, NotAllowed, NotFound
from modelward.kernel.ids import new_id
from modelward.kernel.pages import Page, PageRequest
from modelward.kernel.refs import CardRef
from modelward.storage.blobs import digest_of
from modelward.storage.work import Work


def write_comment(
    work: Work,
    card: CardRef,
    *,
    text: str,
    path: str = WHOLE_CARD,
    number: int | None = None,
    reply_to: CommentRef | None = None,
) -> Comment:
    """Comment on a card, a section or a field of it, or answer in a thread, whose path then counts.

    Who is mentioned as ``@id`` and has access gets a notice, and so do those who spoke in the thread before. An answer
    to a resolved thread opens it again.

    Raises:
        Invalid: the text is empty or too long, the path unknown, or the thread is of another card.
        NotFound: there is no such card, version or comment.
    """
    require(work, Permission.CARD_COMMENT, on=card)
    conversation.check_text(text)
    conversation.check_path(path)
    about = use_cases.get_version(work, card, number=number)
    begun = _thread_of(work, card, reply_to) if reply_to is not None else None
    ref = CommentRef(new_id("comment"))
    new = Comment(
        id=ref,
        card=card,
        path=begun.path if begun else path,
        number=about.number,
        thread=begun.id if begun else ref,
        text=text,
        mentions=_mentioned(work, text),
        at=work.now,
        by=work.actor.id,
    )
    voices = store.list_voices(work, new.thread) if begun else []
    store.add_comment(work, new)
    work.record(
        CommentWritten(
            card=card,
            comment=ref,
            thread=new.thread,
            path=new.path,
            number=new.number,
            text=digest_of(text.encode()),
            mentions=new.mentions,
        )
    )
    if begun and begun.resolved_at is not None:
        _set_resolved(work, begun, resolved=False)
    _tell(work, new, new.mentions, NoticeKind.MENTION)
    _tell(work, new, [each for each in voices if each not in new.mentions], NoticeKind.REPLY)
    return new


def _thread_of(work: Work, card: CardRef, ref: CommentRef) -> Comment:
    answered = get_comment(work, ref)
    if answered.card != card:
        raise Invalid(f"The comment {ref} is on the card {answered.card}, not on {card}.", field="reply_to")
    return answered if answered.begins else get_comment(work, answered.thread)


def _mentioned(work: Work, text: str) -> list[str]:
    return [name for name in conversation.names_in(text) if inbox.has_access(work, name)]


def _tell(work: Work, said: Comment, people: list[str], kind: NoticeKind) -> None:
    inbox.notify(work, people, kind=kind, card=said.card, path=said.path, about=said.id, text=said.text)


def edit_comment(work: Work, ref: CommentRef, *, text: str) -> Comment:
    """Change what a comment of one's own says; what it said before stays readable.

    Raises:
        NotAllowed: somebody else wrote it.
    """
    require(work, Permission.CARD_COMMENT, on=ref)
    conversation.check_text(text)
    found = get_comment(work, ref)
    if found.by != work.actor.id:
        raise NotAllowed(f"{found.by} wrote this comment; only they can change it.", hint="Answer in the thread.")
    if found.text == text:
        return found
    editions = store.list_texts(work, ref)
    mentions = _mentioned(work, text)
    edition = len(editions) + 1
    store.add_text(work, ref, CommentText(edition=edition, text=text, mentions=mentions, at=work.now))
    changed = replace(found, text=text, mentions=mentions, edited_at=work.now)
    work.record(
        CommentEdited(
            card=found.card,
            comment=ref,
            edition=edition,
            before=digest_of(found.text.encode()),
            after=digest_of(text.encode()),
            mentions=mentions,
        )
    )
    told = {name for each in editions for name in each.mentions}
    _tell(work, changed, [name for name in mentions if name not in told], NoticeKind.MENTION)
    return changed


def resolve_thread(work: Work, ref: CommentRef) -> Comment:
    """Mark the thread of a comment as dealt with; returns its first comment."""
    return _change_resolved(work, ref, resolved=True)


def reopen_thread(work: Work, ref: CommentRef) -> Comment:
    """Open the thread of a comment again; returns its first comment."""
    return _change_resolved(work, ref, resolved=False)


def _change_resolved(work: Work, ref: CommentRef, *, resolved: bool) -> Comment:
    require(work, Permission.CARD_COMMENT, on=ref)
    found = get_comment(work, ref)
    begun = found if found.begins else get_comment(work, found.thread)
    if (begun.resolved_at is not None) == resolved:
        return begun
    return _set_resolved(work, begun, resolved=resolved)


def _set_resolved(work: Work, begun: Comment, *, resolved: bool) -> Comment:
    changed = replace(
        begun, resolved_at=work.now if resolved else None, resolved_by=work.actor.id if resolved else None
    )
    store.put_resolution(work, changed)
    happened = ThreadResolved if resolved else ThreadReopened
    work.record(happened(card=begun.card, thread=begun.id))
    return changed


def get_comment(work: Work, ref: CommentRef) -> Comment:
    """A comment.

    Raises:
        NotFound: there is none.
    """
    require(work, Permission.CARD_READ, on=ref)
    found = store.find_comment(work, ref)
    if found is None:
        raise NotFound(f"There is no comment {ref}.", field="comment")
    return found


def list_comments(
    work: Work, card: CardRef, *, page: PageRequest, path: str | None = None, resolved: bool | None = None
) -> Page[Comment]:
    """The comments of a card, thread by thread; of one path, open or resolved, where asked for."""
    use_cases.get_card(work, card)
    if path is not None:
        conversation.check_path(path)
    return store.list_comments(work, card, page=page, path=path, resolved=resolved)


def comment_history(work: Work, ref: CommentRef) -> list[CommentText]:
    """All that a comment has said, the oldest first."""
    get_comment(work, ref)
    return store.list_texts(work, ref)
