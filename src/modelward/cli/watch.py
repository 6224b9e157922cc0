"""`modelward watch`: profile a table and show its drift, with no server at all."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelward.cli.seen import Seen, chance, moment, short, told

if TYPE_CHECKING:
    from rich.console import Console

    from modelward.analysis import CheckReport, ColumnProfile, Constraints, DriftVerdict, Plan, Profile

COULD_NOT_RUN = 3
SPARKS = " ▁▂▃▄▅▆▇█"
SHORT = {
    "integral": "int", "fractional": "float", "boolean": "bool", "string": "text", "timestamp": "time", "unknown": "?",
}  # fmt: skip
COLUMNS_SHOWN_MAX = 200
DRIFT_DRAWN_MAX = 20
UNCHECKED_SHOWN_MAX = 30
# Where there are verdicts they are what is looked for; the suggestions go into a file.
SUGGESTED_BESIDE_VERDICTS_MAX = 20


class _WrongUsage(click.UsageError):
    """A usage error whose exit code is 3: 2 already means undecided."""

    exit_code = COULD_NOT_RUN

    def __init__(self, problem: click.UsageError) -> None:
        super().__init__(problem.format_message(), problem.ctx)


class _Command(click.Command):
    """A command whose usage errors exit with 3: 2 already means undecided."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as problem:
            raise _WrongUsage(problem) from problem


@click.command(cls=_Command)
@click.argument("data")
@click.option("--reference", "-r", help="The table to compare with, for example the training data.")
@click.option("--constraints", "rules_path", help="Constraints as JSON, as --write-constraints makes them.")
@click.option("--write-constraints", "rules_target", help="Write the constraints in use as JSON, to edit and keep.")
@click.option("--html", "html_path", help="Write one self-contained HTML page.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--column", "-c", "columns", multiple=True, help="Look at this column only; may be repeated.")
@click.option("--decimal", type=click.Choice([".", ","]), default=".", help="Decimal separator of CSV files.")
def watch(
    data: str,
    reference: str | None,
    rules_path: str | None,
    rules_target: str | None,
    html_path: str | None,
    as_json: bool,
    columns: tuple[str, ...],
    decimal: str,
) -> None:
    """Profile DATA (Parquet, CSV, JSON lines; a file, a folder or s3://...) and compare it with a reference.

    Without a reference and constraints: shows the profile and suggests constraints.

    Exit code: 0 everything kept, 1 a violation or drift, 2 undecided, 3 could not run.
    """
    from modelward.kernel.errors import ModelwardError

    try:
        seen = _look(data, reference, rules_path, columns, decimal, quiet=as_json)
        if rules_target:
            _write(rules_target, seen.rules_json())
        if html_path:
            from modelward.cli.watch_page import page

            _write(html_path, page(seen).encode())
        if as_json:
            click.echo(seen.to_json())
        else:
            _show(seen, html_path)
    except ModelwardError as problem:
        click.echo(f"modelward watch: {problem}", err=True)
        sys.exit(COULD_NOT_RUN)
    except MemoryError:
        click.echo("modelward watch: there is not enough memory.", err=True)
        sys.exit(COULD_NOT_RUN)
    sys.exit(seen.exit_code)


def _look(
    data: str, reference: str | None, rules_path: str | None, columns: tuple[str, ...], decimal: str, *, quiet: bool
) -> Seen:
    from modelward.analysis import Plan, check, suggest

    plan = Plan(columns=columns or None, decimal="," if decimal == "," else ".")
    rules = _read_rules(rules_path) if rules_path else None
    baseline = _profiled(reference, plan, "reference", quiet) if reference else None
    current = _profiled(data, plan, "data", quiet)
    in_use = rules if rules is not None else suggest(baseline if baseline is not None else current)
    report = check(current, baseline, in_use) if baseline is not None or rules is not None else None
    return Seen(data, reference, (current, baseline), in_use, report, rules_given=rules is not None)


