"""`modelward monitor`: list, show, create and run monitors."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from modelward.cli.showing import as_json_option, client, show_json, show_table, shown
from modelward.kernel.errors import Invalid
from modelward.kernel.outcome import Outcome

COLOURS = {"passed": "green", "failed": "red", "undecided": "yellow"}
EXIT_CODES = {Outcome.PASSED.value: 0, Outcome.FAILED.value: 1, Outcome.UNDECIDED.value: 2}
RUNS_SHOWN = 10
TEXT_CHARACTERS_MAX = 400


@click.group()
def monitor() -> None:
    """Monitors: do the records of an endpoint still look like its baseline?"""


@monitor.command("list")
@click.option("--endpoint", help="Only those of an endpoint.")
@as_json_option
def list_monitors(endpoint: str | None, as_json: bool) -> None:
    """List monitors in the order of their names."""
    with client() as modelward:
        found = list(modelward.monitors.list(endpoint=endpoint))
    if as_json:
        show_json(found)
        return
    columns = {
        "name": "monitor", "endpoint": "endpoint", "baseline": "baseline", "cron": "cron", "enabled": "enabled",
        "next_at": "next",
    }  # fmt: skip
    show_table(found, columns, nothing="There is no such monitor.")


@monitor.command()
@click.argument("name")
@as_json_option
def show(name: str, as_json: bool) -> None:
    """Show a monitor and its last runs."""
    with client() as modelward:
        found = modelward.monitors.get(name)
        runs = [run for run, _ in zip(modelward.monitors.runs(name), range(RUNS_SHOWN), strict=False)]
        rule = modelward.monitors.alert_rule(name)
    if as_json:
        show_json({**found, "alert_rule": rule, "runs": runs})
        return
    when = f"by {found.cron!r} ({found.zone}), next {found.next_at or 'never'}" if found.cron else "on demand"
    click.echo(f"{found.name} compares {found.endpoint} with {found.baseline}, {when}")
    if found.false_alarms_a_month:
        click.echo(f"at most {found.false_alarms_a_month:g} false drift alarms a month")
    if found.segments:
        click.echo(f"compares groups by {shown(', '.join(found.segments))}")
    click.echo(f"alerts when {rule.runs_failed} of {rule.runs_judged} runs failed ({rule.severity})")
    columns = {
        "id": "run", "window_start": "from", "window_end": "to", "state": "state", "outcome": "outcome", "rows": "rows",
        "reason": "reason",
    }  # fmt: skip
    show_table(runs, columns, nothing="It has not run yet.")


@monitor.command()
@click.argument("name")
@click.option("--endpoint", required=True, help="What to watch.")
@click.option("--baseline", required=True, help="What to compare with.")
@click.option("--cron", default="", help="When, such as '0 6 * * *'; without it on demand only.")
@click.option("--zone", default="UTC", help="The time zone of the cron line.")
@click.option("--window-hours", type=int, default=24, help="How far a window reaches back; 0: to the window before.")
@click.option("--lag-minutes", type=int, default=0, help="How long before its slot a window ends.")
@click.option("--false-alarms", type=float, help="How many drift alarms a month may come by chance; needs --cron.")
@click.option("--segment", "segments", multiple=True, help="Compare the groups by this column apart; up to 3.")
@as_json_option
def create(
    name: str, window_hours: int, false_alarms: float | None, segments: tuple[str, ...], as_json: bool, **settings: Any
) -> None:
    """Create a monitor."""
    settings |= {"false_alarms_a_month": false_alarms, "segments": list(segments)}
    with client() as modelward:
        made = modelward.monitors.create(name, window_hours=window_hours or None, **settings)
    if as_json:
        show_json(made)
    else:
        click.echo(f"{made.name} watches {made.endpoint}; it runs {made.next_at or 'on demand'}.")


@monitor.command()
@click.argument("name")
@click.option("--file", "path", help="All constraints as JSON, to be kept from now on; without it they are printed.")
@click.option("--note", default="", help="Why, for the record.")
@click.option("--replaces", help="The digest of the constraints you edited; refused if there are others by now.")
@as_json_option
def constraints(name: str, path: str | None, note: str, replaces: str | None, as_json: bool) -> None:
    """Print or change what the records of the monitor NAME must keep: the constraints of its baseline.

    Every monitor that compares with the same baseline is judged by them.
    """
    given = _constraints_of(path) if path else None
    with client() as modelward:
        baseline = modelward.monitors.get(name).baseline
        if given is None:
            show_json(modelward.baselines.constraints(baseline))
            return
        kept = modelward.baselines.set_constraints(baseline, given, note=note, replaces=replaces)
    if as_json:
        show_json(kept)
    else:
        click.echo(f"{baseline} has version {kept.constraints_version} of its constraints, {kept.constraints}.")


def _constraints_of(path: str) -> dict[str, Any]:
    import json

    try:
        given = json.loads(Path(path).read_bytes())
    except (OSError, ValueError, RecursionError) as problem:
        raise Invalid(f"{path!r} cannot be read as JSON: {problem}", field="--file") from problem
    if not isinstance(given, dict):
        raise Invalid(f"{path!r} holds no JSON object.", field="--file")
    return given


@monitor.command()
@click.argument("name")
@click.option("--start", help="Where the window begins, such as 2026-01-31T00:00:00Z; default 24 hours before its end.")
@click.option("--end", help="Where the window ends; default now.")
@click.option("--again", is_flag=True, help="One more attempt at a window that was looked at before.")
@as_json_option
def run(name: str, start: str | None, end: str | None, again: bool, as_json: bool) -> None:
    """Look at a window now and wait for the verdict.

    Exits with 0 when it passed, 1 when it failed, 2 when it is undecided or could not be reached.
    """
    until = _moment(end, "end") or datetime.now(UTC)
    since = _moment(start, "start") or until - timedelta(hours=24)
    with client() as modelward:
        asked = modelward.monitors.run(name, since, until, again=again)
        found = modelward.runs.wait(asked.id)
    if as_json:
        show_json(found)
    else:
        _tell(found)
    sys.exit(EXIT_CODES.get(found.outcome, 2))


def _moment(text: str | None, field: str) -> datetime | None:
    from modelward.kernel.clock import moment

    try:
        return moment(text) if text else None
    except ValueError as problem:
        raise Invalid(
            f"{text!r} is not a date and time.", field=f"--{field}", hint="Write 2026-01-31T00:00:00Z."
        ) from problem


def _tell(found: Any) -> None:
    if found.failure:
        click.echo(
            click.style("No verdict", fg="yellow")
            + f"  {shown(found.failure.cause, characters_max=TEXT_CHARACTERS_MAX)}"
        )
        click.echo(f"What next: {shown(found.failure.what_to_do, characters_max=TEXT_CHARACTERS_MAX)}")
        return
    click.echo(
        f"{click.style(found.outcome, fg=COLOURS[found.outcome])}  {shown(found.reason)}  {found.rows} rows  {found.id}"
    )
    for finding in found.findings:
        click.echo(f"  {shown(finding.text, characters_max=TEXT_CHARACTERS_MAX)}")
    for note in found.notes:
        click.echo(f"  Note: {shown(note, characters_max=TEXT_CHARACTERS_MAX)}")
