"""Control packs and templates kept as files: read strictly, and what a server refuses is told with its line."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from modelward.kernel.errors import Invalid
from modelward.sdk.yaml_text import Document, read_documents


class RulesFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says. ``text`` is that of TOML, which is sent as it stands; ``document`` knows the lines of the others."""

    where: str
    value: dict[str, Any]
    text: str = ""
    document: Document | None = None


def read_rules(path: str | Path) -> RulesFile:
    """A control pack or a template in a file of YAML, JSON or TOML.

    Raises:
        Invalid: it cannot be read, or does not hold one mapping; the message has the line.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
        if path.suffix == ".toml":
            text = data.decode()
            return RulesFile(where=str(path), value=tomllib.loads(text), text=text)
    except OSError as problem:
        raise Invalid(f"{path} cannot be read: {problem.strerror}.", field=str(path)) from problem
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise Invalid(f"{path} is not TOML: {problem}.", field=str(path)) from problem
    documents = read_documents(data, name=str(path))
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise Invalid(f"{path} does not hold one mapping.", field=str(path))
    return RulesFile(where=str(path), value=documents[0].value, document=documents[0])


@contextmanager
def placed(file: RulesFile, *, root: str) -> Iterator[None]:
    """Tell what is refused of a file (``pack.control[2].fields[0]``) with the line at which it stands."""
    try:
        yield
    except Invalid as problem:
        where = file.where
        if file.document is not None and problem.field and problem.field.startswith(root):
            where += f":{file.document.line_of('$' + problem.field.removeprefix(root))}"
        raise type(problem)(f"{where}: {problem.message}", field=problem.field, hint=problem.hint) from problem