def _profiled(path: str, plan: "Plan", what: str, quiet: bool) -> "Profile":
    from modelward.analysis import profile

    if quiet or not sys.stderr.isatty():
        return profile(path, plan)
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"Reading the {what}", total=None)
        return profile(
            path, plan, progress=lambda done, steps: progress.update(task, completed=done, total=steps or None)
        )


def _read_rules(path: str) -> "Constraints":
    from modelward.analysis import Constraints
    from modelward.kernel import codec
    from modelward.kernel.errors import NotFound

    try:
        return codec.decode(Path(path).read_bytes(), Constraints, field=path)
    except OSError as problem:
        raise NotFound(f"The constraints {path!r} cannot be read: {problem.strerror}.") from problem


def _write(path: str, content: bytes) -> None:
    from modelward.kernel.errors import Invalid

    try:
        Path(path).write_bytes(content)
    except OSError as problem:
        raise Invalid(f"{path!r} cannot be written: {problem.strerror}.") from problem


def _show(seen: Seen, html_path: str | None) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    _show_columns(console, seen)
    if not seen.rules_given:
        _show_suggestions(console, seen)
    if seen.report is not None:
        _show_verdicts(console, seen, seen.report)
    for note in seen.current.notes:
        console.print(f"Note: {note}", markup=False)
    if html_path:
        console.print(f"Page: {html_path}", markup=False)
    if seen.report is not None:
        colour = {"passed": "green", "failed": "red", "undecided": "yellow"}[seen.report.outcome.value]
        console.print(f"[bold {colour}]{seen.report.outcome.value.upper()}[/] ", end="")
        console.print(seen.report.reason, markup=False)


def _show_columns(console: "Console", seen: Seen) -> None:
    from rich.table import Table
    from rich.text import Text

    from modelward.analysis.pictures import picture

    table = Table(title=Text(f"{seen.data}: {seen.current.rows:,} rows, {len(seen.current.columns)} columns"), box=None)
    wide = console.width >= 100
    for heading in ("column", "kind", "present", "distinct", *(("mean",) if wide else ()), "range", "shape"):
        table.add_column(
            heading, justify="right" if heading in ("present", "distinct", "mean") else "left", no_wrap=True
        )
    verdicts = {verdict.column: verdict.outcome.value for verdict in seen.report.drift} if seen.report else {}
    for column in list(seen.current.columns.values())[:COLUMNS_SHOWN_MAX]:
        drawn = picture(column, cells=16)
        style = {"failed": "red", "undecided": "yellow"}.get(verdicts.get(column.name, ""), "")
        table.add_row(
            *(
                Text(cell, style=style)
                for cell in (short(column.name, 20), SHORT[column.kind.value], *_figures(column, wide))
            ),
            sparkline(drawn.current, drawn.highest) if drawn else "",
        )
    console.print(table)
    hidden = len(seen.current.columns) - COLUMNS_SHOWN_MAX
    if hidden > 0:
        console.print(f"... and {hidden} more columns")


def _figures(column: "ColumnProfile", wide: bool) -> list[str]:
    present, distinct, mean, span = _all_figures(column)
    return [present, distinct, *((mean,) if wide else ()), span]


def _all_figures(column: "ColumnProfile") -> tuple[str, str, str, str]:
    present = "" if column.completeness is None else f"{column.completeness:.1%}"
    distinct = "" if column.distinct is None else _counted(column.distinct, column.distinct_exact)
    if column.kind.value == "timestamp" and column.minimum is not None and column.maximum is not None:
        return present, distinct, "", f"{moment(column.minimum)} .. {moment(column.maximum)}"
    if column.mean is not None:
        return present, distinct, f"{column.mean:.4g}", f"{column.minimum:.3g} .. {column.maximum:.3g}"
    if column.categories is not None and column.categories.counts:
        text, count = column.categories.top(1)[0]
        return present, distinct, "", f"{short(text, 20)} ({count / column.present:.0%})"
    return present, distinct, "", ""


