"""`modelward baseline`: describe a table and suggest what it must keep, in the files of the hosted service."""

import click

from modelward.cli.check import in_json


@click.command()
@click.argument("data", nargs=-1, required=True)
@click.option("--out", required=True, help="Folder for statistics.json and constraints.json.")
@click.option("--compatible", is_flag=True, help="To the last bit as the hosted service, its estimates included.")
@click.option("--no-header", is_flag=True, help="The CSV file has no header; columns are named _c0, _c1, ...")
@click.option("--no-sketch", is_flag=True, help="Leave the sketches out: of few rows they are the data itself.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def baseline(
    data: tuple[str, ...], out: str, compatible: bool, no_header: bool, no_sketch: bool, as_json: bool
) -> None:
    """Write statistics.json and constraints.json of DATA (CSV, JSON lines, Parquet or captures; files of one table)."""
    from modelward.analysis import baseline_files
    from modelward.cli.reading_progress import reading_progress

    with reading_progress("data") as progress:
        made = baseline_files(
            list(data), compatible=compatible, header=not no_header, sketches=not no_sketch, progress=progress
        )
    made.write(out)
    if as_json:
        click.echo(in_json(made, out))
        return
    for note in made.notes:
        click.echo(note)
    click.echo(f"Wrote {', '.join(made.files)} to {out}.")
