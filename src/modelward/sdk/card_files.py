"""Cards kept as YAML in a repository: the files, read as cards. What applying them does is in card_applying.py."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from modelward.kernel.errors import Invalid, ModelwardError, NotFound
from modelward.sdk.yaml_text import Document, read_documents

ENDINGS = (".yaml", ".yml", ".json")
FIELDS = ("card", "model", "version", "owner", "status", "content", "note")
STATUSES = ("draft", "pending-review", "approved", "archived")
FILES_MAX = 10_000
_LINE = re.compile(r"(?::|, line )(\d+)")


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


class FileProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a document: the file and line, the card, the path in its content, the name of the error, its words."""

    file: str
    line: int | None = None
    card: str = ""
    path: str | None = None
    code: str
    message: str
    hint: str | None = None


def read_cards(path: str | Path) -> list[CardFile]:
    """The cards in a file, or in all YAML and JSON files of a folder and its folders.

    Raises:
        NotFound: there is nothing there.
        Invalid: a file is not YAML, or a document is not a card; the message has file and line.
    """
    found, problems = read_all(path)
    if problems:
        first = problems[0]
        raise Invalid(first.message, field=first.path, hint=first.hint)
    return found


def read_all(path: str | Path) -> tuple[list[CardFile], list[FileProblem]]:
    """The cards in a file or folder, and everything that is wrong with the documents that are none.

    Raises:
        NotFound: there is nothing there.
    """
    found, problems = list[CardFile](), list[FileProblem]()
    for file in _files(Path(path)):
        _read(file, found, problems)
    if not found and not problems:
        raise NotFound(f"There is no card in {path}.", hint="A document begins with `card: name`.")
    first: dict[str, str] = {}
    for each in found:
        if each.card in first:
            told = f"The card {each.card!r} stands in {first[each.card]} and in {each.where}."
            problems.append(FileProblem(file=each.where, card=each.card, path="card", code="Invalid", message=told))
        first.setdefault(each.card, each.where)
    return found, problems


def _read(file: Path, found: list[CardFile], problems: list[FileProblem]) -> None:
    """Take up the documents of a file; the first that is wrong ends it."""
    try:
        found.extend(_cards_in(file))
    except ModelwardError as problem:
        line = _LINE.match(problem.message.removeprefix(str(file)))
        problems.append(
            FileProblem(
                file=str(file),
                line=int(line[1]) if line else None,
                path=problem.field,
                code=problem.code,
                message=problem.message,
                hint=problem.hint,
            )
        )


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
