"""Control packs: what a framework asks, as data; and whether a card answers. Pure.

A control is covered when all its fields are filled, each kind of evidence it names is there and not stale, and each fact it
names holds; it is not applicable where somebody said so, or where it is only for other risk ratings; else it is open.
"""

import hashlib
import json
import re
import tomllib
from datetime import datetime
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from modelward.governance.cards import paths, templates
from modelward.governance.cards.entities import CardStatus, CardVersion, RiskRating, StatusEntry
from modelward.governance.cards.evidence import BoundField, EvidenceKind
from modelward.governance.cards.template_store import Statement
from modelward.kernel import codec
from modelward.kernel.errors import Invalid, NotFound
from modelward.kernel.refs import CardRef, Digest

CONTROLS_MAX = 500
TITLE_CHARACTERS_MAX, TEXT_CHARACTERS_MAX = 300, 4_000
_CONTROL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class PackMissing(NotFound):
    """There is no control pack of this name."""


class Fact(StrEnum):
    """Something about a card that no field says: that it was approved, read by others, or that its history is kept."""

    APPROVED = "approved"
    REVIEWED = "reviewed"
    HISTORY = "history"


class ControlState(StrEnum):
    """Whether a card answers a control."""

    COVERED = "covered"
    OPEN = "open"
    NOT_APPLICABLE = "not-applicable"


