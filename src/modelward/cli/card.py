"""`modelward card`: list, show, edit, move and export model cards."""

import json
from pathlib import Path
from typing import Any

import click

from modelward.cli.showing import as_json_option, client, show_json, show_table, told
from modelward.kernel.errors import Invalid

STATUSES = ("draft", "pending-review", "approved", "archived")


@click.group()
def card() -> None:
    """Model cards."""


@card.command("list")
@click.option("--text", default="", help="Only those whose name holds this.")
@click.option("--status", type=click.Choice(STATUSES), help="Only those of this status.")
@click.option("--model", help="Only those of this model.")
@as_json_option
def list_cards(text: str, status: str | None, model: str | None, as_json: bool) -> None:
    """List the model cards."""
    with client() as modelward:
        found = list(modelward.cards.list(text, status=status, model=model))
    if as_json:
        show_json(found)
        return
    columns = {"name": "card", "version": "of", "status": "status", "number": "version", "risk_rating": "risk"}
    show_table(found, columns, nothing="There is no card.")


@card.command()
@click.argument("name")
@as_json_option
def show(name: str, as_json: bool) -> None:
    """Show a card: its fields, where they come from, and what is missing."""
    with client() as modelward:
        found = modelward.cards.get(name)
    if as_json:
        show_json(found)
        return
    click.echo(f"{found.name}  {found.status}  version {found.number} by {found.modified_by}")
    click.echo(
        f"complete {found.completeness.share:.0%}; missing: {', '.join(found.completeness.missing) or 'nothing'}"
    )
    click.echo(told(json.dumps(found.to_dict()["content"], indent=2, ensure_ascii=False)))


@card.command()
@click.argument("name")
@click.option("--content", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The whole, as JSON.")
@click.option("--patch", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A JSON merge patch.")
@click.option("--set", "assignments", multiple=True, help="One field: intended_uses.risk_rating=Low; may be repeated.")
@click.option("--note", default="", help="Why the content was changed; kept with the version.")
@as_json_option
def edit(
    name: str, content: Path | None, patch: Path | None, assignments: tuple[str, ...], note: str, as_json: bool
) -> None:
    """Give a card a new content: a whole file, a merge patch, or single fields."""
    if sum(bool(each) for each in (content, patch, assignments)) != 1:
        raise Invalid("Give one of --content, --patch and --set.", field="--content")
    with client() as modelward:
        if content:
            edited = modelward.cards.edit(name, content=_read(content), note=note)
        else:
            wanted = _read(patch) if patch else _assigned(assignments)
            edited = modelward.cards.edit(name, patch=wanted, note=note)
    if as_json:
        show_json(edited)
    else:
        click.echo(f"{edited.name} is {edited.status}, version {edited.number}.")


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError as problem:
        raise Invalid(f"{path} is not JSON: {problem}.", field=str(path)) from problem
    if not isinstance(content, dict):
        raise Invalid(f"{path} does not hold a JSON object.", field=str(path))
    return content


def _assigned(assignments: tuple[str, ...]) -> dict[str, Any]:
    patch: dict[str, Any] = {}
    for each in assignments:
        path, equals, value = each.partition("=")
        *sections, field = path.split(".")
        if not equals or not field:
            raise Invalid(f"{each[:80]!r} does not say section.field=value.", field="--set")
        here = patch
        for section in sections:
            here = here.setdefault(section, {})
        here[field] = value
    return patch


@card.command()
@click.argument("name")
@click.argument("status", type=click.Choice(STATUSES), required=False)
@click.option("--reason", default="", help="Why the status was changed; kept in the event log.")
@as_json_option
def status(name: str, status: str | None, reason: str, as_json: bool) -> None:
    """Show the status of a card, or move it to another. Archived is final."""
    with client() as modelward:
        found = modelward.cards.change_status(name, status, reason=reason) if status else modelward.cards.get(name)
    if as_json:
        show_json(found)
    else:
        click.echo(f"{found.name} is {found.status}.")


@card.command()
@click.argument("name")
@click.option("--number", type=int, help="Which version; the current one if left out.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="A file to write; default standard output."
)
def export(name: str, number: int | None, output: Path | None) -> None:
    """Export the content of a card as JSON of the published schema."""
    with client() as modelward:
        wanted = number if number is not None else modelward.cards.get(name).number
        content = modelward.cards.version(name, wanted).to_dict()["content"]
    text = json.dumps(content, indent=2, ensure_ascii=output is None)
    if output is None:
        click.echo(text)
        return
    try:
        output.write_text(text + "\n", "utf-8")
    except OSError as problem:
        raise Invalid(f"{output} cannot be written: {problem.strerror}.", field="--output") from problem
