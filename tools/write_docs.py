"""Write the reference tables in docs/ from the code they describe; with ``--check`` only say which are out of date.

The sentence of a thing stands beside the thing: the docstring of an event or error, the text under a setting or a
permission, the help of a command. A thing without a sentence is refused.
"""

import ast
import difflib
import inspect
import itertools
import pkgutil
import sys
import typing
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import msgspec

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
HEAD = "<!-- Written by tools/write_docs.py from the code. Change the code, then run `make docs`. -->"
OPTIONAL = ("modelward.cli.demo", "modelward.storage.migrations.env", "modelward.storage.migrations.versions")


# Things without a sentence, found while the pages are drawn.
silent: list[str] = []


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` compare them; returns the exit code."""
    silent.clear()
    pages = {name: "\n".join([HEAD, "", *draw()]).rstrip() + "\n" for name, draw in PAGES.items()}
    for each in silent:
        print(f"{each} has no sentence that says what it is: write one beside it in the code.", file=sys.stderr)
    if "--check" in arguments:
        return _check(pages) or bool(silent)
    DOCS.mkdir(exist_ok=True)
    for name, text in pages.items():
        (DOCS / name).write_text(text)
    return int(bool(silent))


def _check(pages: dict[str, str]) -> int:
    stale = 0
    for name, text in pages.items():
        kept = (DOCS / name).read_text() if (DOCS / name).exists() else ""
        if kept != text:
            stale = 1
            difference = difflib.unified_diff(kept.splitlines(), text.splitlines(), f"docs/{name}", "the code", n=0)
            print("\n".join(difference))
    if stale:
        print("The docs do not say what the code does: run `make docs` and read the difference.")
    return stale


def settings_page() -> Iterator[str]:
    """Every setting with its default."""
    from modelward.settings import Settings

    yield from (
        "# Settings",
        "",
        "Each can be given as an option of `modelward serve` where there is one, as an environment variable, or in the "
        "file `modelward.toml` of the data folder; the first named wins. An unknown name in the file is an error.",
        "",
        "| in `modelward.toml` | in the environment | kind | default | what it says |",
        "| --- | --- | --- | --- | --- |",
    )
    sentences = texts_under_names(Settings)
    for field in msgspec.structs.fields(Settings):
        default = "" if field.default in ("", None) else f"`{_toml(field.default)}`"
        said = sentence(sentences.get(field.name), f"the setting {field.name}")
        yield _row(f"`{field.name}`", f"`MODELWARD_{field.name.upper()}`", _kind(field.type), default or "(none)", said)
    yield ""
    yield from (
        "Clients (`modelward.connect()` and the command line) also read these:",
        "",
        "| in the environment | what it says |",
        "| --- | --- |",
        "| `MODELWARD_URL` | The server to talk to; without it the one that holds the data folder, else an app in this "
        "process. |",
        "| `MODELWARD_TOKEN` | Who is asking; without it the owner's token in the data folder. |",
    )


def events_page() -> Iterator[str]:
    """Every event, by capability, with what it carries and what follows from it."""
    from modelward.governance import reactions
    from modelward.kernel.events import Happening

    import_everything()
    by_room: dict[str, list[type[Happening]]] = {}
    for each in sorted(Happening.known.values(), key=lambda kind: kind.__name__):
        if each.__module__.startswith("modelward."):
            by_room.setdefault(_room(each), []).append(each)
    yield from (
        "# Events",
        "",
        "What the event log can hold. Each entry also has a number, an id, a time, an actor, and the hashes that chain it "
        "to the one before. The first field is the subject: what the event is about.",
    )
    for room, kinds in sorted(by_room.items()):
        yield from (
            "",
            f"## {room.capitalize()}",
            "",
            "| event | what happened | it carries | what follows by itself |",
            "| --- | --- | --- | --- |",
        )
        for kind in kinds:
            carried = ", ".join(f"`{field.name}`" for field in msgspec.structs.fields(kind))
            follows = ", ".join(f"`{each.__name__}`" for each in reactions.REACTIONS.get(kind.__name__, ()))
            yield _row(f"`{kind.__name__}`", sentence(kind.__doc__, kind.__name__), carried, follows)


def permissions_page() -> Iterator[str]:
    """Every permission, who has it, and the operations that ask for it."""
    from modelward.governance.access.permissions import EVERYBODY, PERSONAS, Permission
    from modelward.interfaces.rest.api import all_operations
    from modelward.interfaces.rest.operations import Open

    import_everything()
    sentences = texts_under_names(Permission)
    personas = list(PERSONAS)
    yield from (
        "# Permissions",
        "",
        "What is not listed is refused. A person or service has one persona; the persona carries the permissions. Every "
        "signed-in actor has " + ", ".join(f"`{each.value}`" for each in sorted(EVERYBODY)) + ".",
        "",
        _row("permission", "what it allows", *[each.value for each in personas]),
        _row(*["---"] * (2 + len(personas))),
    )
    for each in Permission:
        marks = ["yes" if each in PERSONAS[persona] | EVERYBODY else "" for persona in personas]
        said = sentence(sentences.get(each.name), f"the permission {each.value}")
        yield _row(f"`{each.value}`", said, *marks)
    operations = sorted(all_operations(), key=lambda each: (each.path, each.method))
    yield from ("", "## What each operation asks for", "")
    yield from ("| operation | permission | what it does |", "| --- | --- | --- |")
    for operation in operations:
        asked = operation.permission
        shown = f"nobody: {asked.because}" if isinstance(asked, Open) else f"`{asked.value}`"
        summary = sentence(operation.summary, f"the operation {operation.name}")
        yield _row(f"`{operation.method} /api/v1{operation.path}`", shown, summary)


def errors_page() -> Iterator[str]:
    """The tree of errors."""
    from modelward.kernel.errors import ModelwardError

    import_everything()
    yield from (
        "# Errors",
        "",
        "Every interface answers with the same shape, and the code is the name of the class, also in Python:",
        "",
        "```json",
        '{"error": {"code": "ModelExists", "message": "A model named fraud is registered already.", "field": "name",',
        '           "hint": "Register a version of it.", "request_id": "request-01k..."}}',
        "```",
        "",
        "`field` and `hint` are there where they help. A kind further in can be caught as the kind it stands under.",
        "",
        "| error | status | what it says |",
        "| --- | --- | --- |",
    )
    yield from _error_rows(ModelwardError, 0)


