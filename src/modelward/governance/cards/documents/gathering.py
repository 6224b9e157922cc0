"""Gathers all that a document tells of a version of a card, in one read."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import controls, reading, rules
from modelward.governance.cards.control_packs import ControlResult
from modelward.governance.cards.documents.entities import Export
from modelward.governance.cards.documents.facts import BoundEvidence, CardFacts, Control, ControlPack, Signature
from modelward.governance.cards.documents.outline import figure
from modelward.governance.cards.entities import Card, CardStatus, CardVersion, StatusEntry
from modelward.storage.work import Work

# Who else signed a version of a card: the capabilities above know, and are handed in.
Signatures = Callable[[Work, CardVersion, Card], list[Signature]]


def gather(work: Work, export: Export, *, address: str, signatures: Signatures) -> CardFacts:
    """The facts of an export. ``address`` is where the pages are reached; empty: unknown."""
    require(work, Permission.CARD_READ, on=export.card)
    card = reading.get_card(work, export.card)
    version = reading.get_version(work, export.card, number=export.number)
    own = [each for each in reading.list_statuses(work, card.name) if each.number == version.number]
    bound = reading.list_bindings(work, card.name, number=version.number)
    complete = rules.completeness(version.content)
    return CardFacts(
        name=card.name,
        model=card.model,
        version=card.version,
        status=(card.status if version.number == card.number else own[-1].status if own else CardStatus.DRAFT).value,
        number=version.number,
        current=card.number,
        digest=version.digest,
        content=version.content,
        origins=version.origins,
        at=version.at,
        by=version.by,
        note=version.note,
        risk_rating=rules.risk_rating_of(version.content).value,
        complete_share=complete.share,
        missing=complete.missing,
        signatures=sorted([*_approvals(own), *signatures(work, version, card)], key=lambda each: each.at),
        evidence=[
            BoundEvidence(
                path=each.path,
                source=each.source,
                digest=str(each.digest),
                at=each.at,
                value=_value(each.value),
                state=f"{each.state}: {each.reason}" if each.reason else each.state,
            )
            for each in bound
        ],
        pack=_controls(work, card, version, export.pack) if export.pack else None,
        link=f"{address.rstrip('/')}/cards/{quote(card.name, safe='')}" if address else "",
    )


def _approvals(statuses: list[StatusEntry]) -> list[Signature]:
    return [
        Signature(by=each.by, at=each.at, meaning=rules.MEANINGS[CardStatus.APPROVED], note=each.reason)
        for each in statuses
        if each.status is CardStatus.APPROVED
    ]


def _value(value: Any) -> str:
    if value is None:
        return ""
    return "all its measures" if isinstance(value, list | dict) else figure(value)


def _controls(work: Work, card: Card, version: CardVersion, pack: str) -> ControlPack:
    # An earlier version is judged by what was known when it was written.
    found = controls.assess_controls(work, card.name, pack, at=None if version.number == card.number else version.at)
    return ControlPack(
        name=found.title,
        source=found.source,
        controls=[
            Control(clause=each.clause, title=each.title, result=each.state.value, told=_told(each))
            for each in found.results
        ],
    )


def _told(result: ControlResult) -> str:
    since = f" Since {result.since:%Y-%m-%d}." if result.since else ""
    by = f" Stated by {result.stated_by}." if result.stated_by else ""
    return f"{result.reason}{since}{by}".strip()
