"""Control packs: what a framework asks, as data; and whether a card answers. Pure.

A control is covered when all its fields are filled, each kind of evidence it names is there and not stale, and each fact it
names holds; it is not applicable where somebody said so, or where it is only for other risk ratings; else it is open.
"""

import tomllib
from datetime import datetime
from enum import StrEnum
from functools import cache
from importlib import resources

import msgspec

from modelward.governance.cards import paths, templates
from modelward.governance.cards.entities import CardStatus, CardVersion, RiskRating, StatusEntry
from modelward.governance.cards.evidence import BoundField, EvidenceKind
from modelward.governance.cards.template_store import Statement
from modelward.kernel import codec
from modelward.kernel.errors import Invalid, NotFound
from modelward.kernel.refs import CardRef


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
    """A pack in a list."""

    id: str
    title: str
    source: str
    controls: int


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
    """How a card answers a pack at a moment, in the pack's own order, with the counts of each state."""

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
    """Read a pack.

    Raises:
        Invalid: it is not TOML, has an unknown field, or two controls of one name.
    """
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise Invalid(f"The control pack {id} is not TOML: {problem}.", field="pack") from problem
    pack = codec.convert({"id": id, **told}, Pack, field=f"pack {id}")
    names = [each.id for each in pack.control]
    if len(set(names)) != len(names):
        raise Invalid(f"The control pack {id} has two controls of one name.", field="control")
    for control in pack.control:
        for path in control.fields:
            paths.steps_of(path, field=f"control {control.id}")
    return pack


def find(id: str) -> Pack:
    """A pack by its name.

    Raises:
        PackMissing: there is none.
    """
    found = packs().get(id)
    if found is None:
        raise PackMissing(f"There is no control pack {id[:80]!r}; there are {', '.join(packs())}.", field="pack")
    return found


def find_control(pack: Pack, id: str) -> Control:
    """A control of a pack.

    Raises:
        PackMissing: the pack has none of this name.
    """
    for control in pack.control:
        if control.id == id:
            return control
    raise PackMissing(f"{pack.id} has no control {id[:80]!r}.", field="control")


def assess(card: CardRef, pack: Pack, known: Known, *, at: datetime) -> Assessment:
    """How a card answers each control of a pack."""
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
