"""What people say about a card: comments by section, requests to look at it, and each person's inbox."""

from typing import Any

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import comments, inbox, reviewing
from modelward.governance.cards.conversation import Comment, CommentRef, NoticeKind, NoticeRef, RequestRef
from modelward.interfaces.web import card_schema
from modelward.interfaces.web.card_frame import frame
from modelward.interfaces.web.views import Redirect, Shown, Views, show
from modelward.kernel.errors import ModelwardError
from modelward.kernel.pages import PAGE_SIZE_MAX, PageRequest
from modelward.kernel.refs import CardRef
from modelward.storage.work import Work

views = Views()
NOTICES_ON_A_PAGE = 50
NOTICE_WORDS = {
    NoticeKind.MENTION: "mentions you",
    NoticeKind.REPLY: "answers in a thread of yours",
    NoticeKind.REVIEW_ASKED: "asks you to look",
    NoticeKind.REVIEW_ANSWERED: "answers your request",
}


class Discussed(msgspec.Struct, frozen=True, kw_only=True):
    """Which threads to show: of a section, and resolved ones too."""

    section: str = ""
    resolved: bool = False
    cursor: str | None = None
    done: str = ""


class NewComment(msgspec.Struct, frozen=True, kw_only=True):
    """What is said, about which section, or in answer to what."""

    text: str = ""
    section: str = ""
    reply_to: CommentRef | None = None


class NewText(msgspec.Struct, frozen=True, kw_only=True):
    """What a comment says from now on."""

    text: str = ""


class NewRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asked to look at what."""

    reviewer: str = ""
    section: str = ""
    note: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a request."""

    answer: str = ""
    text: str = ""


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """Which notices to list."""

    unread: bool = False
    cursor: str | None = None
    done: str = ""


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """A thread of comments: the first, and the answers to it."""

    about: str
    first: Comment
    answers: list[Comment]


@views.page("GET", "/cards/{card}/discussion", permission=Permission.CARD_READ)
def discussion(work: Work, card: CardRef, query: Discussed) -> Shown:
    """The threads of comments on a card, and the requests to look at it."""
    return _discussion(work, card, query=query, form={}, problem=None)


