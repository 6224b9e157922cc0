"""How a card is deleted for good: only a draft that nobody ever relied on. The event log keeps what happened."""

import sqlalchemy as sa

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import conversation_store, rules, store, use_cases
from modelward.governance.cards.entities import Card, CardStatus
from modelward.kernel.errors import Conflict
from modelward.kernel.events import Happening
from modelward.kernel.refs import CardRef, Digest, VersionRef
from modelward.storage import event_log
from modelward.storage.work import Work

# A row in it lets the versions of one card go; it lives as long as the transaction that deletes the card.
metadata = sa.MetaData()
card_deletion = sa.Table("card_deletion", metadata, sa.Column("card", sa.Text, primary_key=True))
STATUS_EVENTS_READ = 1000
# All tables whose rows name one card; a test holds the list to the schema. Some belong to rooms above this one.
GO_WITH_A_CARD = (
    "card_attachment",
    "card_binding",
    "card_comment",
    "card_control",
    "card_delivery",
    "card_export",
    "card_notice",
    "card_particulars",
    "card_review_request",
    "card_status",
    "card_wording",
    "card_words",
    "card_version",
)


class CardNotDeletable(Conflict):
    """Only a draft that was never approved can be deleted."""


class CardDeleted(Happening, frozen=True, kw_only=True):
    """A draft card was deleted with its versions and comments; the digest is that of its last content."""

    card: CardRef
    version: VersionRef | None
    number: int
    digest: Digest
    reason: str


def delete_card(work: Work, name: CardRef, *, reason: str = "", regardless: bool = False) -> Card:
    """Delete a draft that was never approved, with its versions, comments, requests and attachments.

    ``regardless`` of its status is for the test mode of an interface, which promises nothing.

    Raises:
        CardNotDeletable: it is no draft, or was approved once.
    """
    require(work, Permission.CARD_WRITE, on=name)
    card = use_cases.get_card(work, name)
    rules.check_note(reason, field="reason")
    if card.status is not CardStatus.DRAFT and not regardless:
        raise CardNotDeletable(
            f"{name} is {card.status.value}; only drafts can be deleted.", hint="Archive it instead."
        )
    if not regardless and was_approved(work, card):
        raise CardNotDeletable(f"{name} was approved once, so it is kept.", hint="Archive it instead.")
    _take_out(work, name)
    work.record(CardDeleted(card=name, version=card.version, number=card.number, digest=card.digest, reason=reason))
    return card


def was_approved(work: Work, card: Card) -> bool:
    """Whether a card was ever approved since it was created; an earlier card of the same name does not count."""
    if card.status is CardStatus.APPROVED:
        return True
    before: int | None = None
    while True:
        events = event_log.read(
            work.connection,
            subjects=[card.name],
            names=["CardStatusChanged"],
            before=before,
            limit=STATUS_EVENTS_READ,
        )
        for event in events:
            if event.at < card.created_at:
                return False
            if CardStatus.APPROVED.value in (event.detail["after"], event.detail["before"]):
                return True
        if len(events) < STATUS_EVENTS_READ:
            return False
        before = events[-1].sequence


def _take_out(work: Work, name: CardRef) -> None:
    talk, said = conversation_store.comment, conversation_store.comment_text
    work.execute(sa.insert(card_deletion), {"card": name})
    work.execute(sa.delete(said).where(said.c.comment.in_(sa.select(talk.c.id).where(talk.c.card == name))))
    # Answers first: a comment points at the first of its thread.
    work.execute(sa.delete(talk).where(talk.c.card == name, talk.c.id != talk.c.thread))
    for each in GO_WITH_A_CARD:
        table = sa.table(each, sa.column("card"))
        work.execute(sa.delete(table).where(table.c.card == name))
    work.execute(sa.delete(store.card).where(store.card.c.name == name))
    work.execute(sa.delete(card_deletion).where(card_deletion.c.card == name))
