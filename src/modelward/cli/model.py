"""`modelward model`: list, show and register models."""

import click

from modelward.cli.showing import as_json_option, client, show_json, show_table, told


@click.group()
def model() -> None:
    """Models and their versions."""


@model.command("list")
@click.option("--text", default="", help="Only those whose name or description holds this.")
@as_json_option
def list_models(text: str, as_json: bool) -> None:
    """List the registered models."""
    with client() as modelward:
        found = list(modelward.models.list(text))
    if as_json:
        show_json(found)
        return
    columns = {"name": "model", "versions": "versions", "owner": "owner", "description": "description"}
    show_table(found, columns, nothing="No model is registered. Register one: modelward model register NAME")


@model.command()
@click.argument("name")
@as_json_option
def show(name: str, as_json: bool) -> None:
    """Show a model and its versions."""
    with client() as modelward:
        found, versions = modelward.models.get(name), list(modelward.versions.list(name))
    if as_json:
        show_json({**found, "all_versions": versions})
        return
    click.echo(told(f"{found.name}  owned by {found.owner}\n{found.description}".strip()))
    columns = {"ref": "version", "status": "status", "status_reason": "because", "created_by": "by", "created_at": "at"}
    show_table(versions, columns, nothing="It has no version yet.")


@model.command()
@click.argument("name")
@click.option("--description", default="", help="What it does.")
@click.option("--owner", default="", help="Who answers for it; you, if left out.")
@as_json_option
def register(name: str, description: str, owner: str, as_json: bool) -> None:
    """Register a model."""
    with client() as modelward:
        new = modelward.models.register(name, description=description, owner=owner)
    if as_json:
        show_json(new)
    else:
        click.echo(f"Registered {new.name}, owned by {new.owner}.")
