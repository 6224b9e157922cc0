"""`modelward webhook`: add, list, test, switch and remove webhooks, and see what they delivered."""

import time

import click

from modelward.cli.showing import as_json_option, client, show_json, show_table

TEST_SECONDS_MAX = 15.0


@click.group()
def webhook() -> None:
    """Webhooks: addresses outside that are told of events, signed."""


@webhook.command()
@click.argument("name")
@click.argument("url")
@click.option("--event", "events", multiple=True, required=True, help="The name of an event; may be repeated.")
@as_json_option
def add(name: str, url: str, events: tuple[str, ...], as_json: bool) -> None:
    """Have an address told of events from now on. The secret that signs is shown this once."""
    with client() as modelward:
        made = modelward.webhooks.add(name, url, list(events))
    if as_json:
        show_json(made)
        return
    click.echo(f"{made.webhook.name} is told of {', '.join(made.webhook['events'])}.")
    click.echo(f"The secret, shown this once: {made.secret}")


@webhook.command("list")
@as_json_option
def list_webhooks(as_json: bool) -> None:
    """List the webhooks."""
    with client() as modelward:
        found = modelward.webhooks.list()
    if as_json:
        show_json(found)
        return
    columns = {
        "name": "webhook", "url": "address", "enabled": "on", "failures": "failures", "paused_until": "paused until",
        "disabled_reason": "why off",
    }  # fmt: skip
    show_table(found, columns, nothing="There is no webhook.")


@webhook.command()
@as_json_option
def events(as_json: bool) -> None:
    """List the events that can be sent."""
    with client() as modelward:
        found = modelward.webhooks.events()
    if as_json:
        show_json(found)
        return
    rows = [{"name": name, "told": sentence} for name, sentence in found.to_dict().items()]
    show_table(rows, {"name": "event", "told": "when"}, nothing="There is no event.")


@webhook.command()
@click.argument("name")
@click.option("--on/--off", "enabled", default=True, help="Whether it is sent to.")
@as_json_option
def switch(name: str, enabled: bool, as_json: bool) -> None:
    """Switch a webhook on again, or off."""
    with client() as modelward:
        found = modelward.webhooks.change(name, enabled=enabled)
    if as_json:
        show_json(found)
    else:
        click.echo(f"{found.name} is {'on' if found.enabled else 'off'}.")


@webhook.command()
@click.argument("name")
@as_json_option
def renew(name: str, as_json: bool) -> None:
    """Make a new secret; the one before signs beside it for a day."""
    with client() as modelward:
        made = modelward.webhooks.renew_secret(name)
    if as_json:
        show_json(made)
    else:
        click.echo(f"The new secret, shown this once: {made.secret}")


@webhook.command()
@click.argument("name")
@as_json_option
def remove(name: str, as_json: bool) -> None:
    """Remove a webhook; what it delivered stays on record."""
    with client() as modelward:
        found = modelward.webhooks.remove(name)
    if as_json:
        show_json(found)
    else:
        click.echo(f"{found.name} is removed.")


@webhook.command()
@click.argument("name")
@as_json_option
def test(name: str, as_json: bool) -> None:
    """Have a test sent, and tell what the other side answered. Exits with 1 when it did not take it."""
    with client() as modelward:
        found = modelward.webhooks.test(name)
        until = time.monotonic() + TEST_SECONDS_MAX
        while found.state == "waiting" and time.monotonic() < until:
            time.sleep(0.05)
            found = modelward.webhooks.delivery(found.id)
    if as_json:
        show_json(found)
    elif found.state == "delivered":
        click.echo(f"{name} took the test: {found.last_status}.")
    else:
        click.echo(f"{name} did not take the test: {found.last_error or 'it is still waiting.'}")
    if found.state != "delivered":
        raise SystemExit(1)


@webhook.command()
@click.argument("name")
@click.option("--state", type=click.Choice(("waiting", "delivered", "failed")), help="Only those.")
@click.option("--again", help="Send this delivery once more, under the same id.")
@as_json_option
def deliveries(name: str, state: str | None, again: str | None, as_json: bool) -> None:
    """List the deliveries of a webhook, the newest first; or send one of them again."""
    with client() as modelward:
        found = (
            [modelward.webhooks.redeliver(again)] if again else list(modelward.webhooks.deliveries(name, state=state))
        )
    if as_json:
        show_json(found)
        return
    columns = {
        "id": "delivery", "event_name": "event", "subject": "of", "state": "state", "attempts": "attempts",
        "last_status": "answer", "last_at": "last", "last_error": "error",
    }  # fmt: skip
    show_table(found, columns, nothing="There is no such delivery.")
