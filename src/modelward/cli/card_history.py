"""`modelward card since-approval`, and a card as it stood on any day."""

import re
from datetime import UTC, datetime
from typing import Any

import click

from modelward.cli import card_showing
from modelward.cli.card_editing import show_change
from modelward.cli.showing import as_json_option, client, show_json, shown
from modelward.kernel.errors import Invalid

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
WORDS_MAX = 200


def moment_of(text: str, *, field: str = "--as-of") -> str:
    """A moment from what was typed: a day is its last moment in UTC, or now where the day is not over.

    Raises:
        Invalid: it is neither a day nor a moment.
    """
    try:
        if DAY.fullmatch(text):
            end = datetime.fromisoformat(text).replace(hour=23, minute=59, second=59, microsecond=999_999, tzinfo=UTC)
            return (
                min(end, datetime.now(UTC)).isoformat() if end.date() == datetime.now(UTC).date() else end.isoformat()
            )
        found = datetime.fromisoformat(text)
    except ValueError as problem:
        raise Invalid(
            f"{text[:40]!r} is neither a day nor a moment.",
            field=field,
            hint="Write 2026-03-31 or 2026-03-31T12:00:00Z.",
        ) from problem
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()


def show_as_of(modelward: Any, name: str, at: str, as_json: bool) -> None:
    """Show a card as it stood at a moment, judged by the template and the evidence known then."""
    told = modelward.cards.at_moment(name, moment_of(at))
    if as_json:
        show_json(told)
        return
    then, now = told.to_dict(), modelward.cards.get(name).to_dict()
    version = then["version"]
    rating = version["content"].get("intended_uses", {}).get("risk_rating", "Unknown")
    click.echo(f"As it stood at {then['at'][:16].replace('T', ' ')} UTC:\n")
    card_showing.show_whole(
        {
            "name": name,
            "version": now.get("version"),
            "model": now.get("model"),
            "subject": now.get("subject"),
            "status": then["status"],
            "number": version["number"],
            "risk_rating": rating,
            "modified_at": version["at"],
            "modified_by": version["by"],
            "content": version["content"],
            "origins": version["origins"],
            "completeness": then["completeness"],
            "bindings": then["bindings"],
        }
    )
    known = len(then["evidence"])
    click.echo(
        f"\n{known} {'piece' if known == 1 else 'pieces'} of evidence {'was' if known == 1 else 'were'} known then."
    )


@click.command("since-approval")
@click.argument("name")
@as_json_option
def since_approval(name: str, as_json: bool) -> None:
    """Show what changed since a card was approved last: its fields, and the evidence that it was approved on."""
    with client() as modelward:
        told = modelward.cards.since_approval(name)
    if as_json:
        show_json(told)
        return
    reason = f": {shown(told.reason, characters_max=WORDS_MAX)}" if told.reason else "."
    when = str(told.approved_at)[:16].replace("T", " ")
    click.echo(f"{name} was approved as version {told.approved} at {when} UTC by {shown(told.approved_by)}{reason}")
    if told.current == told.approved:
        click.echo("That is the current version.")
    else:
        click.echo(f"The current version is {told.current}.")
    for each in told.changes:
        change = each.to_dict()
        show_change(change["path"], change.get("before"), change.get("after"))
    for line in told.evidence:
        click.echo(f"  out of date: {shown(line, characters_max=WORDS_MAX)}")
    if not told.changes and not told.evidence:
        click.echo("Nothing changed since.")
