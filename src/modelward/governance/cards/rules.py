"""What a card's content and status may be, and what changed between two contents. Pure; see schema.py for the fields."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from modelward.governance.cards import paths, templates
from modelward.governance.cards.entities import (
    Card,
    CardStatus,
    CardVersion,
    Change,
    Completeness,
    Content,
    RiskRating,
)
from modelward.governance.cards.evidence import Bound
from modelward.governance.cards.schema import CONTENT_CHARACTERS_MAX as CONTENT_CHARACTERS_MAX
from modelward.governance.cards.schema import check_content as check_content
from modelward.governance.cards.schema import schema as schema
from modelward.governance.cards.schema import short
from modelward.kernel import codec
from modelward.kernel.errors import Conflict, Invalid
from modelward.kernel.refs import CardRef, Digest, ModelRef, VersionRef

NOTE_CHARACTERS_MAX = 4096
CHANGED_PATHS_MAX = 100
NAME_CHARACTERS_NOMINAL = 63
WARNINGS_MAX = 20
SUBJECTS = (
    ("package", "$.model_package_details.model_package_arn"),
    ("model", "$.model_overview.model_id"),
    ("name", "$.model_overview.model_name"),
)
# What a person signs by moving a card to a status, whichever way it is done; kept with the event.
MEANINGS = {
    CardStatus.DRAFT: "The card is open to changes again. Approvals that rest on it may lapse.",
    CardStatus.PENDING_REVIEW: "I hold this card to be complete and true, and ask others to review it.",
    CardStatus.APPROVED: "I have read this version of the card and the evidence on it, and I approve what it says.",
    CardStatus.ARCHIVED: "This card is no longer in use. That is final: nobody can change it again.",
}
STATUS_MOVES: dict[CardStatus, frozenset[CardStatus]] = {
    CardStatus.DRAFT: frozenset({CardStatus.PENDING_REVIEW, CardStatus.APPROVED, CardStatus.ARCHIVED}),
    CardStatus.PENDING_REVIEW: frozenset({CardStatus.DRAFT, CardStatus.APPROVED, CardStatus.ARCHIVED}),
    CardStatus.APPROVED: frozenset({CardStatus.DRAFT, CardStatus.PENDING_REVIEW, CardStatus.ARCHIVED}),
    CardStatus.ARCHIVED: frozenset(),
}


class CardArchived(Conflict):
    """The card is archived, which is final."""


class CardSubjectFixed(Conflict):
    """What a card is about, once set, cannot be changed."""


class CardStatusMoveForbidden(Conflict):
    """A card cannot go from this status to that one."""


def check_note(text: str, *, field: str = "note") -> None:
    """Refuse a note that is too long.

    Raises:
        Invalid: it has more characters than are kept.
    """
    if len(text) > NOTE_CHARACTERS_MAX:
        raise Invalid(f"{field} has {len(text)} characters; at most {NOTE_CHARACTERS_MAX} are kept.", field=field)


def check_editable(card: Card) -> None:
    """Refuse to edit an archived card.

    Raises:
        CardArchived: it is archived.
    """
    if card.status is CardStatus.ARCHIVED:
        raise CardArchived(f"{card.name} is archived, which is final.", hint="Create a new card from its content.")


def check_status_move(card: Card, after: CardStatus) -> None:
    """Refuse a move of the status that the table does not list.

    Raises:
        CardArchived: the card is archived.
        CardStatusMoveForbidden: the card has that status already.
    """
    check_editable(card)
    if after not in STATUS_MOVES[card.status]:
        raise CardStatusMoveForbidden(f"{card.name} is {card.status.value} already.", field="status")


def digest_of(content: Content) -> Digest:
    """The SHA-256 of a content as canonical JSON: equal contents have equal digests."""
    return Digest("sha256:" + hashlib.sha256(codec.canonical(content)).hexdigest())


def risk_rating_of(content: Content) -> RiskRating:
    """The risk rating that a content states; unknown where it states none."""
    return RiskRating(content.get("intended_uses", {}).get("risk_rating", RiskRating.UNKNOWN))


def new_card(
    name: CardRef,
    content: Content,
    *,
    model: ModelRef | None,
    version: VersionRef | None,
    at: datetime,
    by: str,
    note: str,
    origins: dict[str, str],
    bindings: dict[str, Bound] | None = None,
    owner: str = "",
) -> tuple[Card, CardVersion]:
    """A new draft with its first version."""
    digest = digest_of(content)
    card = Card(
        name=name,
        model=model,
        version=version,
        digest=digest,
        risk_rating=risk_rating_of(content),
        owner=owner or by,
        subject=subject_of(content),
        of_model=model_said(content),
        created_at=at,
        created_by=by,
        modified_at=at,
        modified_by=by,
    )
    first = CardVersion(
        card=name,
        number=1,
        content=content,
        digest=digest,
        origins=origins,
        bindings=bindings or {},
        at=at,
        by=by,
        note=note,
    )
    return card, first


def edited(
    card: Card, current: CardVersion, content: Content, changes: list[Change], *, at: datetime, by: str, note: str
) -> tuple[Card, CardVersion]:
    """The card after an edit, with its next version; an approved card is a draft again.

    Fields that were not touched keep their origins.
    """
    digest, touched = digest_of(content), [each.path for each in changes]
    number = card.number + 1
    kept = {
        path: origin
        for path, origin in current.origins.items()
        if not any(paths.covers(one, path) or paths.covers(path, one) for one in touched)
    }
    after = replace(
        card,
        status=CardStatus.DRAFT if card.status is CardStatus.APPROVED else card.status,
        number=number,
        digest=digest,
        risk_rating=risk_rating_of(content),
        subject=subject_of(content),
        of_model=model_said(content),
        modified_at=at,
        modified_by=by,
    )
    version = CardVersion(
        card=card.name, number=number, content=content, digest=digest, origins=kept, at=at, by=by, note=note
    )
    return after, version


def merged(content: Any, patch: Any) -> Any:
    """A content with a JSON merge patch (RFC 7396) applied: null removes, objects merge, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(content) if isinstance(content, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def difference(before: Any, after: Any, path: str = "$") -> list[Change]:
    """What changed, by path; list items are compared place by place."""
    return list(_changes(before, after, path))


_ABSENT: Any = object()


def _changes(before: Any, after: Any, path: str) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _changes(before.get(key, _ABSENT), after.get(key, _ABSENT), paths.deeper(path, key))
    elif isinstance(before, list) and isinstance(after, list):
        for place in range(max(len(before), len(after))):
            old = before[place] if place < len(before) else _ABSENT
            new = after[place] if place < len(after) else _ABSENT
            yield from _changes(old, new, paths.deeper(path, place))
    elif type(before) is not type(after) or before != after:
        yield Change(path=path, before=None if before is _ABSENT else before, after=None if after is _ABSENT else after)


def leaves(content: Any, path: str = "$") -> list[str]:
    """The paths of all fields that hold a value; a list is one field."""
    if isinstance(content, dict):
        return [leaf for key, value in content.items() for leaf in leaves(value, paths.deeper(path, key))]
    return [path]


def completeness(content: Content, template: templates.Template | None = None) -> Completeness:
    """Which of the recommended fields are filled. A risk rating of Unknown is not filled."""
    asked = (template or templates.default()).recommended
    filled = [path for path in asked if templates.is_filled(content, path)]
    missing = [path for path in asked if path not in filled]
    return Completeness(share=len(filled) / len(asked) if asked else 1.0, filled=filled, missing=missing)


def subject_of(content: Content) -> str | None:
    """What a content says it is about: a package, else the id of a model, else the name of one; None where it says none."""
    for kind, path in SUBJECTS:
        if found := paths.value_at(content, path):
            return f"{kind} {found}"
    return None


def model_said(content: Content) -> str | None:
    """The model whose version a content says it is about; None where it says none."""
    package = content.get("model_package_details", {})
    if named := package.get("model_package_group_name"):
        return str(named)
    group, slash, number = package.get("model_package_arn", "").partition(":model-package/")[2].rpartition("/")
    return group if slash and number.isdigit() else None


def check_subject(before: Content, after: Content) -> None:
    """Refuse another model or package in a later version of a card.

    Raises:
        CardSubjectFixed: it was set, and is another or absent now.
    """
    for _, path in SUBJECTS:
        was, is_now = paths.value_at(before, path), paths.value_at(after, path)
        if was and was != is_now:
            raise CardSubjectFixed(
                f"{path} is {short(was)} and cannot become {short(is_now)}: a card stays with its model.",
                field=path,
                hint="Make a card of its own for another model.",
            )


def words_of(card: Card, content: Content) -> str:
    """What a search for text looks through: names and all texts, in small letters."""
    said = [card.name, card.model or "", card.version or "", *_texts(content)]
    # A database text holds no NUL, and nobody looks for one.
    return "\n".join(each for each in said if each).lower().replace("\0", " ")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def warnings(content: Content) -> list[str]:
    """What is kept as it is, though other tools may refuse it: names longer than their nominal limit."""
    found = []
    for place, evaluation in enumerate(content.get("evaluation_details", [])):
        at = f"$.evaluation_details[{place}]"
        names = [(f"{at}.name", evaluation["name"])]
        names += [
            (f"{at}.metric_groups[{n}].name", each["name"])
            for n, each in enumerate(evaluation.get("metric_groups", []))
        ]
        found += [
            f"{path} has {len(name)} characters; other tools may take only {NAME_CHARACTERS_NOMINAL}."
            for path, name in names
            if len(name) > NAME_CHARACTERS_NOMINAL
        ]
    return found[:WARNINGS_MAX]
