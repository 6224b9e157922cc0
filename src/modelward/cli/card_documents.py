"""`modelward card export` and `modelward card import`: cards as documents."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from modelward.cli.showing import as_json_option, client, show_json, shown
from modelward.kernel.errors import Invalid

EXPORT_FORMATS = (
    "pdf", "html", "markdown", "json", "aws-json", "hugging-face", "model-card-toolkit", "cyclonedx", "spdx",
)  # fmt: skip
IMPORT_FORMATS = ("json", "aws-json", "hugging-face", "model-card-toolkit", "cyclonedx")


@click.command()
@click.argument("name")
@click.option(
    "--format", "wanted", type=click.Choice(EXPORT_FORMATS), help="What to write; the content as JSON if left out."
)
@click.option("--number", type=int, help="Which version; the current one if left out.")
@click.option("--pack", default="", help="A control pack to add, for people to read in its own order.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="A file to write; default standard output."
)
@as_json_option
def export(name: str, wanted: str | None, number: int | None, pack: str, output: Path | None, as_json: bool) -> None:
    """Export a card: as PDF, as a page, as Markdown, or in the format of another tool. What was dropped is told.

    --json says what was written (of the file that --output names).
    """
    from modelward.sdk import card_documents

    if as_json and (output is None or wanted is None):
        raise Invalid("--json tells of the file that was written.", field="--json", hint="Give --format and --output.")
    if wanted == "pdf" and output is None and sys.stdout.isatty():
        raise Invalid("A PDF is not for a terminal.", field="--output", hint="Name a file with --output.")
    with client() as modelward:
        if wanted is None:
            found = number if number is not None else modelward.cards.get(name).number
            content = modelward.cards.version(name, found).to_dict()["content"]
            data = (json.dumps(content, indent=2, ensure_ascii=output is None) + "\n").encode()
            dropped: list[Any] = []
        else:
            done = modelward.cards.export(name, wanted, number=number, pack=pack)
            data, dropped = modelward.cards.read_export(done.id), done.dropped
            summary = {**done.to_dict(), "output": str(output) if output else None}
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    else:
        card_documents.save(data, output)
    if as_json:
        show_json(summary)
    else:
        _tell(dropped)


@click.command("import")
@click.argument("name")
@click.argument("document", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--format", "wanted", type=click.Choice(IMPORT_FORMATS), required=True, help="What the document is.")
@click.option("--model", help="The model that the card is of.")
@click.option("--version", help="The version that the card is of, as in fraud@3.")
@click.option("--note", default="", help="Kept with the first version of the card.")
@click.option("--preview", is_flag=True, help="Only say what the card would say and what would be dropped.")
@as_json_option
def import_(
    name: str,
    document: Path,
    wanted: str,
    model: str | None,
    version: str | None,
    note: str,
    preview: bool,
    as_json: bool,
) -> None:
    """Make a card, as a draft, from a document of another tool. What was dropped is told."""
    with client() as modelward:
        if preview:
            found = modelward.cards.preview_import(wanted, document)
        else:
            found = modelward.cards.import_card(name, wanted, document, model=model, version=version, note=note)
    if as_json:
        show_json(found)
        return
    if preview:
        click.echo(json.dumps(found.to_dict()["content"], indent=2))
    else:
        click.echo(f"{found.name} is {found.status}, version {found.number}.")
    _tell(found.dropped)


def _tell(dropped: list[Any]) -> None:
    if dropped:
        click.echo(f"Dropped ({len(dropped)}):", err=True)
    for each in dropped:
        click.echo(f"  {shown(each.path, characters_max=160)}  {shown(each.why, characters_max=160)}", err=True)
