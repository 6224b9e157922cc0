"""What people say about cards over REST: comments, requests to look at a section, one's inbox."""

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import comments, inbox, reviewing
from modelward.governance.cards.conversation import (
    WHOLE_CARD,
    Comment,
    CommentRef,
    CommentText,
    Notice,
    NoticeRef,
    RequestRef,
    RequestState,
    ReviewRequest,
)
from modelward.interfaces.rest.operations import Operations
from modelward.kernel.pages import PAGE_SIZE_DEFAULT, Page, PageRequest
from modelward.kernel.refs import CardRef
from modelward.storage.work import Work

card_comments = Operations("comments")


class WriteComment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said of which path of which version (the current one), or in answer to which comment."""

    text: str
    path: str = WHOLE_CARD
    number: int | None = None
    reply_to: CommentRef | None = None


class EditComment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the comment says from now on."""

    text: str


class ListComments(msgspec.Struct, frozen=True, kw_only=True):
    """Which comments: those of a path (``section``), of threads that are resolved or not."""

    section: str | None = None
    resolved: bool | None = None
    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None


class AskForReview(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is asked to look at which path, and why."""

    reviewer: str
    path: str = WHOLE_CARD
    note: str = ""


class AnswerReview(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether it is done or declined, and what one has to say."""

    done: bool
    text: str = ""


class ListRequests(msgspec.Struct, frozen=True, kw_only=True):
    """Which requests: of a card, to a person, in a state."""

    card: CardRef | None = None
    reviewer: str | None = None
    state: RequestState | None = None
    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None


class ListInbox(msgspec.Struct, frozen=True, kw_only=True):
    """Which notices: all, or the unread ones."""

    unread: bool = False
    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None


class InboxSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How many notices are unread."""

    unread: int


@card_comments.operation("POST", "/cards/{card}/comments", permission=Permission.CARD_COMMENT, status=201)
def write_comment(work: Work, card: CardRef, body: WriteComment) -> Comment:
    """Comment on a card or a section of it, or answer a comment; ``@id`` tells a person of it."""
    return comments.write_comment(
        work, card, text=body.text, path=body.path, number=body.number, reply_to=body.reply_to
    )


@card_comments.operation("GET", "/cards/{card}/comments", permission=Permission.CARD_READ)
def list_comments(work: Work, card: CardRef, query: ListComments) -> Page[Comment]:
    """List the comments of a card, thread by thread."""
    page = PageRequest(limit=query.limit, cursor=query.cursor)
    return comments.list_comments(work, card, page=page, path=query.section, resolved=query.resolved)


@card_comments.operation("GET", "/comments/{comment}", permission=Permission.CARD_READ)
def get_comment(work: Work, comment: CommentRef) -> Comment:
    """Get a comment."""
    return comments.get_comment(work, comment)


@card_comments.operation("PUT", "/comments/{comment}", permission=Permission.CARD_COMMENT)
def edit_comment(work: Work, comment: CommentRef, body: EditComment) -> Comment:
    """Change what a comment of one's own says; what it said before is kept."""
    return comments.edit_comment(work, comment, text=body.text)


@card_comments.operation("GET", "/comments/{comment}/history", permission=Permission.CARD_READ)
def show_comment_history(work: Work, comment: CommentRef) -> list[CommentText]:
    """Show all that a comment has said, the oldest first."""
    return comments.comment_history(work, comment)


@card_comments.operation("POST", "/comments/{comment}/resolve", permission=Permission.CARD_COMMENT)
def resolve_thread(work: Work, comment: CommentRef) -> Comment:
    """Mark the thread of a comment as dealt with."""
    return comments.resolve_thread(work, comment)


@card_comments.operation("POST", "/comments/{comment}/reopen", permission=Permission.CARD_COMMENT)
def reopen_thread(work: Work, comment: CommentRef) -> Comment:
    """Open the thread of a comment again."""
    return comments.reopen_thread(work, comment)


@card_comments.operation("POST", "/cards/{card}/review-requests", permission=Permission.CARD_COMMENT, status=201)
def ask_for_card_review(work: Work, card: CardRef, body: AskForReview) -> ReviewRequest:
    """Ask somebody to look at a section or the whole of a card."""
    return reviewing.ask_for_review(work, card, reviewer=body.reviewer, path=body.path, note=body.note)


@card_comments.operation("GET", "/card-review-requests", permission=Permission.CARD_READ)
def list_card_review_requests(work: Work, query: ListRequests) -> Page[ReviewRequest]:
    """List requests to look at cards, the newest first."""
    page = PageRequest(limit=query.limit, cursor=query.cursor)
    return reviewing.list_requests(work, page=page, card=query.card, reviewer=query.reviewer, state=query.state)


@card_comments.operation("GET", "/card-review-requests/{request}", permission=Permission.CARD_READ)
def get_card_review_request(work: Work, request: RequestRef) -> ReviewRequest:
    """Get a request to look at a card."""
    return reviewing.get_request(work, request)


@card_comments.operation("POST", "/card-review-requests/{request}/answer", permission=Permission.CARD_COMMENT)
def answer_card_review(work: Work, request: RequestRef, body: AnswerReview) -> ReviewRequest:
    """Answer a request as the one who was asked: done, or declined with a reason."""
    return reviewing.answer_review(work, request, done=body.done, text=body.text)


@card_comments.operation("POST", "/card-review-requests/{request}/withdraw", permission=Permission.CARD_COMMENT)
def withdraw_card_review(work: Work, request: RequestRef) -> ReviewRequest:
    """Take a request back, as the one who asked or the owner of the card."""
    return reviewing.withdraw_review(work, request)


@card_comments.operation("GET", "/inbox", permission=Permission.SELF_READ)
def list_inbox(work: Work, query: ListInbox) -> Page[Notice]:
    """List one's own notices, the newest first: mentions, answers, and what one is asked to look at."""
    return inbox.list_inbox(work, page=PageRequest(limit=query.limit, cursor=query.cursor), unread=query.unread)


@card_comments.operation("GET", "/inbox/summary", permission=Permission.SELF_READ)
def count_inbox(work: Work) -> InboxSummary:
    """Count one's unread notices."""
    return InboxSummary(unread=inbox.count_unread(work))


@card_comments.operation("POST", "/inbox/{notice}/read", permission=Permission.SELF_READ)
def mark_notice_read(work: Work, notice: NoticeRef) -> Notice:
    """Mark a notice as read."""
    return inbox.mark_read(work, notice)
