"""`modelward endpoint`: list and show endpoints."""

import click

from modelward.cli.showing import as_json_option, client, show_json, show_table, shown


@click.group()
def endpoint() -> None:
    """Endpoints: which version serves under which name."""


@endpoint.command("list")
@click.option("--version", help="Only those of a version, such as fraud@3.")
@click.option("--removed", is_flag=True, help="Removed ones too.")
@as_json_option
def list_endpoints(version: str | None, removed: bool, as_json: bool) -> None:
    """List endpoints in the order of their names."""
    with client() as modelward:
        found = list(modelward.endpoints.list(version=version, removed=removed))
    if as_json:
        show_json(found)
        return
    columns = {
        "name": "endpoint",
        "version": "version",
        "version_status": "status",
        "url": "url",
        "removed_at": "removed",
    }
    show_table(found, columns, nothing="There is no such endpoint.")


@endpoint.command()
@click.argument("name")
@as_json_option
def show(name: str, as_json: bool) -> None:
    """Show an endpoint: what it serves, how its calls are captured, who watches it."""
    with client() as modelward:
        found = modelward.endpoints.get(name)
        monitors = list(modelward.monitors.list(endpoint=name))
    if as_json:
        show_json({**found, "monitors": monitors})
        return
    click.echo(f"{found.name} serves {found.version} ({found.version_status})")
    if found.unapproved:
        click.echo(click.style("This version is not approved.", fg="yellow"))
    if found.removed_at:
        click.echo(f"Removed at {found.removed_at}.")
    click.echo(f"url: {shown(found.url) or 'served elsewhere'}")
    click.echo(f"captured: {found.capture_share:.0%} of the calls{', required' if found.capture_required else ''}")
    click.echo(f"monitors: {', '.join(each.name for each in monitors) or 'none'}")