class Control(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One demand of a framework: the clause, and which fields, kinds of evidence and facts answer it.

    Where ``risk_ratings`` are named it is for cards of these only.
    """

    id: str
    clause: str
    title: str
    text: str
    fields: list[str] = []
    evidence: list[EvidenceKind] = []
    facts: list[Fact] = []
    risk_ratings: list[RiskRating] = []


class Pack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A framework: its title, where its demands stand, and the demands in their own order."""

    id: str
    title: str
    source: str
    control: list[Control]


class PackEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A pack in a list. ``number`` counts the versions of a pack of one's own; one that comes with Modelward has 0."""

    id: str
    title: str
    source: str
    controls: int
    number: int = 0
    built_in: bool = True
    retired: bool = False
    digest: Digest
    at: datetime | None = None
    by: str = ""
    note: str = ""


class PackVersion(PackEntry, frozen=True, kw_only=True):
    """A version of a pack with its controls."""

    control: list[Control]


class FieldState(msgspec.Struct, frozen=True, kw_only=True):
    """A field that a control looks at, and whether it says something."""

    path: str
    filled: bool


class ControlResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a card answers a control, and why. ``lacking`` names what is open: paths, ``evidence:<kind>``, ``fact:<name>``.

    ``since`` is when what answers it was written, made or stated last; None while it is open.
    """

    id: str
    clause: str
    title: str
    text: str
    state: ControlState
    reason: str
    fields: list[FieldState]
    evidence: list[EvidenceKind]
    lacking: list[str]
    since: datetime | None = None
    stated_by: str = ""


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """How a card answers a pack at a moment, in the pack's own order, with the counts of each state.

    ``pack_number`` is the version of the pack; 0: it comes with Modelward.
    """

    card: CardRef
    number: int
    pack: str
    title: str
    source: str
    at: datetime
    results: list[ControlResult]
    covered: int
    open: int
    not_applicable: int
    pack_number: int = 0
    pack_digest: Digest | None = None


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a card for an assessment. ``evidence`` says when the newest of each kind was made."""

    version: CardVersion
    risk_rating: RiskRating
    statuses: list[StatusEntry]
    bindings: list[BoundField]
    evidence: dict[EvidenceKind, datetime]
    statements: dict[str, Statement]


@cache
def packs() -> dict[str, Pack]:
    """The packs that come with Modelward, by name."""
    folder = resources.files("modelward.governance.cards").joinpath("packs")
    names = sorted(each.name for each in folder.iterdir() if each.name.endswith(".toml"))
    return {
        name.removesuffix(".toml"): parse(name.removesuffix(".toml"), folder.joinpath(name).read_text("utf-8"))
        for name in names
    }


def parse(id: str, text: str) -> Pack:
    """Read a pack from TOML or JSON.

    Raises:
        Invalid: it is neither, or not a pack.
    """
    return read(id, told_in(text))


def told_in(text: str) -> dict[str, Any]:
    """What a text of TOML or JSON says.

    Raises:
        Invalid: it is neither.
    """
    is_json = text.lstrip().startswith("{")
    try:
        told: dict[str, Any] = json.loads(text) if is_json else tomllib.loads(text)
    except (ValueError, RecursionError) as problem:
        raise Invalid(f"The control pack is not {'JSON' if is_json else 'TOML'}: {problem}.", field="pack") from problem
    return told


def read(id: str, told: dict[str, Any]) -> Pack:
    """A pack of what was written in a file.

    Raises:
        Invalid: it has an unknown field, lacks one, or two controls of one name; the message names the path in the pack.
    """
    pack = templates.converted({**told, "id": id}, Pack, root="pack", named=f"The control pack {id}")
    names = [each.id for each in pack.control]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise Invalid(f"The control pack {id} has two controls named {name!r}.", field=f"pack.control[{place}].id")
    for place, control in enumerate(pack.control):
        for number, path in enumerate(control.fields):
            paths.steps_of(path, field=f"pack.control[{place}].fields[{number}]")
    return pack


def check_own(pack: Pack) -> None:
    """Refuse what a pack that somebody writes must not have; those that come with Modelward keep to it by its tests.

    Raises:
        Invalid: a text is empty or too long, a control asks for nothing, or for a field that no card has.
    """
    templates.check_text(pack.title, "pack.title", TITLE_CHARACTERS_MAX)
    templates.check_text(pack.source, "pack.source", TITLE_CHARACTERS_MAX)
    if not 1 <= len(pack.control) <= CONTROLS_MAX:
        raise Invalid(
            f"The pack has {len(pack.control)} controls; from 1 to {CONTROLS_MAX} are kept.", field="pack.control"
        )
    for place, control in enumerate(pack.control):
        here = f"pack.control[{place}]"
        if not _CONTROL_ID.fullmatch(control.id):
            rule = "1 to 63 letters, digits, dots, dashes or underscores"
            raise Invalid(f"{here}.id is {control.id[:80]!r}; it must be {rule}.", field=f"{here}.id")
        for name in ("clause", "title"):
            templates.check_text(getattr(control, name), f"{here}.{name}", TITLE_CHARACTERS_MAX)
        templates.check_text(control.text, f"{here}.text", TEXT_CHARACTERS_MAX)
        if not (control.fields or control.evidence or control.facts):
            raise Invalid(
                f"{here} asks for nothing, so nothing could answer it.",
                field=here,
                hint="Name fields, evidence or facts.",
            )
        templates.check_known(control.fields, f"{here}.fields")


def digest_of(pack: Pack) -> Digest:
    """The SHA-256 of what a pack says."""
    return Digest("sha256:" + hashlib.sha256(codec.canonical(pack)).hexdigest())


def find_control(pack: PackVersion, id: str) -> Control:
    """A control of a pack.

    Raises:
        PackMissing: the pack has none of this name.
    """
    for control in pack.control:
        if control.id == id:
            return control
    raise PackMissing(f"{pack.id} has no control {id[:80]!r}.", field="control")


def assess(card: CardRef, pack: PackVersion, known: Known, *, at: datetime) -> Assessment:
    """How a card answers each control of a version of a pack."""
    results = [judge(control, known) for control in pack.control]
    states = [each.state for each in results]
    return Assessment(
        card=card,
        number=known.version.number,
        pack=pack.id,
        title=pack.title,
        source=pack.source,
        at=at,
        results=results,
        covered=states.count(ControlState.COVERED),
        open=states.count(ControlState.OPEN),
        not_applicable=states.count(ControlState.NOT_APPLICABLE),
        pack_number=pack.number,
        pack_digest=pack.digest,
    )


def judge(control: Control, known: Known) -> ControlResult:
    """How a card answers one control."""
    filled = [FieldState(path=path, filled=templates.is_filled(known.version.content, path)) for path in control.fields]
    lacking, dates = _lacking(control, filled, known)
    said, stated_by = known.statements.get(control.id), ""
    since: datetime | None = None
    if said is not None and not said.applies:
        state, reason, since, stated_by = ControlState.NOT_APPLICABLE, said.reason, said.at, said.by
        lacking = []
    elif said is None and control.risk_ratings and known.risk_rating not in control.risk_ratings:
        state, lacking = ControlState.NOT_APPLICABLE, []
        reason = (
            f"Only for the risk ratings {', '.join(control.risk_ratings)}; the card says {known.risk_rating.value}."
        )
    elif lacking:
        state, reason = ControlState.OPEN, f"Lacking: {', '.join(lacking)}."
    else:
        state, since = ControlState.COVERED, max(dates, default=known.version.at)
        reason = f"Answered by {', '.join([*control.fields, *(f'{each.value} evidence' for each in control.evidence), *control.facts])}."
    return ControlResult(
        id=control.id,
        clause=control.clause,
        title=control.title,
        text=control.text,
        state=state,
        reason=reason,
        fields=filled,
        evidence=control.evidence,
        lacking=lacking,
        since=since,
        stated_by=stated_by,
    )


def _lacking(control: Control, filled: list[FieldState], known: Known) -> tuple[list[str], list[datetime]]:
    """What a control still asks for, and the dates of what answers it."""
    lacking = [each.path for each in filled if not each.filled]
    dates = [known.version.at] if filled else []
    for kind in control.evidence:
        bound = [each for each in known.bindings if each.kind is kind]
        if bound and all(each.state == "stale" for each in bound):
            lacking.append(f"{templates.EVIDENCE}{kind.value} (stale)")
        elif kind not in known.evidence:
            lacking.append(f"{templates.EVIDENCE}{kind.value}")
        else:
            dates.append(known.evidence[kind])
    for fact in control.facts:
        when = _when(fact, known)
        if when is None:
            lacking.append(f"fact:{fact.value}")
        else:
            dates.append(when)
    return lacking, dates


def _when(fact: Fact, known: Known) -> datetime | None:
    """Since when a fact holds for the present content; None while it does not."""
    if fact is Fact.HISTORY:
        # Every version and every status is kept; the schema forbids to change them.
        return known.statuses[0].at if known.statuses else known.version.at
    wanted = {CardStatus.APPROVED} if fact is Fact.APPROVED else {CardStatus.APPROVED, CardStatus.PENDING_REVIEW}
    last = known.statuses[-1] if known.statuses else None
    return last.at if last is not None and last.status in wanted else None
