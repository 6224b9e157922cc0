"""`modelward card packs|pack|controls|template ...`: what cards must have, by control packs and templates."""

from pathlib import Path
from typing import Any

import click

from modelward.cli.card_history import moment_of
from modelward.cli.showing import as_json_option, client, show_json, show_table, shown
from modelward.kernel.errors import Invalid

COLOURS = {"covered": "green", "open": "red", "not-applicable": None}
WORDS = {"covered": "covered", "open": "open", "not-applicable": "n.a."}
WORDS_MAX = 200
FILE = click.Path(path_type=Path, dir_okay=False)
OUTPUT_FORMATS = ("pdf", "html", "markdown")


@click.command()
@click.option("--retired", is_flag=True, help="Also those that count no longer.")
@as_json_option
def packs(retired: bool, as_json: bool) -> None:
    """List the control packs: those that come with Modelward, and your own."""
    with client() as modelward:
        found = modelward.cards.packs(retired=retired)
    if as_json:
        show_json(found)
        return
    rows = [{**each.to_dict(), "kind": _kind(each)} for each in found]
    show_table(rows, {"id": "pack", "title": "title", "controls": "controls", "kind": "kind"}, nothing="There is none.")


def _kind(each: Any) -> str:
    if each.built_in:
        return "built in"
    return f"version {each.number}" + (", retired" if each.retired else "")


@click.command()
@click.argument("name")
@click.option("--card", help="Show how this card answers the controls: covered, open, or not applicable (n.a.).")
@click.option("--as-of", "at", help="With --card: as it stood on a day, such as 2026-03-31.")
@click.option("--number", type=int, help="Which version of the pack; the newest if left out.")
@click.option("--versions", is_flag=True, help="List the versions of the pack.")
@click.option("--output", type=FILE, help="With --card: write the card as a document in the order of the pack.")
@click.option("--format", "wanted", type=click.Choice(OUTPUT_FORMATS), default="pdf", help="Of the document; pdf.")
@as_json_option
def pack(
    name: str,
    card: str | None,
    at: str | None,
    number: int | None,
    versions: bool,
    output: Path | None,
    wanted: str,
    as_json: bool,
) -> None:
    """Show a control pack, in its own order; with --card how a card answers it."""
    if card is None and (at or output):
        raise Invalid("--as-of and --output are about a card.", field="--card", hint="Name it with --card.")
    if card is not None and (versions or number is not None):
        raise Invalid("--number and --versions are about the pack alone.", field="--card", hint="Leave out --card.")
    with client() as modelward:
        if card is not None and output is not None:
            done = modelward.cards.export(card, wanted, output, pack=name)
            _tell(done, as_json, f"{card} is written to {output}, in the order of {name}.")
        elif card is not None:
            _show_controls(modelward, card, name, at, as_json)
        elif versions:
            found = modelward.cards.pack_versions(name)
            columns = {
                "number": "version",
                "at": "at",
                "by": "by",
                "controls": "controls",
                "retired": "retired",
                "note": "note",
            }
            show_json(found) if as_json else show_table(found, columns, nothing="There is none.")
        else:
            _show_pack(modelward.cards.pack(name, number=number), as_json)


@click.command()
@click.argument("name")
@click.argument("pack")
@click.option("--as-of", "at", help="As it stood on a day, such as 2026-03-31.")
@as_json_option
def controls(name: str, pack: str, at: str | None, as_json: bool) -> None:
    """Show how a card answers the controls of a pack: covered, open, or not applicable (n.a.), and why."""
    with client() as modelward:
        _show_controls(modelward, name, pack, at, as_json)


def _show_controls(modelward: Any, card: str, pack: str, at: str | None, as_json: bool) -> None:
    found = modelward.cards.controls(card, pack, at=moment_of(at) if at else None)
    if as_json:
        show_json(found)
        return
    click.echo(f"{shown(found.title)} ({shown(found.source, characters_max=WORDS_MAX)})")
    when = str(found.at)[:16].replace("T", " ")
    click.echo(f"{card}, version {found.number}, at {when} UTC")
    width = max(len(each.clause) for each in found.results)
    for each in found.results:
        state = click.style(f"{WORDS[each.state]:<8}", fg=COLOURS[each.state])
        since = f"  since {str(each.since)[:10]}" if each.to_dict().get("since") else ""
        click.echo(f"{state} {shown(each.clause):<{width}}  {shown(each.title)}{since}")
        if each.state != "covered":
            click.echo(f"         {'':<{width}}  {shown(each.reason, characters_max=WORDS_MAX)}")
    click.echo(f"{found.covered} covered, {found.open} open, {found.not_applicable} not applicable.")


