"""`modelward review`: list, show, approve and reject reviews."""

from typing import TYPE_CHECKING, Any

import click

from modelward.cli.showing import as_json_option, client, show_json, show_table, shown
from modelward.kernel.errors import NotFound

if TYPE_CHECKING:
    from modelward.sdk import Client

COLOURS = {"passed": "green", "failed": "red", "undecided": "yellow"}
REASON_CHARACTERS_MAX = 400


@click.group()
def review() -> None:
    """Reviews of versions. A review is named by its id or by its version, such as fraud@3."""


@review.command("list")
@click.option("--state", type=click.Choice(("open", "approved", "rejected", "withdrawn")), help="Only those.")
@as_json_option
def list_reviews(state: str | None, as_json: bool) -> None:
    """List reviews, the newest first."""
    with client() as modelward:
        found = list(modelward.reviews.list(state=state))
    if as_json:
        show_json(found)
        return
    columns = {"id": "review", "version": "version", "state": "state", "decided_by": "by", "because": "because"}
    show_table(found, columns, nothing="There is no such review.")


@review.command()
@click.argument("name")
@as_json_option
def show(name: str, as_json: bool) -> None:
    """Show a review: what each check found, and what stands against an approval by you."""
    with client() as modelward:
        found = _find(modelward, name)
    if as_json:
        show_json(found)
        return
    click.echo(f"{found.id}  {found.version}  {found.state}  {shown(found.because)}")
    width = max((len(each.check) for each in found.checks), default=0)
    for each in found.checks:
        outcome = click.style(f"{each.outcome:<9}", fg=COLOURS[each.outcome])
        reason = shown(each.reason, characters_max=REASON_CHARACTERS_MAX)
        click.echo(f"{outcome}  {each.check:<{width}}  {'' if each.blocking else '(to justify) '}{reason}")
    for hindrance in found.hindrances:
        click.echo(f"Against an approval: {shown(hindrance, characters_max=REASON_CHARACTERS_MAX)}")
    click.echo(f"seen: {found.seen}")


def _find(modelward: "Client", name: str) -> Any:
    if "@" not in name:
        return modelward.reviews.get(name)
    found = modelward.reviews.of(name)
    if found is None:
        raise NotFound(f"{name} has no review.", field="name")
    return found


@review.command()
@click.argument("name")
@click.option("--note", default="", help="Why; needed where a check that does not block did not pass.")
@click.option("--seen", help="The digest that `review show` printed: refuse when the facts are others by now.")
@as_json_option
def approve(name: str, note: str, seen: str | None, as_json: bool) -> None:
    """Approve a version. The approval is bound to what it was given for and lapses when that changes."""
    _decide("approve", name, note, seen, as_json)


@review.command()
@click.argument("name")
@click.option("--note", required=True, help="Why the version was rejected.")
@click.option("--seen", help="The digest that `review show` printed: refuse when the facts are others by now.")
@as_json_option
def reject(name: str, note: str, seen: str | None, as_json: bool) -> None:
    """Reject a version."""
    _decide("reject", name, note, seen, as_json)


def _decide(verdict: str, name: str, note: str, seen: str | None, as_json: bool) -> None:
    with client() as modelward:
        ref = _find(modelward, name).id
        decide = modelward.reviews.approve if verdict == "approve" else modelward.reviews.reject
        decided = decide(ref, note=note, seen=seen)
    if as_json:
        show_json(decided)
    else:
        click.echo(f"{decided.version} is {decided.state}, by {decided.decided_by}.")
