"""`modelward watch`: profile a table and show its drift, with no server at all."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelward.cli.looking import Asked, look
from modelward.cli.seen import Seen, chance, moment, short, told

if TYPE_CHECKING:
    from rich.console import Console

    from modelward.analysis import CheckReport, ColumnProfile, DriftVerdict
    from modelward.analysis.checking.classifier import ClassifierVerdict

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
@click.option("--segment", "-s", "segments", multiple=True, help="Look at the groups by this column apart; up to 3.")
@click.option(
    "--engine", type=click.Choice(["here", "processes", "spark"]), default="here", help="Where files are read."
)
@click.option("--together", is_flag=True, help="Also let a classifier try to tell the rows of both tables apart.")
@click.option("--history", "history_path", help="A file that carries the runs before; small changes show over many.")
@click.option("--false-alarms", type=float, help="How many false drift alarms a month are let pass; needs --runs.")
@click.option("--runs", type=float, help="How many runs a month there are.")
def watch(
    data: str,
    reference: str | None,
    rules_path: str | None,
    rules_target: str | None,
    html_path: str | None,
    as_json: bool,
    columns: tuple[str, ...],
    decimal: str,
    segments: tuple[str, ...],
    engine: str,
    together: bool,
    history_path: str | None,
    false_alarms: float | None,
    runs: float | None,
) -> None:
    """Profile DATA (Parquet, CSV, JSON lines, captures; a file, a folder or s3://...) and compare it with a reference.

    Without a reference and constraints: shows the profile and suggests constraints.

    Exit code: 0 everything kept, 1 a violation or drift, 2 undecided, 3 could not run.
    """
    from modelward.kernel.errors import ModelwardError

    try:
        asked = Asked(
            data=data, reference=reference, rules_path=rules_path, columns=columns or None, decimal=decimal, quiet=as_json,
            segments=segments, engine=engine, together=together, history_path=history_path, budget=(false_alarms, runs),
        )  # fmt: skip
        seen = look(asked)
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
    if seen.together is not None:
        _show_together(console, seen.together)
    for note in seen.current.notes:
        console.print(f"Note: {note}", markup=False)
    if html_path:
        console.print(f"Page: {html_path}", markup=False)
    if seen.report is not None:
        _show_budget(console, seen.report)
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
        right = heading in ("present", "distinct", "mean")
        # On a narrow terminal the range and the shape give way: cut headings and figures say nothing.
        least = {"column": 12, "kind": 5, "range": 16, "shape": 4}.get(heading, len(heading))
        table.add_column(heading, justify="right" if right else "left", no_wrap=True, min_width=least)
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
    _show_groups(console, seen, report)
    if report.unchecked:
        console.print(f"\n[bold]Not checked ({len(report.unchecked)})[/]")
        for item in report.unchecked[:UNCHECKED_SHOWN_MAX]:
            console.print(f"  {short(item.column or 'all columns', 28)}: {item.check}: {item.reason}", markup=False)
        if len(report.unchecked) > UNCHECKED_SHOWN_MAX:
            console.print(f"  ... and {len(report.unchecked) - UNCHECKED_SHOWN_MAX} more")
    console.print()


def _show_budget(console: "Console", report: "CheckReport") -> None:
    """What chance may have to do with it, and where runs are counted how they spent."""
    if report.budget is None:
        return
    console.print(report.budget.sentence, markup=False)
    if len(report.budget.past) > 1:
        top = max(max(pair) for pair in report.budget.past)
        line = sparkline(tuple(spent for spent, _ in report.budget.past), top)
        console.print(f"  spent |{line}| a full bar is what the runs may spend by now", markup=False)


def _show_groups(console: "Console", seen: Seen, report: "CheckReport") -> None:
    """What groups of rows, and many runs together, say."""
    by = seen.current.segments.by if seen.current.segments else ()
    failed = [group for group in report.segments if group.drift]
    if report.segments:
        console.print(f"[bold]Groups by {', '.join(by)}: {len(failed)} of {len(report.segments)} drifted[/]")
    for group in failed[:UNCHECKED_SHOWN_MAX]:
        named = ", ".join(f"{name} = {value}" for name, value in zip(by, group.values, strict=True))
        columns = ", ".join(verdict.column for verdict in group.drift)
        console.print(f"  {short(named, 40)} ({group.rows:,} rows): {short(columns, 60)}", markup=False, style="red")
    for several in report.over_runs:
        columns = ", ".join(verdict.column for verdict in several.drift)
        console.print(f"[bold]Over the last {several.runs} runs[/] ({several.rows:,} rows): ", end="")
        console.print(short(columns, 80), markup=False, style="red")


def _show_together(console: "Console", found: "ClassifierVerdict") -> None:
    if found.auc is None:
        console.print(f"All columns together: undecided. {found.reason}", markup=False)
        return
    console.print(
        f"All columns together: a classifier tells the tables apart with an area of {found.auc:.3f} "
        f"(0.5: not at all; chance {chance(found.p_value)}). {found.reason}",
        markup=False,
    )


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