def _show_pack(found: Any, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    click.echo(f"{shown(found.title)} ({shown(found.source, characters_max=WORDS_MAX)}), {_kind(found)}")
    rows = [{**each.to_dict(), "asks": _asks(each.to_dict())} for each in found.control]
    show_table(
        rows, {"id": "control", "clause": "clause", "title": "title", "asks": "asks for"}, nothing="It is empty."
    )


def _asks(control: dict[str, Any]) -> str:
    evidence = [f"evidence:{each}" for each in control.get("evidence", [])]
    return ", ".join([*control.get("fields", []), *evidence, *control.get("facts", [])])


@click.command("state-control")
@click.argument("name")
@click.argument("pack")
@click.argument("control")
@click.option("--applies/--applies-not", "applies", required=True, help="Whether it applies to the card.")
@click.option("--reason", default="", help="Why it does not; kept.")
@as_json_option
def state_control(name: str, pack: str, control: str, applies: bool, reason: str, as_json: bool) -> None:
    """Say that a control of a pack does not apply to a card, and why; or that it does after all."""
    with client() as modelward:
        found = modelward.cards.state_control(name, pack, control, applies=applies, reason=reason)
    _tell(found, as_json, f"{control} of {pack} {'applies' if applies else 'does not apply'} to {name}.")


@click.command("put-pack")
@click.argument("name")
@click.argument("file", type=FILE)
@click.option("--note", default="", help="Why; kept with the version.")
@click.option("--number", type=int, help="The version that you saw, 0 for none; another one is not changed.")
@as_json_option
def put_pack(name: str, file: Path, note: str, number: int | None, as_json: bool) -> None:
    """Write a control pack of your own, or its next version, from a YAML, JSON or TOML file."""
    from modelward.sdk.card_rules import placed, read_rules

    found = read_rules(file)
    with client() as modelward, placed(found, root="pack"):
        kept = modelward.cards.put_pack(name, found.value, note=note, number=number)
    _tell(kept, as_json, f"{name} is version {kept.number}, with {kept.controls} controls.")


@click.command("retire-pack")
@click.argument("name")
@click.option("--reason", default="", help="Why; kept with the pack.")
@as_json_option
def retire_pack(name: str, reason: str, as_json: bool) -> None:
    """Retire a control pack of your own: cards are no longer measured by it. What was is kept; put-pack brings it back."""
    with client() as modelward:
        _tell(modelward.cards.retire_pack(name, reason=reason), as_json, f"{name} is retired.")


@click.command()
@click.option("--number", type=int, help="An earlier one, by its number; the one in force if left out.")
@as_json_option
def template(number: int | None, as_json: bool) -> None:
    """Show the template that says what cards must have, as text that `adopt-template` takes."""
    with client() as modelward:
        found = modelward.cards.template(number=number)
    _tell(found, as_json, found.text.rstrip("\n"))


@click.command()
@as_json_option
def templates(as_json: bool) -> None:
    """List the templates that are or were in force, the newest first."""
    with client() as modelward:
        found = modelward.cards.templates()
    if as_json:
        show_json(found)
        return
    columns = {
        "number": "number",
        "name": "name",
        "source": "source",
        "in_force": "in force",
        "at": "since",
        "by": "by",
    }
    show_table(found, columns, nothing="There is none.")


@click.command("adopt-template")
@click.argument("file", type=FILE)
@click.option("--source", default="", help="Where it comes from; the name of the file if left out.")
@as_json_option
def adopt_template(file: Path, source: str, as_json: bool) -> None:
    """Put a template of your own in force, from a YAML, JSON or TOML file; what cards lack is counted anew."""
    from modelward.sdk.card_rules import placed, read_rules

    found = read_rules(file)
    with client() as modelward, placed(found, root="template"):
        kept = modelward.cards.adopt_template(found.text or found.value, source=source or file.name)
    _tell(kept, as_json, f"The template {shown(kept.template.name)} is in force, as number {kept.number}.")


@click.command("retire-template")
@click.option("--reason", default="", help="Why; kept in the event log.")
@as_json_option
def retire_template(reason: str, as_json: bool) -> None:
    """Retire your own template: the one that comes with Modelward is in force again."""
    with client() as modelward:
        _tell(
            modelward.cards.retire_template(reason=reason),
            as_json,
            "The template that comes with Modelward is in force.",
        )


def _tell(answer: Any, as_json: bool, words: str) -> None:
    if as_json:
        show_json(answer)
    else:
        click.echo(words)


ALL = (
    packs,
    pack,
    controls,
    state_control,
    put_pack,
    retire_pack,
    template,
    templates,
    adopt_template,
    retire_template,
)
