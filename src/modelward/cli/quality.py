"""`modelward quality`: measure predictions against labels, in the files of the hosted service."""

from typing import TYPE_CHECKING, Any

import click

from modelward.cli.check import conclude

if TYPE_CHECKING:
    from modelward.analysis import JobFiles


@click.command()
@click.argument("data", nargs=-1, required=True)
@click.option(
    "--problem-type",
    required=True,
    type=click.Choice(["regression", "binary", "multiclass"]),
    help="What kind of model it is.",
)
@click.option("--label", required=True, help="Column of observed outcomes.")
@click.option("--prediction", help="Column of predicted outcomes; for binary models a probability will do.")
@click.option(
    "--probability",
    multiple=True,
    help="Column of the probability of the positive class (binary). Of several classes: given once for each class, "
    "as CLASS=COLUMN, or as columns that are named after their classes (p_cat, p_dog).",
)
@click.option("--threshold", type=float, default=0.5, help="Probabilities above it are positive predictions.")
@click.option("--positive", default="1", help="The positive label (binary).")
@click.option("--baseline", help="Folder with an earlier constraints.json: metrics worse than there are violations.")
@click.option("--out", required=True, help="Folder for statistics.json and constraints.json.")
@click.option("--no-header", is_flag=True, help="The CSV file has no header; columns are named _c0, _c1, ...")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def quality(
    data: tuple[str, ...],
    problem_type: Any,
    out: str,
    no_header: bool,
    probability: tuple[str, ...],
    as_json: bool,
    **settings: Any,
) -> None:
    """Write statistics.json and constraints.json of predictions in DATA; with --baseline, the violations instead.

    With a probability of each class, quality.json follows too: losses, areas, calibration, figures by class.

    Exit code: 0 done and kept, 1 a metric is worse, 2 undecided, 3 could not run.
    """
    from modelward.analysis import quality_files

    columns = _columns(probability)
    found = quality_files(list(data), problem_type=problem_type, probability=columns, header=not no_header, **settings)
    if not as_json:
        _show(found)
    conclude(found, out, as_json=as_json)


def _show(found: "JobFiles") -> None:
    """The figures of the statistics, a line each."""
    import msgspec

    statistics = msgspec.json.decode(found.files["statistics.json"])
    for family in statistics.values():
        for name, figure in family.items() if isinstance(family, dict) else ():
            value = figure.get("value") if isinstance(figure, dict) else None
            if isinstance(value, int | float):
                click.echo(f"  {name:<40} {value:.6g}")


def _columns(given: tuple[str, ...]) -> str | list[str] | dict[str, str] | None:
    if len(given) < 2:
        return given[0] if given else None
    pairs = [one.partition("=") for one in given]
    if all(sign for _, sign, _ in pairs):
        return {name: column for name, _, column in pairs}
    return list(given)
