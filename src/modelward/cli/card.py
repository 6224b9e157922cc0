"""`modelward card`: list, show and move model cards; the other verbs are gathered here."""

import click

from modelward.cli import (
    card_binding,
    card_documents,
    card_editing,
    card_governing,
    card_history,
    card_repository,
    card_showing,
    card_talking,
)
from modelward.cli.showing import as_json_option, client, show_json, show_table

STATUSES = ("draft", "pending-review", "approved", "archived")


@click.group()
def card() -> None:
    """Model cards."""


for _command in (
    card_editing.new, card_editing.edit, card_editing.fill, card_editing.diff, card_editing.clone, card_editing.delete,
    card_repository.apply, card_repository.check, card_documents.export, card_documents.import_,
    card_binding.evidence, card_binding.bindings, card_binding.bind, card_binding.unbind, card_binding.refresh,
    card_history.since_approval, *card_governing.ALL, *card_talking.ALL,
):  # fmt: skip
    card.add_command(_command)


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
@click.option("--as-of", "at", help="As it stood on a day (2026-03-31) or at a moment, with the evidence known then.")
@as_json_option
def show(name: str, at: str | None, as_json: bool) -> None:
    """Show a card: its fields, where they come from, and what is missing."""
    with client() as modelward:
        if at is not None:
            card_history.show_as_of(modelward, name, at, as_json)
            return
        found = modelward.cards.get(name)
    if as_json:
        show_json(found)
        return
    card_showing.show_whole(found.to_dict())


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