def _counted(number: int, exact: bool) -> str:
    if exact or number < 10_000:
        return f"{'' if exact else '~'}{number:,}"
    return f"~{number / 1e6:.1f}M" if number >= 995_000 else f"~{number / 1e3:.0f}k"


def sparkline(shares: tuple[float, ...], highest: float) -> str:
    """Shares as a line of bars; anything above 0 is at least the lowest bar."""
    return "".join(SPARKS[0 if share <= 0 else max(1, round(share / highest * 8))] for share in shares)


def _show_verdicts(console: "Console", seen: Seen, report: "CheckReport") -> None:
    if report.violations:
        console.print(f"\n[bold]Violations ({len(report.violations)})[/]")
        for violation in report.violations:
            console.print(f"  {violation.check:<15} {violation.description}", markup=False)
    drifted = sorted(
        (verdict for verdict in report.drift if verdict.outcome.value == "failed"),
        key=lambda verdict: -(verdict.effect or 0) / verdict.threshold,
    )
    compared = len(report.drift)
    if compared:
        console.print(f"\n[bold]Drift: {len(drifted)} of {compared} columns compared[/]")
    for verdict in drifted[:DRIFT_DRAWN_MAX]:
        _show_drift(console, seen, verdict)
    undecided = [verdict for verdict in report.drift if verdict.outcome.value == "undecided"]
    for verdict in undecided[:UNCHECKED_SHOWN_MAX]:
        console.print(f"  {short(verdict.column, 28)}: undecided. {verdict.reason}", markup=False)
    if report.unchecked:
        console.print(f"\n[bold]Not checked ({len(report.unchecked)})[/]")
        for item in report.unchecked[:UNCHECKED_SHOWN_MAX]:
            console.print(f"  {short(item.column or 'all columns', 28)}: {item.check}: {item.reason}", markup=False)
        if len(report.unchecked) > UNCHECKED_SHOWN_MAX:
            console.print(f"  ... and {len(report.unchecked) - UNCHECKED_SHOWN_MAX} more")
    console.print()


def _show_drift(console: "Console", seen: Seen, verdict: "DriftVerdict") -> None:
    from modelward.analysis.pictures import picture

    console.print(
        f"  {short(verdict.column, 40)}: {verdict.measure} {verdict.distance:.3f} "
        f"(threshold {verdict.threshold:g}, chance {chance(verdict.p_value)})",
        markup=False,
        style="red",
    )
    drawn = picture(seen.current.columns[verdict.column], (seen.baseline or seen.current).columns[verdict.column])
    if drawn is None:
        return
    if drawn.ordered:
        ends = f"{drawn.labels[0].split(' to ')[0]} .. {drawn.labels[-1].split(' to ')[-1]}"
        console.print(f"    baseline |{sparkline(drawn.baseline, drawn.highest)}| {ends}", markup=False)
        console.print(f"    current  |{sparkline(drawn.current, drawn.highest)}|", markup=False)
        return
    rows = zip(drawn.labels, drawn.baseline, drawn.current, strict=True)
    moved = sorted(rows, key=lambda row: -abs(row[1] - row[2]))[:6]
    for label, before, now in moved:
        bar = "█" * max(0, round(now / drawn.highest * 24))
        console.print(f"    {short(label, 20):<20} {before:6.1%} -> {now:6.1%} {bar}", markup=False)


def _show_suggestions(console: "Console", seen: Seen) -> None:
    source = f" from {short(seen.reference, 60)}" if seen.reference else ""
    console.print("\n[bold]Suggested constraints[/]", end="")
    console.print(f"{source} (keep them with --write-constraints FILE)", markup=False)
    shown = COLUMNS_SHOWN_MAX if seen.report is None else SUGGESTED_BESIDE_VERDICTS_MAX
    for rule in seen.rules.columns[:shown]:
        console.print(f"  {short(rule.name, 28):<28} {told(rule)}", markup=False)
    hidden = len(seen.rules.columns) - shown
    if hidden > 0:
        console.print(f"  ... and those of {hidden} more columns")


if __name__ == "__main__":
    watch()
