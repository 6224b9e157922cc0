"""Cards kept as YAML in a repository: read the files, plan what would change, apply it. Applying twice changes nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from modelward.kernel.errors import Conflict, Invalid, ModelwardError, NotFound
from modelward.sdk.card_content import check
from modelward.sdk.yaml_text import Document, read_documents

ENDINGS = (".yaml", ".yml", ".json")
FIELDS = ("card", "model", "version", "owner", "status", "content", "note")
STATUSES = ("draft", "pending-review", "approved", "archived")
APPLIED = "Applied from "
FILES_MAX = 10_000
_ABSENT = object()


class CardFile(msgspec.Struct, frozen=True, kw_only=True):
    """A card as a document of a file tells it. ``content`` names what the repository decides; other fields are left alone."""

    card: str
    where: str
    document: Document
    model: str | None = None
    version: str | None = None
    owner: str | None = None
    status: str | None = None
    note: str = ""
    content: dict[str, Any] = {}

    def line(self, path: str) -> str:
        """The file and line at which a path of the content stands."""
        return f"{self.where}:{self.document.line_of('$.content' + path.removeprefix('$'))}"


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """One field that would change. ``edited`` says that somebody changed it by hand since the file was applied last."""

    path: str
    before: Any = None
    after: Any = None
    edited: bool = False


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What applying one document would do: create, change, or keep; and the fields, the owner and the status that move."""

    action: str
    card: str
    file: CardFile
    changes: list[FieldChange] = []
    owner: str | None = None
    status: str | None = None
    number: int | None = None

    @property
    def conflicts(self) -> list[FieldChange]:
        """The fields that were changed by hand since the last time."""
        return [each for each in self.changes if each.edited]


def read_cards(path: str | Path) -> list[CardFile]:
    """The cards in a file, or in all YAML and JSON files of a folder and its folders.

    Raises:
        NotFound: there is nothing there.
        Invalid: a file is not YAML, or a document is not a card; the message has file and line.
    """
    found = [card for file in _files(Path(path)) for card in _cards_in(file)]
    if not found:
        raise NotFound(f"There is no card in {path}.", hint="A document begins with `card: name`.")
    first: dict[str, str] = {}
    for each in found:
        if each.card in first:
            raise Invalid(f"The card {each.card!r} stands in {first[each.card]} and in {each.where}.", field="card")
        first[each.card] = each.where
    return found


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        inside = sorted(each for each in path.rglob("*") if each.suffix in ENDINGS and each.is_file())
        return [each for each in inside if not any(part.startswith(".") for part in each.relative_to(path).parts)][
            :FILES_MAX
        ]
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", field="path")
    return [path]


def _cards_in(file: Path) -> Iterator[CardFile]:
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise Invalid(f"{file} cannot be read: {problem.strerror}.", field=str(file)) from problem
    for document in read_documents(content, name=str(file)):
        yield _card(document, str(file))


def _card(document: Document, where: str) -> CardFile:
    told = document.value
    start = f"{where}:{document.line_of('$')}"
    if not isinstance(told, dict) or not isinstance(told.get("card"), str):
        raise Invalid(f"{start} is not a card: it needs `card: name` at its top.", field="card")
    for name, value in told.items():
        line = f"{where}:{document.line_of(f'$.{name}')}"
        if name not in FIELDS:
            raise Invalid(f"{line}: a card has no {name!r}; it has {', '.join(FIELDS)}.", field=name)
        if name == "content" and not isinstance(value, dict):
            raise Invalid(f"{line}: the content must be a mapping of sections.", field=name)
        if name != "content" and not (value is None or isinstance(value, str)):
            raise Invalid(f"{line}: {name} must be a text, it is {value!r}.", field=name, hint="Put it in quotes.")
    if told.get("status") not in (None, *STATUSES):
        at_line = document.line_of("$.status")
        raise Invalid(f"{where}:{at_line}: {told['status']!r} is no status; use {', '.join(STATUSES)}.", field="status")
    given = {name: value for name, value in told.items() if value is not None}
    return CardFile(where=where, document=document, **given)


def plan(client: Any, cards: list[CardFile]) -> list[Step]:
    """What applying these documents would do at a server; nothing is changed.

    Raises:
        Conflict: a card is of another model or version than its document says.
        Invalid: what a card would say breaks the schema; the message has file and line.
    """
    schema = client.cards.schema().to_dict()
    return [_step(client, each, schema) for each in cards]


def _must_fit(wanted: CardFile, content: dict[str, Any], schema: dict[str, Any]) -> None:
    try:
        check(content, schema, root=schema, path="$")
    except Invalid as problem:
        message = f"{wanted.line(problem.field or '$')}: {wanted.card}: {problem.message}"
        raise Invalid(message, field=problem.field) from problem


