"""What a card's content and status may be, and what changed between two contents. Pure; the schema is read once."""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from jsonschema_rs import Draft7Validator
from msgspec.structs import replace

from modelward.governance.cards.entities import (
    Card,
    CardStatus,
    CardVersion,
    Change,
    Completeness,
    Content,
    RiskRating,
)
from modelward.kernel import codec
from modelward.kernel.errors import Conflict, Invalid
from modelward.kernel.refs import CardRef, Digest, ModelRef, VersionRef

CONTENT_CHARACTERS_MAX = 100_000
NOTE_CHARACTERS_MAX = 4096
CHANGED_PATHS_MAX = 100
FAULTS_SHOWN_MAX = 3
VALUE_CHARACTERS_SHOWN_MAX = 80
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

RECOMMENDED = (
    "$.model_overview.model_description",
    "$.model_overview.model_owner",
    "$.model_overview.problem_type",
    "$.model_overview.algorithm_type",
    "$.intended_uses.purpose_of_model",
    "$.intended_uses.intended_uses",
    "$.intended_uses.risk_rating",
    "$.intended_uses.explanations_for_risk_rating",
    "$.business_details.business_problem",
    "$.training_details.training_job_details.training_datasets",
    "$.evaluation_details",
    "$.additional_information.ethical_considerations",
    "$.additional_information.caveats_and_recommendations",
)
STATUS_MOVES: dict[CardStatus, frozenset[CardStatus]] = {
    CardStatus.DRAFT: frozenset({CardStatus.PENDING_REVIEW, CardStatus.APPROVED, CardStatus.ARCHIVED}),
    CardStatus.PENDING_REVIEW: frozenset({CardStatus.DRAFT, CardStatus.APPROVED, CardStatus.ARCHIVED}),
    CardStatus.APPROVED: frozenset({CardStatus.DRAFT, CardStatus.PENDING_REVIEW, CardStatus.ARCHIVED}),
    CardStatus.ARCHIVED: frozenset(),
}


class CardArchived(Conflict):
    """The card is archived, which is final."""


class CardStatusMoveForbidden(Conflict):
    """A card cannot go from this status to that one."""


@cache
def schema() -> dict[str, Any]:
    """The schema of a card's content."""
    text = resources.files("modelward.governance.cards").joinpath("schema.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@cache
def _validator() -> Draft7Validator:
    return Draft7Validator(schema())


def check_content(content: Content) -> None:
    """Refuse a content that breaks the schema or is too long.

    Raises:
        Invalid: the first faults, each with its path, its value and the rule.
    """
    try:
        size = len(codec.canonical(content).decode())
        faults = list(_validator().iter_errors(content))
    except (ValueError, RecursionError, TypeError) as problem:
        raise Invalid(f"The content of a card cannot be read as JSON: {problem}.", field="$") from problem
    if size > CONTENT_CHARACTERS_MAX:
        raise Invalid(
            f"The content has {size} characters as JSON; at most {CONTENT_CHARACTERS_MAX} are kept.", field="$"
        )
    if not faults:
        return
    told = [_fault_in_words(fault) for fault in faults[:FAULTS_SHOWN_MAX]]
    more = f" And {len(faults) - len(told)} more." if len(faults) > len(told) else ""
    raise Invalid(" ".join(told) + more, field=_path_of(faults[0].instance_path))


def _fault_in_words(fault: Any) -> str:
    path = _path_of(fault.instance_path)
    rule, limit = (fault.schema_path or ["schema"])[-1], fault.kind
    found = _rule_value(fault.schema_path)
    told = f"{rule} {_short(found)}" if found is not None else str(rule)
    if rule == "additionalProperties":
        unknown = ", ".join(repr(name)[:VALUE_CHARACTERS_SHOWN_MAX] for name in limit.unexpected)
        return f"{path} does not know the field {unknown}."
    if rule == "required":
        return f"{path} lacks the field {limit.property!r}, which is required."
    return f"{path} is {_short(fault.instance)}; the rule is {told}."


def _rule_value(schema_path: list[Any]) -> Any:
    here: Any = schema()
    for step in schema_path:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            return None
        if isinstance(here, dict) and "$ref" in here:
            here = schema()["definitions"][here["$ref"].rpartition("/")[2]]
    return here if isinstance(here, str | int | float) or (isinstance(here, list) and len(here) < 10) else None


def _short(value: Any) -> str:
    text = value if isinstance(value, str) and value in ("object", "string") else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= VALUE_CHARACTERS_SHOWN_MAX else text[: VALUE_CHARACTERS_SHOWN_MAX - 3] + "..."


def _path_of(steps: list[Any]) -> str:
    path = "$"
    for step in steps:
        path = _deeper(path, step)
    return path


def _deeper(path: str, step: str | int) -> str:
    if isinstance(step, int):
        return f"{path}[{step}]"
    return f"{path}.{step}" if _PLAIN_KEY.fullmatch(step) else f"{path}[{json.dumps(step)}]"


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
) -> tuple[Card, CardVersion]:
    """A new draft with its first version."""
    digest = digest_of(content)
    card = Card(
        name=name,
        model=model,
        version=version,
        digest=digest,
        risk_rating=risk_rating_of(content),
        created_at=at,
        created_by=by,
        modified_at=at,
        modified_by=by,
    )
    first = CardVersion(card=name, number=1, content=content, digest=digest, origins=origins, at=at, by=by, note=note)
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
        if not any(_covers(one, path) or _covers(path, one) for one in touched)
    }
    after = replace(
        card,
        status=CardStatus.DRAFT if card.status is CardStatus.APPROVED else card.status,
        number=number,
        digest=digest,
        risk_rating=risk_rating_of(content),
        modified_at=at,
        modified_by=by,
    )
    version = CardVersion(
        card=card.name, number=number, content=content, digest=digest, origins=kept, at=at, by=by, note=note
    )
    return after, version


def _covers(outer: str, inner: str) -> bool:
    return inner == outer or (inner.startswith(outer) and inner[len(outer)] in ".[")


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
            yield from _changes(before.get(key, _ABSENT), after.get(key, _ABSENT), _deeper(path, key))
    elif isinstance(before, list) and isinstance(after, list):
        for place in range(max(len(before), len(after))):
            old = before[place] if place < len(before) else _ABSENT
            new = after[place] if place < len(after) else _ABSENT
            yield from _changes(old, new, _deeper(path, place))
    elif type(before) is not type(after) or before != after:
        yield Change(path=path, before=None if before is _ABSENT else before, after=None if after is _ABSENT else after)


def leaves(content: Any, path: str = "$") -> list[str]:
    """The paths of all fields that hold a value; a list is one field."""
    if isinstance(content, dict):
        return [leaf for key, value in content.items() for leaf in leaves(value, _deeper(path, key))]
    return [path]


def completeness(content: Content) -> Completeness:
    """Which of the recommended fields are filled. A risk rating of Unknown is not filled."""
    filled = [path for path in RECOMMENDED if _is_filled(content, path)]
    missing = [path for path in RECOMMENDED if path not in filled]
    return Completeness(share=len(filled) / len(RECOMMENDED), filled=filled, missing=missing)


def _is_filled(content: Content, path: str) -> bool:
    value: Any = content
    for step in path.split(".")[1:]:
        value = value.get(step) if isinstance(value, dict) else None
    return bool(value.strip() if isinstance(value, str) else value) and value != RiskRating.UNKNOWN
