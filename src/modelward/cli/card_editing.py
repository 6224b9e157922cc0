"""`modelward card new|edit|fill|diff|clone|delete`: make cards and change what they say."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelward.cli.showing import as_json_option, client, show_json, shown
from modelward.kernel.errors import Invalid

if TYPE_CHECKING:
    from modelward.sdk.card_object import ModelCard

VALUE_CHARACTERS_MAX = 100


@click.command()
@click.argument("name")
@click.option("--version", help="The version it is for, as in fraud@3; what is registered is filled in.")
@click.option("--model", help="The model it is for.")
@click.option("--file", "path", type=click.Path(path_type=Path, dir_okay=False), help="The content, as YAML or JSON.")
@click.option("--note", default="", help="Kept with the first version.")
@as_json_option
def new(name: str, version: str | None, model: str | None, path: Path | None, note: str, as_json: bool) -> None:
    """Create a card as a draft."""
    content = read_mapping(path) if path else {}
    with client() as modelward:
        made = modelward.cards.create(name, content=content, version=version, model=model, note=note)
        show_card(made, as_json)


@click.command()
@click.argument("name")
@click.option("--content", type=click.Path(path_type=Path, dir_okay=False), help="The whole, as YAML or JSON.")
@click.option(
    "--patch", "--file", type=click.Path(path_type=Path, dir_okay=False), help="A merge patch, as YAML or JSON."
)
@click.option("--set", "assignments", multiple=True, help="One field: intended_uses.risk_rating=Low; may be repeated.")
@click.option("--note", default="", help="Why the content was changed; kept with the version.")
@as_json_option
def edit(
    name: str, content: Path | None, patch: Path | None, assignments: tuple[str, ...], note: str, as_json: bool
) -> None:
    """Change what a card says: single fields, a patch, a whole file; with none of these in your editor ($EDITOR)."""
    if sum(bool(each) for each in (content, patch, assignments)) > 1:
        raise Invalid("Give one of --content, --patch and --set.", field="--content")
    with client() as modelward:
        if content:
            modelward.cards.edit(name, content=read_mapping(content), note=note)
        elif patch or assignments:
            wanted = read_mapping(patch) if patch else assigned(assignments, modelward.cards.schema().to_dict())
            modelward.cards.edit(name, patch=wanted, note=note)
        else:
            _edit_by_hand(modelward.cards.get(name), note)
        show_card(modelward.cards.get(name), as_json)


def _edit_by_hand(card: "ModelCard", note: str) -> None:
    from modelward.sdk.yaml_text import write_document

    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")
    if not command or not sys.stdin.isatty():
        raise Invalid(
            "There is no editor to open.",
            field="EDITOR",
            hint="Use --set, --patch or --content, or set EDITOR in a terminal.",
        )
    with tempfile.TemporaryDirectory(prefix="modelward-card-") as folder:
        path = Path(folder) / f"{card.name}.yaml"
        path.write_text(write_document(card.content.to_dict()), "utf-8")
        try:
            done = subprocess.run([*command, str(path)], check=False)
        except OSError as problem:
            raise Invalid(
                f"The editor {command[0]!r} cannot be started: {problem.strerror}.", field="EDITOR"
            ) from problem
        if done.returncode:
            raise Invalid(f"The editor ended with {done.returncode}; nothing was changed.", field="EDITOR")
        card.replace_content(read_mapping(path))
    card.save(note=note)


@click.command()
@click.argument("name")
@click.option(
    "--from", "path", required=True, type=click.Path(path_type=Path),
    help="An ONNX file, a Hugging Face folder, an MLflow run or model.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Also replace what is filled already.")
@click.option("--yes", "-y", is_flag=True, help="Save without asking.")
@click.option("--note", default="", help="Kept with the version.")
@as_json_option
def fill(name: str, path: Path, overwrite: bool, yes: bool, note: str, as_json: bool) -> None:
    """Fill in a card from what a trained model tells of itself. Files are read as data; nothing in them is run."""
    with client() as modelward:
        card = modelward.cards.get(name)
        told = card.fill_from(path, overwrite=overwrite)
        if not as_json:
            for field, value in told.items():
                click.echo(f"  + {shown(field)} = {_value(value)}")
            click.echo(f"{len(told)} fields to fill." if told else "There is nothing to fill in.")
        if told and (yes or (not as_json and click.confirm("Save?"))):
            card.save(note=note or f"Filled in from {path.name}.")
        if as_json:
            show_json({"card": name, "filled": told, "saved": bool(told) and not card.changed, "number": card.number})
        elif told:
            click.echo(f"{card.name} is version {card.number}." if not card.changed else "Nothing was saved.")


@click.command()
@click.argument("name")
@click.argument("before", type=int)
@click.argument("after", type=int, required=False)
@as_json_option
def diff(name: str, before: int, after: int | None, as_json: bool) -> None:
    """Show what changed between two versions of a card; AFTER is the current one if left out."""
    with client() as modelward:
        changes = list(modelward.cards.difference(name, before=before, after=after))
    if as_json:
        show_json(changes)
        return
    told = [part for each in changes for part in _fields_of(each.to_dict())]
    for path, old, new_value in told:
        show_change(path, old, new_value)
    differ = "1 field differs." if len(told) == 1 else f"{len(told)} fields differ."
    click.echo(differ if told else "The two say the same.")


def _fields_of(change: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """The single fields of a change; where a section came or went as a whole, each of its fields."""
    from modelward.sdk.card_applying import leaves

    path, old, new_value = change["path"], change.get("before"), change.get("after")
    if isinstance(new_value, dict) and old is None:
        return [(inner, None, value) for inner, value in leaves(new_value, path)]
    if isinstance(old, dict) and new_value is None:
        return [(inner, value, None) for inner, value in leaves(old, path)]
    return [(path, old, new_value)]


@click.command()
@click.argument("name")
@click.argument("new_name")
@click.option("--version", help="The version that the new card is for.")
@click.option("--model", help="The model that the new card is for.")
@click.option("--number", type=int, help="Which version of the card to copy; the current one if left out.")
@click.option("--note", default="", help="Kept with the first version.")
@as_json_option
def clone(
    name: str, new_name: str, version: str | None, model: str | None, number: int | None, note: str, as_json: bool
) -> None:
    """Make a new draft with the content of a card."""
    with client() as modelward:
        modelward.cards.clone(name, new_name, version=version, model=model, number=number, note=note)
        show_card(modelward.cards.get(new_name), as_json)


@click.command()
@click.argument("name")
@click.option("--reason", default="", help="Kept in the event log.")
@click.option("--yes", "-y", is_flag=True, help="Delete without asking.")
@as_json_option
def delete(name: str, reason: str, yes: bool, as_json: bool) -> None:
    """Delete a draft that was never approved; others are archived."""
    if as_json and not yes:
        raise Invalid("A program is not asked.", field="--yes", hint="Give --yes with --json.")
    if not yes:
        click.confirm(f"Delete the card {name} and its versions?", abort=True)
    with client() as modelward:
        gone = modelward.cards.delete(name, reason=reason)
    if as_json:
        show_json(gone)
    else:
        click.echo(f"{name} is deleted; the event log keeps what happened.")


def show_card(card: Any, as_json: bool) -> None:
    """Say where a card stands, in a line or as JSON."""
    if as_json:
        show_json(card)
    else:
        click.echo(f"{card.name} is {card.status}, version {card.number}.")


def show_change(path: str, before: Any, after: Any) -> None:
    """A changed field in coloured lines: what it was, what it is."""
    click.echo(f"  {shown(path, characters_max=120)}")
    if before is not None:
        click.secho(f"    - {_value(before)}", fg="red")
    if after is not None:
        click.secho(f"    + {_value(after)}", fg="green")


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return shown(text, characters_max=VALUE_CHARACTERS_MAX)


def read_mapping(path: Path) -> dict[str, Any]:
    """The one mapping in a YAML or JSON file.

    Raises:
        Invalid: it cannot be read, is not YAML, or holds something else.
    """
    from modelward.sdk.yaml_text import read_documents

    try:
        documents = read_documents(path.read_bytes(), name=str(path))
    except OSError as problem:
        raise Invalid(f"{path} cannot be read: {problem.strerror}.", field=str(path)) from problem
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise Invalid(f"{path} does not hold one mapping.", field=str(path))
    return documents[0].value


def assigned(assignments: tuple[str, ...], schema: dict[str, Any]) -> dict[str, Any]:
    """A merge patch of assignments such as ``intended_uses.risk_rating=Low``; an empty value removes the field.

    Where the schema has a number or a list, the value is read as JSON.
    """
    patch: dict[str, Any] = {}
    for each in assignments:
        path, equals, value = each.partition("=")
        *sections, field = path.removeprefix("$.").split(".")
        if not equals or not field:
            raise Invalid(f"{each[:80]!r} does not say section.field=value.", field="--set")
        here, rule = patch, schema
        for section in sections:
            here, rule = here.setdefault(section, {}), rule.get("properties", {}).get(section, {})
            if not isinstance(here, dict):
                raise Invalid(f"{each[:80]!r} sets a field inside of another that is set.", field="--set")
        here[field] = _typed(value, rule.get("properties", {}).get(field, {}).get("type")) if value != "" else None
    return patch


def _typed(value: str, kind: Any) -> Any:
    """A value as the schema wants it; what cannot be read so stays a text, which the server refuses with the rule."""
    if kind not in ("number", "integer", "boolean", "array"):
        return value
    try:
        return json.loads(value, parse_constant=_no_number)
    except ValueError:
        return value


def _no_number(text: str) -> None:
    raise ValueError(text)
