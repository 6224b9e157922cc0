"""Who decided about the version of a card, as the documents of the card tell of it."""

from modelward.governance.approvals import store
from modelward.governance.approvals.entities import Review, ReviewState
from modelward.governance.cards.documents.facts import Signature
from modelward.governance.cards.entities import Card, CardVersion
from modelward.kernel.pages import PAGE_SIZE_MAX, PageRequest
from modelward.storage import event_log
from modelward.storage.work import Work

MEANINGS = {
    ReviewState.APPROVED: "Approved {version} for use. The approval is bound to this version of the card, to the "
    "artifact, the evidence and the approval policy by their digests.",
    ReviewState.REJECTED: "Rejected {version}: it may not be used.",
}


def signatures_of(work: Work, version: CardVersion, card: Card) -> list[Signature]:
    """The decisions that were bound to a version of a card, each with what it means; a lapse is told in the note."""
    if card.version is None:
        return []
    found = store.list_reviews(work, page=PageRequest(limit=PAGE_SIZE_MAX), state=None, version=card.version)
    return [_signature(work, each) for each in found.items if _is_about(each, version)]


def _is_about(review: Review, version: CardVersion) -> bool:
    return (
        review.state in MEANINGS
        and review.bound is not None
        and review.bound.card == version.card
        and review.bound.card_number == version.number
    )


def _signature(work: Work, review: Review) -> Signature:
    assert review.decided_at is not None
    assert review.decided_by is not None
    lapses = event_log.read(work.connection, subjects=[review.id], names=["ApprovalLapsed"], limit=1)
    lapsed = [f"Lapsed on {each.at:%Y-%m-%d}: {each.detail.get('reason', '')}" for each in lapses]
    return Signature(
        by=review.decided_by,
        at=review.decided_at,
        meaning=MEANINGS[review.state].format(version=review.version),
        note="\n".join(part for part in (review.note, *lapsed) if part),
    )
