"""A new card made from another: its content is copied, with word of where each field comes from."""

from typing import Any

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import prefill, rules, use_cases
from modelward.governance.cards.entities import Card, CardVersion, Content
from modelward.governance.cards.prefill import RegisteredVersion
from modelward.kernel.events import Happening
from modelward.kernel.refs import CardRef, Digest, ModelRef, VersionRef
from modelward.storage.work import Work

# What says which version a card is about; it is never true of another version.
IDENTITY = ("model_id", "model_name", "model_version", "model_artifact")
ANOTHER_PACKAGE = "model_package_details"


class CardCloned(Happening, frozen=True, kw_only=True):
    """A card was made as a copy of another."""

    card: CardRef
    source: CardRef
    number: int
    digest: Digest
    version: VersionRef | None


def clone_card(
    work: Work,
    source: CardRef,
    *,
    name: str,
    registered: RegisteredVersion | None = None,
    model: ModelRef | None = None,
    number: int | None = None,
    note: str = "",
) -> Card:
    """Create a card as a draft with the content of another card's version (the current one unless given).

    ``registered`` is the version that the new card is about: what its registration tells goes before what is copied.
    Unless it is the version of the source, what is true of that one only is left out: its identity and artifact, and
    what evaluations of it have written.

    Raises:
        CardExists: the name is taken, or the version has a card already.
        NotFound: there is no such card or version of it.
    """
    require(work, Permission.CARD_WRITE, on=name)
    original = use_cases.get_card(work, source)
    copied = use_cases.get_version(work, source, number=number)
    version = registered.ref if registered else None
    same = version is not None and version == original.version
    content, origins = _copy(copied, whole=same)
    if registered is not None and not same:
        content, origins = _with_registration(content, origins, registered)
    told = f"Cloned from {source} version {copied.number}."
    card = use_cases.create_card(
        work,
        name=name,
        content=content,
        model=model,
        version=version,
        note=f"{told} {note}".strip(),
        origins=origins,
        bindings=copied.bindings if same else None,
    )
    work.record(CardCloned(card=card.name, source=source, number=copied.number, digest=copied.digest, version=version))
    return card


def _copy(copied: CardVersion, *, whole: bool) -> tuple[Content, dict[str, str]]:
    content = copied.content if whole else without_evidence(copied.content)
    told = f"cloned from {copied.card} version {copied.number}"
    origins = dict.fromkeys(rules.leaves(content), told) if content else {}
    if whole:
        # The evaluations that the fields come from are those of this very version.
        kept = {path: f"{words}, {told}" for path, words in copied.origins.items()}
        return content, origins | kept
    for path in origins.keys() & copied.bindings.keys():
        origins[path] += f", where it rested on {copied.bindings[path].source}; no evidence here"
    return content, origins


def without_evidence(content: Content) -> Content:
    """A content without what is true of one version only."""
    kept = {section: value for section, value in content.items() if section != ANOTHER_PACKAGE}
    if "model_overview" in kept:
        kept["model_overview"] = {
            field: value for field, value in kept["model_overview"].items() if field not in IDENTITY
        }
    if "evaluation_details" in kept:
        # An entry with this word in its metadata was written by an evaluation.
        by_people = [each for each in kept["evaluation_details"] if "evaluation" not in each.get("metadata", {})]
        kept["evaluation_details"] = by_people
    return {section: value for section, value in kept.items() if value not in ({}, [])}


def _with_registration(
    content: Content, origins: dict[str, str], registered: RegisteredVersion
) -> tuple[Content, dict[str, str]]:
    drawn, drawn_origins = prefill.prefill(registered)
    whole = _over(content, drawn)
    left = set(rules.leaves(whole))
    return whole, {path: words for path, words in {**origins, **drawn_origins}.items() if path in left}


def _over(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return {**below, **{key: _over(below.get(key), value) for key, value in above.items()}}
    return above
