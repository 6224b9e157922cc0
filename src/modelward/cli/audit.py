"""`modelward audit`: read the event log and verify that it is whole."""

import sys

import click

from modelward.cli.showing import as_json_option, client, show_json, show_table

EXIT_BROKEN = 1


@click.group()
def audit() -> None:
    """The event log: who did what, and when."""


@audit.command("list")
@click.option("--subject", help="Only what happened to this, such as fraud@3.")
@click.option("--name", help="Only events of this name, such as ReviewDecided.")
@click.option("--actor", help="Only what this one did.")
@click.option("--limit", default=50, show_default=True, help="How many at most.")
@as_json_option
def list_events(subject: str | None, name: str | None, actor: str | None, limit: int, as_json: bool) -> None:
    """List events, the newest first."""
    with client() as modelward:
        found = modelward.events.list(subject=subject, name=name, actor=actor, limit=limit)
    if as_json:
        show_json(found)
        return
    columns = {"sequence": "number", "at": "at", "actor": "actor", "name": "what", "subject": "subject"}
    show_table(found, columns, nothing="No such event.")


@audit.command()
@as_json_option
def verify(as_json: bool) -> None:
    """Recompute the hash chain of the whole log; exits with 1 when it is broken."""
    with client() as modelward:
        found = modelward.events.verify()
    if as_json:
        show_json(found)
    elif found.breaks:
        for each in found.breaks:
            click.echo(f"Entry {each.sequence}: {each.problem}")
    else:
        click.echo(f"All {found.events} entries hold; the last hash is {found.head}.")
    if found.breaks:
        sys.exit(EXIT_BROKEN)
