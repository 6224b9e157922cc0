"""`modelward card evidence|bindings|bind|unbind|refresh`: what the fields of a card rest on."""

from typing import Any

import click

from modelward.cli.card_editing import show_card
from modelward.cli.showing import as_json_option, client, show_json, show_table, shown

KINDS = ("quality", "bias", "explainability", "monitor", "other")
WORDS_MAX = 160


@click.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), help="Only of this kind.")
@as_json_option
def evidence(name: str, kind: str | None, as_json: bool) -> None:
    """List the evidence that fields of a card may be bound to, the newest first."""
    with client() as modelward:
        found = list(modelward.cards.evidence(name, kind=kind))
    if as_json:
        show_json(found)
        return
    rows = [{**each.to_dict(), "told": ", ".join(list(each.to_dict().get("measures", {}))[:8])} for each in found]
    columns = {"id": "evidence", "kind": "kind", "outcome": "outcome", "at": "made", "told": "measures"}
    show_table(rows, columns, nothing="There is no evidence for this card yet.")


@click.command()
@click.argument("name")
@click.option("--number", type=int, help="Which version of the card; the current one if left out.")
@as_json_option
def bindings(name: str, number: int | None, as_json: bool) -> None:
    """List the bound fields of a card: what they say, from where, how old it is, and whether it is stale, and why."""
    with client() as modelward:
        found = modelward.cards.bindings(name, number=number)
    if as_json:
        show_json(found)
    else:
        _show_bindings(found, name)


def _show_bindings(found: list[Any], name: str) -> None:
    for each in found:
        stale = each.state == "stale"
        click.secho(f"{shown(each.path, characters_max=WORDS_MAX)}  {each.state}", fg="yellow" if stale else None)
        value = each.to_dict().get("value")
        said = value if each.measure else "its metric groups"
        measure = f"{each.measure} = " if each.measure else ""
        click.echo(f"  {shown(f'{measure}{said}', characters_max=WORDS_MAX)}")
        age = "less than a day" if each.age_days < 1 else f"{each.age_days:.0f} days"
        click.echo(f"  {shown(each.source, characters_max=WORDS_MAX)} ({each.evidence}), {age} old")
        if stale:
            click.echo(f"  {shown(each.reason, characters_max=WORDS_MAX)} See `modelward card refresh {name}`.")
    if not found:
        click.echo("No field is bound to evidence.")


@click.command()
@click.argument("name")
@click.argument("path")
@click.argument("evidence")
@click.option("--measure", default="", help="A single value of the evidence; without, its metric groups.")
@click.option(
    "--days-max", type=int, help="How many days old the evidence may become; as the template says if left out."
)
@click.option("--note", default="", help="Kept with the version.")
@click.option("--number", type=int, help="The version of the card that you saw; another one is not changed.")
@as_json_option
def bind(
    name: str,
    path: str,
    evidence: str,
    measure: str,
    days_max: int | None,
    note: str,
    number: int | None,
    as_json: bool,
) -> None:
    """Bind a field of a card to a piece of evidence: from now on it holds what that says.

    PATH is a field, such as '$.training_details.training_job_details.training_metrics[0].value' with --measure; or a
    list of metric groups; or '$.evaluation_details' to add an entry. See `modelward card evidence NAME` for EVIDENCE.
    """
    with client() as modelward:
        modelward.cards.bind(name, path, evidence, measure=measure, days_max=days_max, note=note, number=number)
        show_card(modelward.cards.get(name), as_json)


@click.command()
@click.argument("name")
@click.argument("path")
@click.option("--note", default="", help="Kept with the version.")
@as_json_option
def unbind(name: str, path: str, note: str, as_json: bool) -> None:
    """Let a bound field go; its value stays and may be written by hand."""
    with client() as modelward:
        modelward.cards.unbind(name, path, note=note)
        show_card(modelward.cards.get(name), as_json)


@click.command()
@click.argument("name")
@click.option("--path", help="One bound field; all of them if left out.")
@as_json_option
def refresh(name: str, path: str | None, as_json: bool) -> None:
    """Let bound fields say what the newest evidence says."""
    with client() as modelward:
        modelward.cards.refresh(name, path=path)
        show_card(modelward.cards.get(name), as_json)
