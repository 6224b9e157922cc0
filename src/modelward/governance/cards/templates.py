"""Templates: what an organisation says a card must have. TOML in, frozen values out, and which fields lack. Pure."""

import hashlib
import json
import re
import tomllib
from functools import cache, lru_cache
from importlib import resources
from typing import Any, TypeVar

import msgspec

from modelward.governance.cards import paths
from modelward.governance.cards.entities import (
    Card,
    CardStatus,
    CardVersion,
    Completeness,
    Content,
    RequiredField,
    RiskRating,
)
from modelward.governance.cards.evidence import DAYS_MAX_MOST, EvidenceKind
from modelward.governance.cards.schema import knows, schema
from modelward.kernel import codec
from modelward.kernel.errors import Conflict, Invalid
from modelward.kernel.refs import Digest

TEMPLATE_CHARACTERS_MAX = 100_000
FIELDS_TOLD_MAX = 12
ORDER = {CardStatus.DRAFT: 0, CardStatus.PENDING_REVIEW: 1, CardStatus.APPROVED: 2}
EVIDENCE = "evidence:"
NAME_CHARACTERS_MAX = 200
# Where msgspec says that a value is wrong.
_PLACE = re.compile(r" - at `\$([^`]*)`")
T = TypeVar("T")


class CardIncomplete(Conflict):
    """The card lacks what its next status asks for."""


class Requirement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a status asks for: fields by path and kinds of evidence to be bound; of cards of some risk ratings, or of all."""

    status: CardStatus
    fields: list[str] = []
    evidence: list[EvidenceKind] = []
    risk_ratings: list[RiskRating] = []


class Template(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What cards take over, are recommended and required to have, and how old their evidence may become (days by kind)."""

    name: str
    carry_over: list[str] = []
    recommended: list[str] = []
    evidence_days: dict[EvidenceKind, int] = {}
    required: list[Requirement] = []


@cache
def default_text() -> str:
    """The template that comes with Modelward."""
    return resources.files("modelward.governance.cards").joinpath("template.toml").read_text("utf-8")


@cache
def default() -> Template:
    """The template that comes with Modelward, read."""
    return parse(default_text(), source="that comes with Modelward")


@lru_cache(maxsize=16)
def digest_of(text: str) -> Digest:
    """The SHA-256 of a template's text."""
    return Digest("sha256:" + hashlib.sha256(text.encode()).hexdigest())


@lru_cache(maxsize=16)
def parse(text: str, *, source: str) -> Template:
    """Read a template, from TOML or JSON.

    Raises:
        Invalid: it is neither, has an unknown field, or a path of it is none; the message names the path in the template.
    """
    if len(text) > TEMPLATE_CHARACTERS_MAX:
        raise Invalid(f"The template has {len(text)} characters; at most {TEMPLATE_CHARACTERS_MAX} are read.")
    is_json = text.lstrip().startswith("{")
    try:
        content = json.loads(text) if is_json else tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as problem:
        kind = "JSON" if is_json else "TOML"
        raise Invalid(f"The template {source} is not {kind}: {problem}.", field="template") from problem
    template = converted(content, Template, root="template", named=f"The template {source}")
    _check_paths(template.carry_over, "carry_over")
    _check_paths(template.recommended, "recommended")
    for number, each in enumerate(template.required):
        _check_paths(each.fields, f"required[{number}].fields")
        if each.status not in (CardStatus.PENDING_REVIEW, CardStatus.APPROVED):
            raise Invalid(
                f"{each.status.value} asks for nothing; use pending-review or approved.",
                field=f"template.required[{number}].status",
            )
    for kind, days in template.evidence_days.items():
        if not 1 <= days <= DAYS_MAX_MOST:
            raise Invalid(
                f"evidence_days.{kind.value} is {days}; it must be from 1 to {DAYS_MAX_MOST}.",
                field=f"template.evidence_days.{kind.value}",
            )
    return template


def _check_paths(found: list[str], field: str) -> None:
    for number, path in enumerate(found):
        steps = paths.steps_of(path, field=f"template.{field}[{number}]")
        if steps and steps[0] not in schema()["properties"]:
            raise Invalid(f"A card has no section {steps[0]!r}.", field=f"template.{field}[{number}]")


def check_new(template: Template) -> None:
    """Refuse a template that asks for fields which no card has: nobody could ever fill them.

    Raises:
        Invalid: there is such a field; the message names the path in the template.
    """
    check_text(template.name, "template.name", NAME_CHARACTERS_MAX)
    check_known(template.carry_over, "template.carry_over")
    check_known(template.recommended, "template.recommended")
    for number, each in enumerate(template.required):
        check_known(each.fields, f"template.required[{number}].fields")