def _error_rows(kind: type[Any], depth: int) -> Iterator[str]:
    yield _row(f"{'&emsp;' * depth}`{kind.__name__}`", str(kind.status), sentence(kind.__doc__, kind.__name__))
    for each in sorted(kind.__subclasses__(), key=lambda one: one.__name__):
        if each.__module__.startswith("modelward."):
            yield from _error_rows(each, depth + 1)


def cli_page() -> Iterator[str]:
    """Every command with its options."""
    from modelward.cli.main import COMMANDS, EXIT_REFUSED

    yield from (
        "# The command line",
        "",
        f"A command that is refused says why in a sentence and exits with {EXIT_REFUSED}. `--help` works everywhere.",
    )
    for name in sorted(COMMANDS):
        module, attribute, line = COMMANDS[name]
        try:
            command = getattr(import_module(module), attribute)
        except ModuleNotFoundError as problem:
            if problem.name and not module.startswith(problem.name):
                raise
            yield from ("", f"## `modelward {name}`", "", sentence(line, name), "", "Not in this version.")
            continue
        yield from _command(f"modelward {name}", command, level=2)


def _command(path: str, command: click.Command, *, level: int) -> Iterator[str]:
    parameters = [each for each in command.params if not (isinstance(each, click.Option) and each.hidden)]
    arguments = " ".join(each.make_metavar(click.Context(command)) for each in parameters if _is_argument(each))
    yield from ("", f"{'#' * level} `{path}{' ' + arguments if arguments else ''}`", "")
    text = inspect.cleandoc(command.help or "")
    sentence(text, path)
    yield text.replace("\b\n", "").replace("\f", "")
    options = [each for each in parameters if isinstance(each, click.Option)]
    if options:
        yield from ("", "| option | what it says |", "| --- | --- |")
        for option in options:
            names = ", ".join(f"`{each}`" for each in [*option.opts, *option.secondary_opts])
            yield _row(names, sentence(option.help, f"{path} {option.opts[0]}"))
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _command(f"{path} {name}", command.commands[name], level=min(level + 1, 4))


def _is_argument(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Argument)


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "CLI.md": cli_page,
    "ERRORS.md": errors_page,
    "EVENTS.md": events_page,
    "PERMISSIONS.md": permissions_page,
    "SETTINGS.md": settings_page,
}


def import_everything() -> None:
    """Import all modules of Modelward, so that every event and error is known."""
    import modelward

    for each in pkgutil.walk_packages(modelward.__path__, "modelward.", onerror=_raise):
        if not each.name.startswith(OPTIONAL):
            import_module(each.name)


def _raise(name: str) -> None:
    raise ImportError(f"{name} cannot be imported.")


def texts_under_names(kind: type) -> dict[str, str]:
    """The text that stands under each name in the body of a class."""
    body = typing.cast("ast.ClassDef", ast.parse(inspect.getsource(kind)).body[0]).body
    found = {}
    for statement, following in itertools.pairwise(body):
        target = statement.target if isinstance(statement, ast.AnnAssign) else None
        if isinstance(statement, ast.Assign):
            target = statement.targets[0] if isinstance(statement.targets[0], ast.Name) else None
        is_text = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        if isinstance(target, ast.Name) and is_text:
            found[target.id] = inspect.cleandoc(str(following.value.value))  # type: ignore[attr-defined]
    return found


def sentence(text: str | None, of: str) -> str:
    """The first paragraph of a docstring on one line; where there is none, ``of`` is noted as silent."""
    first = " ".join(inspect.cleandoc(text or "").split("\n\n")[0].split())
    if len(first.split()) < 2:
        silent.append(of)
    return first


def _row(*cells: str) -> str:
    return "| " + " | ".join(each.replace("|", "\\|") for each in cells) + " |"


def _room(kind: type) -> str:
    parts = kind.__module__.split(".")
    return parts[2] if parts[1] == "governance" and len(parts) > 2 else parts[1]


def _kind(annotation: Any) -> str:
    names = {str: "text", int: "number", bool: "true or false", Path: "path", float: "number"}
    members = [each for each in typing.get_args(annotation) or (annotation,) if each is not type(None)]
    return " or ".join(names.get(each, getattr(each, "__name__", str(each))) for each in members)


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
