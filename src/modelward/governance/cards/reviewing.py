"""What one can do with requests to look at a card: ask, answer, withdraw, list. The review of a version is elsewhere."""

from msgspec.structs import replace

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import conversation, inbox, use_cases
from modelward.governance.cards import conversation_store as store
from modelward.governance.cards.conversation import (
    WHOLE_CARD,
    CardReviewAnswered,
    CardReviewAsked,
    CardReviewWithdrawn,
    NoticeKind,
    RequestRef,
    RequestState,
    ReviewRequest,
)
from modelward.governance.cards.entities import CardStatus
from modelward.governance.cards.rules import CardArchived
from modelward.kernel.errors import Invalid, NotAllowed, NotFound
from modelward.kernel.ids import new_id
from modelward.kernel.pages import Page, PageRequest
from modelward.kernel.refs import CardRef
from modelward.storage.work import Work


def ask_for_review(
    work: Work, card: CardRef, *, reviewer: str, path: str = WHOLE_CARD, note: str = ""
) -> ReviewRequest:
    """Ask somebody to look at a section or the whole of a card; they get a notice.

    Raises:
        CardArchived: the card is archived, so there is nothing to change any more.
        Invalid: the reviewer is oneself or has no access, the path is unknown, or the note too long.
    """
    require(work, Permission.CARD_COMMENT, on=card)
    conversation.check_path(path)
    conversation.check_text(note, field="note", may_be_empty=True)
    found = use_cases.get_card(work, card)
    if found.status is CardStatus.ARCHIVED:
        raise CardArchived(f"{card} is archived, so nobody needs to look at it.", field="card")
    if reviewer == work.actor.id:
        raise Invalid("Ask somebody else: one's own view needs no request.", field="reviewer")
    inbox.check_person(work, reviewer, field="reviewer")
    new = ReviewRequest(
        id=RequestRef(new_id("request")),
        card=card,
        path=path,
        number=found.number,
        reviewer=reviewer,
        asked_by=work.actor.id,
        asked_at=work.now,
        note=note,
    )
    store.add_request(work, new)
    work.record(CardReviewAsked(card=card, request=new.id, path=path, number=new.number, reviewer=reviewer))
    _tell(work, new, reviewer, NoticeKind.REVIEW_ASKED, note)
    return new


def _tell(work: Work, request: ReviewRequest, person: str, kind: NoticeKind, text: str) -> None:
    inbox.notify(work, [person], kind=kind, card=request.card, path=request.path, about=request.id, text=text)


def answer_review(work: Work, ref: RequestRef, *, done: bool, text: str = "") -> ReviewRequest:
    """Answer a request as the one who was asked: done, or declined, in which case the text says why.

    Raises:
        NotAllowed: somebody else was asked.
        RequestClosed: it was answered or withdrawn already.
    """
    require(work, Permission.CARD_COMMENT, on=ref)
    conversation.check_text(text, may_be_empty=done)
    found = get_request(work, ref)
    if found.reviewer != work.actor.id:
        raise NotAllowed(f"{found.reviewer} was asked; only they can answer.", hint="Write a comment instead.")
    conversation.check_open(found)
    changed = replace(
        found,
        state=RequestState.DONE if done else RequestState.DECLINED,
        answer=text,
        answered_at=work.now,
        answered_number=use_cases.get_card(work, found.card).number,
    )
    store.put_request(work, changed)
    assert changed.answered_number is not None
    work.record(
        CardReviewAnswered(
            card=found.card, request=ref, path=found.path, number=changed.answered_number, state=changed.state
        )
    )
    _tell(work, changed, found.asked_by, NoticeKind.REVIEW_ANSWERED, text)
    return changed


def withdraw_review(work: Work, ref: RequestRef) -> ReviewRequest:
    """Take a request back, as the one who asked or the owner of the card.

    Raises:
        NotAllowed: it is somebody else's request and card.
        RequestClosed: it was answered or withdrawn already.
    """
    require(work, Permission.CARD_COMMENT, on=ref)
    found = get_request(work, ref)
    if work.actor.id not in (found.asked_by, use_cases.get_card(work, found.card).owner):
        raise NotAllowed(f"{found.asked_by} asked; only they or the owner of {found.card} can withdraw it.")
    conversation.check_open(found)
    changed = replace(found, state=RequestState.WITHDRAWN, answered_at=work.now)
    store.put_request(work, changed)
    work.record(CardReviewWithdrawn(card=found.card, request=ref))
    return changed


def get_request(work: Work, ref: RequestRef) -> ReviewRequest:
    """A request.

    Raises:
        NotFound: there is none.
    """
    require(work, Permission.CARD_READ, on=ref)
    found = store.find_request(work, ref)
    if found is None:
        raise NotFound(f"There is no review request {ref}.", field="request")
    return found


def list_requests(
    work: Work,
    *,
    page: PageRequest,
    card: CardRef | None = None,
    reviewer: str | None = None,
    state: RequestState | None = None,
) -> Page[ReviewRequest]:
    """Requests, the newest first; of a card, a reviewer and a state, where asked for."""
    require(work, Permission.CARD_READ)
    return store.list_requests(work, page=page, card=card, reviewer=reviewer, state=state)
