"""Cards in files brought to a server: plan what would change, try it all there, then apply it all at once or nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from modelward.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from modelward.sdk.card_content import check
from modelward.sdk.card_files import CardFile, FileProblem

APPLIED = "Applied from "
# As many as a server takes at once.
AT_ONCE = 500
_ABSENT = object()


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

    def wanted(self) -> dict[str, Any]:
        """The card as the server is asked for it."""
        told = self.file
        note = f"{APPLIED}{Path(told.where).name}" + (f": {told.note}" if told.note else "")
        wanted = {"card": self.card, "content": told.content, "note": note, "number": self.number or 0}
        subject = {"model": told.model, "version": told.version}
        return {**wanted, **subject, "owner": self.owner, "status": self.status}

    @property
    def conflicts(self) -> list[FieldChange]:
        """The fields that were changed by hand since the last time."""
        return [each for each in self.changes if each.edited]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What applying some files would do, and everything that stands against it.

    ``tried`` says whether the server tried it out, which asks for the permission to write cards.
    """

    steps: list[Step]
    problems: list[FileProblem] = []
    tried: bool = True

    @property
    def moving(self) -> list[Step]:
        """The steps that change something."""
        return [step for step in self.steps if step.action != "keep"]

    @property
    def conflicts(self) -> list[FieldChange]:
        """The fields that were changed by hand since the files were applied last."""
        return [each for step in self.moving for each in step.conflicts]


def plan(client: Any, cards: list[CardFile]) -> Plan:
    """What applying these documents would do at a server, which tries it out; nothing is changed."""
    schema = client.cards.schema().to_dict()
    steps, problems = list[Step](), list[FileProblem]()
    for each in cards:
        try:
            steps.append(_step(client, each, schema))
        except (Conflict, Invalid) as problem:
            problems.append(problem_in(each, problem.code, problem.message, problem.field, problem.hint))
    made = Plan(steps=steps, problems=problems)
    try:
        refused = [each for some in _batches(made.moving) for each in _try(client, some)]
    except NotAllowed:
        return msgspec.structs.replace(made, tried=False)
    return msgspec.structs.replace(made, problems=[*problems, *refused])


def _batches(steps: list[Step]) -> Iterator[list[Step]]:
    for start in range(0, len(steps), AT_ONCE):
        yield steps[start : start + AT_ONCE]


def _try(client: Any, steps: list[Step]) -> Iterator[FileProblem]:
    told = client.cards.apply([step.wanted() for step in steps], dry_run=True).to_dict()
    for step, outcome in zip(steps, told["cards"], strict=True):
        if (found := outcome["problem"]) is not None:
            yield problem_in(step.file, found["code"], found["message"], found["field"], found["hint"])


def problem_in(wanted: CardFile, code: str, message: str, path: str | None, hint: str | None) -> FileProblem:
    """What is wrong with a card, with the line at which it stands in its file."""
    in_content = bool(path) and str(path).startswith("$")
    at = f"$.content{str(path)[1:]}" if in_content else f"$.{path}" if path else "$"
    return FileProblem(
        file=wanted.where,
        line=wanted.document.line_of(at),
        card=wanted.card,
        path=path,
        code=code,
        message=message,
        hint=hint,
    )


def apply_plan(client: Any, made: Plan, *, force: bool = False) -> Iterator[Step]:
    """Do what a plan says, up to 500 cards in one transaction; tells each step that is done.

    Raises:
        Conflict: somebody edited a field of a file by hand since the last time and ``force`` is not given, or a card was
            changed since it was planned. Nothing of the steps that were not told is applied.
        Invalid: the plan has problems.
    """
    if made.problems:
        first = made.problems[0]
        raise Invalid(f"{first.file}:{first.line}: {first.card}: {first.message}", field=first.path, hint=first.hint)
    if made.conflicts and not force:
        step = next(step for step in made.moving if step.conflicts)
        first_change = step.conflicts[0]
        raise Conflict(
            f"{step.file.line(first_change.path)}: {step.card} {first_change.path} was changed by hand since the file "
            f"was applied (it is {_short(first_change.before)} now).",
            field=first_change.path,
            hint="Take it over into the file, or apply with --force.",
        )
    for some in _batches(made.moving):
        client.cards.apply([step.wanted() for step in some])
        yield from some


def _must_fit(content: dict[str, Any], schema: dict[str, Any]) -> None:
    check(content, schema, root=schema, path="$")


def _step(client: Any, wanted: CardFile, schema: dict[str, Any]) -> Step:
    try:
        known = client.cards.get(wanted.card).to_dict()
    except NotFound:
        _must_fit(without_null(wanted.content), schema)
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
        _must_fit(_merged(known["content"], wanted.content), schema)
    owner = wanted.owner if wanted.owner not in (None, known.get("owner")) else None
    # A new content makes a draft of an approved card.
    status_then = "draft" if changes and known["status"] == "approved" else known["status"]
    status = wanted.status if wanted.status not in (None, status_then) else None
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
            raise Conflict(
                f"The card {wanted.card} is of {known.get(name) or 'no ' + name}, not of {asked}; that cannot be changed.",
                field=name,
                hint="Use another name, or archive the card first.",
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