def discussion_again(work: Work, card: CardRef, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The same with the refusal."""
    return _discussion(work, card, query=Discussed(), form=form, problem=problem)


def _discussion(
    work: Work, card: CardRef, *, query: Discussed, form: dict[str, str], problem: ModelwardError | None
) -> Shown:
    page = PageRequest(limit=PAGE_SIZE_MAX, cursor=query.cursor)
    found = comments.list_comments(work, card, page=page, resolved=None if query.resolved else False)
    threads = _threads(found.items)
    if query.section:
        root = f"$.{query.section}"
        threads = [each for each in threads if each.first.path.startswith(root)]
    requests = reviewing.list_requests(work, page=PageRequest(), card=card).items
    return show(
        "card_discussion.html",
        **frame(work, card, "discussion", heading=f"Discussion of {card}"),
        threads=threads,
        next_cursor=found.next_cursor,
        requests=requests,
        sections=list(card_schema.SECTION_TITLES.items()),
        query=query,
        form=form,
        done=query.done,
        problem=problem,
    )


def _threads(said: list[Comment]) -> list[Thread]:
    found: dict[str, list[Comment]] = {}
    for each in said:
        found.setdefault(str(each.thread), []).append(each)
    return [
        Thread(about=card_schema.title_at(each[0].path), first=each[0], answers=each[1:]) for each in found.values()
    ]


@views.page("POST", "/cards/{card}/discussion", permission=Permission.CARD_COMMENT, again=discussion_again)
def write_comment(work: Work, card: CardRef, form: NewComment) -> Redirect:
    """Write a comment, or answer one."""
    path = f"$.{form.section}" if form.section else "$"
    said = comments.write_comment(work, card, text=form.text, path=path, reply_to=form.reply_to)
    return Redirect(to=f"/cards/{card}/discussion?done=commented#{said.id}")


def comment_again(work: Work, comment: CommentRef, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The discussion with the refusal of what was done to one of its comments."""
    found = comments.get_comment(work, comment)
    return _discussion(work, found.card, query=Discussed(resolved=True), form={}, problem=problem)


@views.page("GET", "/comments/{comment}", permission=Permission.CARD_READ)
def show_comment(work: Work, comment: CommentRef) -> Shown:
    """One comment with all that it has said, and the form to change it."""
    return _comment(work, comment, {}, None)


def change_again(work: Work, comment: CommentRef, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The form once more."""
    return _comment(work, comment, form, problem)


def _comment(work: Work, comment: CommentRef, form: dict[str, str], problem: ModelwardError | None) -> Shown:
    found = comments.get_comment(work, comment)
    return show(
        "card_comment.html",
        **frame(work, found.card, "discussion", heading="A comment"),
        comment=found,
        texts=comments.comment_history(work, comment),
        about=card_schema.title_at(found.path),
        form=form,
        problem=problem,
    )


@views.page("POST", "/comments/{comment}", permission=Permission.CARD_COMMENT, again=change_again)
def edit_comment(work: Work, comment: CommentRef, form: NewText) -> Redirect:
    """Change what a comment of one's own says."""
    changed = comments.edit_comment(work, comment, text=form.text)
    return Redirect(to=f"/cards/{changed.card}/discussion?resolved=true&done=commented#{comment}")


@views.page("POST", "/comments/{comment}/resolve", permission=Permission.CARD_COMMENT, again=comment_again)
def resolve(work: Work, comment: CommentRef) -> Redirect:
    """Mark a thread as dealt with."""
    found = comments.resolve_thread(work, comment)
    return Redirect(to=f"/cards/{found.card}/discussion?done=resolved")


@views.page("POST", "/comments/{comment}/reopen", permission=Permission.CARD_COMMENT, again=comment_again)
def reopen(work: Work, comment: CommentRef) -> Redirect:
    """Open a thread again."""
    found = comments.reopen_thread(work, comment)
    return Redirect(to=f"/cards/{found.card}/discussion?done=reopened#{found.id}")


@views.page("POST", "/cards/{card}/requests", permission=Permission.CARD_COMMENT, again=discussion_again)
def ask(work: Work, card: CardRef, form: NewRequest) -> Redirect:
    """Ask somebody to look at a card or a section of it."""
    path = f"$.{form.section}" if form.section else "$"
    reviewing.ask_for_review(work, card, reviewer=form.reviewer.strip(), path=path, note=form.note.strip())
    return Redirect(to=f"/cards/{card}/discussion?done=asked")


def request_again(work: Work, request: RequestRef, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The discussion with the refusal of an answer."""
    return _discussion(work, reviewing.get_request(work, request).card, query=Discussed(), form=form, problem=problem)


@views.page("POST", "/card-requests/{request}/answer", permission=Permission.CARD_COMMENT, again=request_again)
def answer(work: Work, request: RequestRef, form: Answer) -> Redirect:
    """Answer a request as the one who was asked."""
    found = reviewing.answer_review(work, request, done=form.answer == "done", text=form.text.strip())
    return Redirect(to=f"/cards/{found.card}/discussion?done=answered")


@views.page("POST", "/card-requests/{request}/withdraw", permission=Permission.CARD_COMMENT, again=request_again)
def withdraw(work: Work, request: RequestRef) -> Redirect:
    """Take a request back."""
    found = reviewing.withdraw_review(work, request)
    return Redirect(to=f"/cards/{found.card}/discussion?done=withdrawn")


@views.page("GET", "/inbox", permission=Permission.SELF_READ)
def show_inbox(work: Work, query: Read) -> Shown:
    """One's own notices, the newest first."""
    page = inbox.list_inbox(work, page=PageRequest(limit=NOTICES_ON_A_PAGE, cursor=query.cursor), unread=query.unread)
    told: list[tuple[Any, str, str]] = [
        (each, NOTICE_WORDS[each.kind], card_schema.title_at(each.path)) for each in page.items
    ]
    return show(
        "inbox.html",
        notices=told,
        next_cursor=page.next_cursor,
        unread=inbox.count_unread(work),
        query=query,
        done=query.done,
    )


@views.page("POST", "/inbox/{notice}/read", permission=Permission.SELF_READ)
def mark_read(work: Work, notice: NoticeRef) -> Redirect:
    """Mark a notice as read, and go to what it is about."""
    found = inbox.mark_read(work, notice)
    anchor = "" if found.kind in (NoticeKind.REVIEW_ASKED, NoticeKind.REVIEW_ANSWERED) else f"#{found.about}"
    return Redirect(to=f"/cards/{found.card}/discussion?resolved=true{anchor}")
