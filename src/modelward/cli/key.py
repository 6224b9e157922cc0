"""`modelward key`: key pairs by which AWS clients sign their requests."""

import click

from modelward.cli.showing import as_json_option, client, show_json, show_table


@click.group()
def key() -> None:
    """Key pairs for AWS clients: an id and a secret that sign requests."""


@key.command("create")
@click.option("--person", help="For whom: a person or service; yourself when left out.")
@click.option("--label", default="", help="What it is for.")
@click.option("--days-valid", type=int, help="For how many days; without end when left out.")
@as_json_option
def create(person: str | None, label: str, days_valid: int | None, as_json: bool) -> None:
    """Make a key pair. Its secret is shown once."""
    with client() as modelward:
        holder = person or modelward.who_am_i().id
        made = modelward.people.make_key(holder, label=label, days_valid=days_valid)
    if as_json:
        show_json(made)
        return
    click.echo(f"export AWS_ACCESS_KEY_ID={made.key.id}")
    click.echo(f"export AWS_SECRET_ACCESS_KEY={made.secret}")
    click.echo(f"The secret is shown this once. The pair acts as {made.key.person}.", err=True)


@key.command("list")
@click.option("--person", help="Whose; your own when left out.")
@as_json_option
def list_keys(person: str | None, as_json: bool) -> None:
    """List key pairs, the newest first."""
    with client() as modelward:
        found = modelward.people.keys(person or modelward.who_am_i().id)
    if as_json:
        show_json(found)
        return
    columns = {
        "id": "key",
        "person": "person",
        "label": "label",
        "created_at": "made",
        "expires_at": "expires",
        "revoked_at": "revoked",
    }
    show_table(found, columns, nothing="There is no key pair.")


@key.command("revoke")
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """End a key pair at once."""
    with client() as modelward:
        ended = modelward.people.revoke_key(key_id)
    click.echo(f"{ended.id} of {ended.person} signs nothing any more.")
