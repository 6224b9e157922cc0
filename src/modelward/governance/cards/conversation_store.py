"""The tables of what people say: card_comment, card_comment_text, card_review_request, card_notice."""

from typing import Any

import msgspec
import sqlalchemy as sa

from modelward.governance.cards.conversation import (
    Comment,
    CommentRef,
    CommentText,
    Notice,
    NoticeKind,
    NoticeRef,
    RequestRef,
    RequestState,
    ReviewRequest,
)
from modelward.kernel.clock import moment, timestamp
from modelward.kernel.pages import BadCursor, Page, PageRequest, cursor_after
from modelward.kernel.refs import CardRef
from modelward.storage.work import Work

metadata = sa.MetaData()
comment = sa.Table(
    "card_comment",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("card", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("thread", sa.Text, sa.ForeignKey("card_comment.id"), nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("resolved_at", sa.Text),
    sa.Column("resolved_by", sa.Text),
)
comment_text = sa.Table(
    "card_comment_text",
    metadata,
    sa.Column("comment", sa.Text, sa.ForeignKey("card_comment.id"), primary_key=True),
    sa.Column("edition", sa.Integer, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("mentions", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)
review_request = sa.Table(
    "card_review_request",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("card", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("reviewer", sa.Text, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("answered_at", sa.Text),
    sa.Column("answered_number", sa.Integer),
)
notice = sa.Table(
    "card_notice",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("card", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("read_at", sa.Text),
)

_edition = comment_text.alias("edition")
_SOME_UNREAD = (
    sa.select(sa.literal(1))
    .where(notice.c.person == sa.bindparam("person"), notice.c.read_at.is_(None))
    .limit(sa.bindparam("most"))
    .subquery()
)
_COUNT_SOME_UNREAD = sa.select(sa.func.count()).select_from(_SOME_UNREAD).execution_options(prepared=True)
_LATEST = (
    sa.select(sa.func.max(_edition.c.edition))
    .where(_edition.c.comment == comment.c.id)
    .correlate(comment)
    .scalar_subquery()
)
_COMMENTS = sa.select(
    comment,
    comment_text.c.text,
    comment_text.c.mentions,
    comment_text.c.edition,
    comment_text.c.at.label("edition_at"),
).join_from(comment, comment_text, sa.and_(comment_text.c.comment == comment.c.id, comment_text.c.edition == _LATEST))


def add_comment(work: Work, new: Comment) -> None:
    """Keep a new comment with its first text."""
    row = {"id": new.id, "card": new.card, "path": new.path, "number": new.number, "thread": new.thread}
    work.execute(sa.insert(comment), {**row, "at": timestamp(new.at), "by": new.by})
    add_text(work, new.id, CommentText(edition=1, text=new.text, mentions=new.mentions, at=new.at))


def add_text(work: Work, ref: CommentRef, said: CommentText) -> None:
    """Keep another text of a comment beside those before."""
    row = {"comment": ref, "edition": said.edition, "text": said.text, "at": timestamp(said.at)}
    work.execute(sa.insert(comment_text), {**row, "mentions": msgspec.json.encode(said.mentions).decode()})


def put_resolution(work: Work, thread: Comment) -> None:
    """Keep whether a thread is resolved, and by whom."""
    values = {"resolved_at": timestamp(thread.resolved_at) if thread.resolved_at else None}
    statement = sa.update(comment).where(comment.c.id == thread.id)
    work.execute(statement.values(**values, resolved_by=thread.resolved_by))


def find_comment(work: Work, ref: CommentRef) -> Comment | None:
    """Find a comment by its id."""
    row = work.execute(_COMMENTS.where(comment.c.id == ref)).first()
    return _comment(row) if row else None


def list_texts(work: Work, ref: CommentRef) -> list[CommentText]:
    """All a comment has said, the oldest first."""
    query = sa.select(comment_text).where(comment_text.c.comment == ref).order_by(comment_text.c.edition)
    return [
        CommentText(edition=row.edition, text=row.text, mentions=msgspec.json.decode(row.mentions), at=moment(row.at))
        for row in work.execute(query)
    ]


def list_voices(work: Work, thread: CommentRef) -> list[str]:
    """Everybody who has spoken in a thread."""
    return list(work.execute(sa.select(comment.c.by).where(comment.c.thread == thread).distinct()).scalars())


def list_comments(
    work: Work, card: CardRef, *, page: PageRequest, path: str | None, resolved: bool | None
) -> Page[Comment]:
    """The comments of a card: threads in the order they began, in each the first and then the replies."""
    begun = comment.alias("begun")
    query = _COMMENTS.join(begun, begun.c.id == comment.c.thread).where(comment.c.card == card)
    query = query.order_by(comment.c.thread, comment.c.id).limit(page.limit + 1)
    if page.after:
        if len(page.after) != 2:
            raise BadCursor(field="cursor", hint="Start again without a cursor.")
        thread, last = page.after
        query = query.where(sa.or_(comment.c.thread > thread, sa.and_(comment.c.thread == thread, comment.c.id > last)))
    if path is not None:
        query = query.where(begun.c.path == path)
    if resolved is not None:
        query = query.where(begun.c.resolved_at.is_not(None) if resolved else begun.c.resolved_at.is_(None))
    found = [_comment(row) for row in work.execute(query)]
    items = found[: page.limit]
    more = len(found) > page.limit
    return Page(items=items, next_cursor=cursor_after(items[-1].thread, items[-1].id) if more else None)


def add_request(work: Work, new: ReviewRequest) -> None:
    """Keep a new request."""
    work.execute(sa.insert(review_request), _request_row(new))


def put_request(work: Work, changed: ReviewRequest) -> None:
    """Keep the answer to a request."""
    row = _request_row(changed)
    values = {name: row[name] for name in ("state", "answer", "answered_at", "answered_number")}
    work.execute(sa.update(review_request).where(review_request.c.id == changed.id).values(values))


def find_request(work: Work, ref: RequestRef) -> ReviewRequest | None:
    """Find a request by its id."""
    row = work.execute(sa.select(review_request).where(review_request.c.id == ref)).first()
    return _request(row) if row else None


def list_requests(
    work: Work, *, page: PageRequest, card: CardRef | None, reviewer: str | None, state: RequestState | None
) -> Page[ReviewRequest]:
    """Requests, the newest first."""
    query = sa.select(review_request).order_by(review_request.c.id.desc()).limit(page.limit + 1)
    if page.after:
        query = query.where(review_request.c.id < page.after[0])
    if card is not None:
        query = query.where(review_request.c.card == card)
    if reviewer is not None:
        query = query.where(review_request.c.reviewer == reviewer)
    if state is not None:
        query = query.where(review_request.c.state == state.value)
    found = [_request(row) for row in work.execute(query)]
    items = found[: page.limit]
    return Page(items=items, next_cursor=cursor_after(items[-1].id) if len(found) > page.limit else None)


def add_notice(work: Work, new: Notice) -> None:
    """Put a notice into an inbox."""
    row = {name: getattr(new, name) for name in Notice.__struct_fields__}
    work.execute(sa.insert(notice), {**row, "kind": new.kind.value, "at": timestamp(new.at), "read_at": None})


def find_notice(work: Work, ref: NoticeRef) -> Notice | None:
    """Find a notice by its id."""
    row = work.execute(sa.select(notice).where(notice.c.id == ref)).first()
    return _notice(row) if row else None


def put_read(work: Work, seen: Notice) -> None:
    """Keep when a notice was read."""
    values = {"read_at": timestamp(seen.read_at) if seen.read_at else None}
    work.execute(sa.update(notice).where(notice.c.id == seen.id).values(values))


def list_notices(work: Work, person: str, *, page: PageRequest, unread: bool) -> Page[Notice]:
    """The notices of a person, the newest first."""
    query = sa.select(notice).where(notice.c.person == person).order_by(notice.c.id.desc()).limit(page.limit + 1)
    if page.after:
        query = query.where(notice.c.id < page.after[0])
    if unread:
        query = query.where(notice.c.read_at.is_(None))
    found = [_notice(row) for row in work.execute(query)]
    items = found[: page.limit]
    return Page(items=items, next_cursor=cursor_after(items[-1].id) if len(found) > page.limit else None)


def count_unread(work: Work, person: str, *, most: int | None = None) -> int:
    """How many notices a person has not read; counted up to ``most``. An index holds those that are unread."""
    if most is not None:
        return int(work.execute(_COUNT_SOME_UNREAD, {"person": person, "most": most}).scalar_one())
    query = sa.select(sa.func.count()).where(notice.c.person == person, notice.c.read_at.is_(None))
    return int(work.execute(query).scalar_one())


def _comment(row: sa.Row[Any]) -> Comment:
    return Comment(
        id=CommentRef(row.id),
        card=CardRef(row.card),
        path=row.path,
        number=row.number,
        thread=CommentRef(row.thread),
        text=row.text,
        mentions=msgspec.json.decode(row.mentions),
        at=moment(row.at),
        by=row.by,
        edited_at=moment(row.edition_at) if row.edition > 1 else None,
        resolved_at=moment(row.resolved_at) if row.resolved_at else None,
        resolved_by=row.resolved_by,
    )


def _request_row(one: ReviewRequest) -> dict[str, Any]:
    row = {name: getattr(one, name) for name in ReviewRequest.__struct_fields__}
    answered = timestamp(one.answered_at) if one.answered_at else None
    return {**row, "state": one.state.value, "asked_at": timestamp(one.asked_at), "answered_at": answered}


def _request(row: sa.Row[Any]) -> ReviewRequest:
    fields = dict(row._mapping)
    fields |= {"id": RequestRef(row.id), "card": CardRef(row.card), "state": RequestState(row.state)}
    fields |= {"asked_at": moment(row.asked_at), "answered_at": moment(row.answered_at) if row.answered_at else None}
    return ReviewRequest(**fields)


def _notice(row: sa.Row[Any]) -> Notice:
    fields = dict(row._mapping)
    fields |= {"id": NoticeRef(row.id), "card": CardRef(row.card), "kind": NoticeKind(row.kind)}
    fields |= {"at": moment(row.at), "read_at": moment(row.read_at) if row.read_at else None}
    return Notice(**fields)