def check_known(found: list[str], field: str) -> None:
    """Refuse paths to which no card has a field.

    Raises:
        Invalid: the first of them.
    """
    for number, path in enumerate(found):
        here = f"{field}[{number}]"
        if not knows(paths.steps_of(path, field=here)):
            raise Invalid(f"A card has no field {path[:100]!r}.", field=here, hint="See GET /api/v1/cards/schema.")


def check_text(text: str, field: str, most: int) -> None:
    """Refuse a text that is blank or too long.

    Raises:
        Invalid: it is one of both.
    """
    if not text.strip() or len(text) > most:
        raise Invalid(f"{field} has {len(text)} characters; it must have from 1 to {most}.", field=field)


def converted(told: Any, kind: type[T], *, root: str, named: str) -> T:
    """What was written in a file, as a value of ours.

    Raises:
        Invalid: a field is unknown, absent or of another kind; the error's field is its path, such as ``pack.control[0]``.
    """
    try:
        return codec.convert(told, kind, field=root)
    except Invalid as problem:
        words = problem.message.removeprefix(f"{root} is not valid: ")
        place = _PLACE.search(words)
        where = root + (place[1] if place else "")
        raise Invalid(f"{named} is not valid at {where}: {_PLACE.sub('', words)}.", field=where) from problem


def is_filled(content: Content, path: str) -> bool:
    """Whether a field says something. Blank texts, empty lists and a risk rating of Unknown say nothing."""
    value: Any = paths.value_at(content, path)
    if isinstance(value, str):
        return bool(value.strip()) and value != RiskRating.UNKNOWN
    return value is not None and value != [] and value != {}


def required(template: Template, version: CardVersion, risk_rating: RiskRating) -> list[RequiredField]:
    """Everything that a template asks of a card version, the earlier status first, each path once."""
    bound = frozenset(each.kind for each in version.bindings.values())
    return required_of(template, version.content, risk_rating, bound=bound)


def required_of(
    template: Template,
    content: Content,
    risk_rating: RiskRating,
    *,
    bound: frozenset[EvidenceKind] = frozenset(),
) -> list[RequiredField]:
    """Everything that a template asks of a content to which these kinds of evidence are bound."""
    found: dict[str, RequiredField] = {}
    for status in (CardStatus.PENDING_REVIEW, CardStatus.APPROVED):
        for ask in template.required:
            if ask.status is not status or (ask.risk_ratings and risk_rating not in ask.risk_ratings):
                continue
            for path in ask.fields:
                how = f"Fill {path} (edit the card) or bind it to evidence."
                filled = is_filled(content, path)
                found.setdefault(path, RequiredField(path=path, status=status, filled=filled, how=how))
            for kind in ask.evidence:
                how = f"Bind {kind.value} evidence: ask for an evaluation of the version, or import a report."
                path = f"{EVIDENCE}{kind.value}"
                found.setdefault(path, RequiredField(path=path, status=status, filled=kind in bound, how=how))
    return list(found.values())


def completeness(template: Template, card: Card, version: CardVersion, *, digest: Digest | None = None) -> Completeness:
    """How complete a card is by a template."""
    filled = [path for path in template.recommended if is_filled(version.content, path)]
    missing = [path for path in template.recommended if path not in filled]
    asked = required(template, version, card.risk_rating)
    after = {CardStatus.DRAFT: CardStatus.PENDING_REVIEW, CardStatus.PENDING_REVIEW: CardStatus.APPROVED}.get(
        card.status
    )
    return Completeness(
        share=len(filled) / len(template.recommended) if template.recommended else 1.0,
        filled=filled,
        missing=missing,
        required=asked,
        next_status=after,
        blocking=[each.path for each in lacking(asked, after)] if after else [],
        template=digest,
    )


def lacking(asked: list[RequiredField], status: CardStatus) -> list[RequiredField]:
    """What is asked for a status, or for one before it, and not there."""
    return [each for each in asked if not each.filled and ORDER[each.status] <= ORDER.get(status, 0)]


def check_advance(template: Template, card: Card, version: CardVersion, after: CardStatus) -> None:
    """Refuse a status that asks for what the card lacks. Going back, and to archived, asks for nothing.

    Raises:
        CardIncomplete: the message lists every missing path.
    """
    if ORDER.get(after, 0) <= ORDER.get(card.status, 0):
        return
    lack = lacking(required(template, version, card.risk_rating), after)
    if not lack:
        return
    told = ", ".join(each.path for each in lack[:FIELDS_TOLD_MAX])
    more = f" and {len(lack) - FIELDS_TOLD_MAX} more" if len(lack) > FIELDS_TOLD_MAX else ""
    raise CardIncomplete(
        f"{card.name} cannot become {after.value}: it lacks {told}{more}.",
        field=lack[0].path,
        hint=f"{lack[0].how} The template {template.name!r} asks for it.",
    )


def debt(template: Template, version: CardVersion, risk_rating: RiskRating) -> int:
    """How many of the fields required for an approval are missing."""
    return sum(1 for each in required(template, version, risk_rating) if not each.filled)
