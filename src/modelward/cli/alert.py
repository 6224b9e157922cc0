"""`modelward alert`: list, acknowledge and close alerts."""

from typing import Any

import click

from modelward.cli.showing import as_json_option, client, show_json, show_table


@click.group()
def alert() -> None:
    """Alerts: what monitors have seen, and who looks after it."""


@alert.command("list")
@click.option("--state", type=click.Choice(("open", "acknowledged", "closed")), help="Only those.")
@click.option("--monitor", help="Only those of a monitor.")
@click.option("--endpoint", help="Only those of an endpoint.")
@as_json_option
def list_alerts(as_json: bool, **which: Any) -> None:
    """List alerts, the newest first."""
    with client() as modelward:
        found = list(modelward.alerts.list(**which))
    if as_json:
        show_json(found)
        return
    columns = {
        "id": "alert", "severity": "severity", "state": "state", "endpoint": "endpoint", "monitor": "monitor",
        "runs_count": "runs", "opened_at": "opened", "recovered_at": "recovered", "cause": "cause",
    }  # fmt: skip
    show_table(found, columns, nothing="There is no such alert.")


@alert.command()
@click.argument("name")
@click.option("--note", default="", help="What you want to say with it.")
@as_json_option
def acknowledge(name: str, note: str, as_json: bool) -> None:
    """Take an alert on: others see who looks after it."""
    with client() as modelward:
        found = modelward.alerts.acknowledge(name, note=note)
    if as_json:
        show_json(found)
    else:
        click.echo(f"{found.id} is looked after by {found.acknowledged_by}.")


@alert.command()
@click.argument("name")
@click.option("--reason", required=True, help="What it was, and what was done.")
@as_json_option
def close(name: str, reason: str, as_json: bool) -> None:
    """Close an alert."""
    with client() as modelward:
        found = modelward.alerts.close(name, reason=reason)
    if as_json:
        show_json(found)
    else:
        click.echo(f"{found.id} is closed by {found.closed_by}.")