def _step(client: Any, wanted: CardFile, schema: dict[str, Any]) -> Step:
    try:
        known = client.cards.get(wanted.card).to_dict()
    except NotFound:
        _must_fit(wanted, without_null(wanted.content), schema)
        added = [FieldChange(path=path, after=value) for path, value in leaves(wanted.content) if value is not None]
        status = wanted.status if wanted.status != "draft" else None
        return Step(action="create", card=wanted.card, file=wanted, changes=added, owner=wanted.owner, status=status)
    _same_subject(wanted, known)
    applied = _last_applied(client, wanted.card)
    changes = [
        FieldChange(
            path=path,
            before=None if before is _ABSENT else before,
            after=after,
            edited=applied is not None and _at(applied, path) is not before and _at(applied, path) != before,
        )
        for path, after in leaves(wanted.content)
        if (before := _at(known["content"], path)) != after and not (after is None and before is _ABSENT)
    ]
    if changes:
        _must_fit(wanted, _merged(known["content"], wanted.content), schema)
    owner = wanted.owner if wanted.owner not in (None, known.get("owner")) else None
    status = wanted.status if wanted.status not in (None, known["status"]) else None
    action = "change" if changes or owner or status else "keep"
    return Step(
        action=action,
        card=wanted.card,
        file=wanted,
        changes=changes,
        owner=owner,
        status=status,
        number=known["number"],
    )


def _same_subject(wanted: CardFile, known: dict[str, Any]) -> None:
    for name in ("model", "version"):
        asked = getattr(wanted, name)
        if asked is not None and known.get(name) != asked and not (name == "model" and known.get("version")):
            line = wanted.document.line_of(f"$.{name}")
            raise Conflict(
                f"{wanted.where}:{line}: the card {wanted.card} is of {known.get(name) or 'no ' + name}, not of {asked}; "
                "that cannot be changed.",
                field=name,
            )


def _last_applied(client: Any, name: str) -> dict[str, Any] | None:
    """The content of the newest version that was applied from a file; None when there is none."""
    for entry in client.cards.versions(name):
        if entry.to_dict().get("note", "").startswith(APPLIED):
            content: dict[str, Any] = client.cards.version(name, entry.number).to_dict()["content"]
            return content
    return None


def leaves(content: Any, path: str = "$") -> Iterator[tuple[str, Any]]:
    """The values that a document decides, by path; a list counts as one value, as in a merge patch (RFC 7386)."""
    for name, value in content.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{path}.{name}")
        else:
            yield f"{path}.{name}", value


def _at(content: dict[str, Any], path: str) -> Any:
    here: Any = content
    # Names of custom details may hold dots, so the longest name that fits goes first.
    rest = path.removeprefix("$.")
    while rest:
        if not isinstance(here, dict):
            return _ABSENT
        name = next((rest[:end] for end in _ends(rest) if rest[:end] in here), None)
        if name is None:
            return _ABSENT
        here, rest = here[name], rest[len(name) + 1 :]
    return here


def _ends(text: str) -> list[int]:
    return [len(text), *(place for place in range(len(text) - 1, 0, -1) if text[place] == ".")]


def apply_step(client: Any, step: Step, *, force: bool = False) -> None:
    """Do what a step says; a step that keeps does nothing.

    Raises:
        Conflict: somebody edited a field of the file by hand since the last time and ``force`` is not given, or the card
            was changed since it was planned.
    """
    wanted = step.file
    if step.conflicts and not force:
        first = step.conflicts[0]
        raise Conflict(
            f"{wanted.line(first.path)}: {step.card} {first.path} was changed by hand since the file was applied "
            f"(it is {_short(first.before)} now).",
            field=first.path,
            hint="Take it over into the file, or apply with --force.",
        )
    note = f"{APPLIED}{Path(wanted.where).name}" + (f": {wanted.note}" if wanted.note else "")
    try:
        _do(client, step, note)
    except ModelwardError as problem:
        message = f"{wanted.where}: {wanted.card}: {problem.message}"
        raise type(problem)(message, field=problem.field, hint=problem.hint) from problem


def _do(client: Any, step: Step, note: str) -> None:
    wanted = step.file
    if step.action == "create":
        content = without_null(wanted.content)
        client.cards.create(step.card, content=content, model=wanted.model, version=wanted.version, note=note)
    elif step.changes:
        client.cards.edit(step.card, patch=wanted.content, note=note, number=step.number)
    if step.owner:
        client.cards.assign_owner(step.card, step.owner)
    if step.status:
        client.cards.change_status(step.card, step.status, reason=note)


def _merged(content: Any, patch: Any) -> Any:
    """A content after a merge patch (RFC 7386)."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(content) if isinstance(content, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged


def without_null(content: Any) -> Any:
    """A content without the fields that are to be removed."""
    if isinstance(content, dict):
        return {key: without_null(value) for key, value in content.items() if value is not None}
    return content


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
