"""`modelward check`: judge a table against the files of a baseline, with an exit code for every outcome."""

import sys
from typing import TYPE_CHECKING

import click

from modelward.kernel.outcome import Outcome

if TYPE_CHECKING:
    from modelward.analysis import JobFiles

EXIT_CODES = {None: 0, Outcome.PASSED: 0, Outcome.FAILED: 1, Outcome.UNDECIDED: 2}
UNCHECKED_SHOWN_MAX = 20


@click.command()
@click.argument("data", nargs=-1, required=True)
@click.option("--baseline", required=True, help="Folder with statistics.json and constraints.json.")
@click.option("--out", required=True, help="Folder for statistics.json and, where needed, constraint_violations.json.")
@click.option("--compatible", is_flag=True, help="By the rules of the hosted service: repeated values count once.")
@click.option("--strict-types", is_flag=True, help="Integers do not satisfy Fractional, as in 2019.")
@click.option("--no-header", is_flag=True, help="The CSV file has no header.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def check(
    data: tuple[str, ...], baseline: str, out: str, compatible: bool, strict_types: bool, no_header: bool, as_json: bool
) -> None:
    """Check DATA against a baseline; a file of violations is written only where something is violated.

    Exit code: 0 everything kept, 1 violated, 2 undecided, 3 could not run.
    """
    from modelward.analysis import check_files
    from modelward.cli.reading_progress import reading_progress

    with reading_progress("data") as progress:
        found = check_files(
            list(data),
            baseline,
            compatible=compatible,
            strict_types=strict_types,
            header=not no_header,
            progress=progress,
        )
    conclude(found, out, as_json=as_json)


def conclude(found: "JobFiles", out: str, *, as_json: bool) -> None:
    """Write the files, tell what was found, and exit with the code of the outcome."""
    found.write(out)
    if as_json:
        click.echo(in_json(found, out))
        sys.exit(EXIT_CODES[found.outcome])
    for note in found.notes:
        click.echo(note)
    for violation in found.violations:
        subject = next((one for one in (violation.feature_name, violation.metric_name) if isinstance(one, str)), "")
        click.echo(f"{subject}: {violation.constraint_check_type}: {violation.description.strip()}")
    for feature, what, reason in found.unchecked[:UNCHECKED_SHOWN_MAX]:
        click.echo(f"Not checked: {feature or 'all columns'}: {what}: {reason}.")
    if len(found.unchecked) > UNCHECKED_SHOWN_MAX:
        click.echo(f"... and {len(found.unchecked) - UNCHECKED_SHOWN_MAX} more were not checked.")
    if found.outcome is not None:
        click.echo(f"{found.outcome.value.upper()} {found.reason}")
    click.echo(f"Wrote {', '.join(found.files)} to {out}.")
    sys.exit(EXIT_CODES[found.outcome])


def in_json(found: "JobFiles", out: str) -> str:
    """What was found, for programs."""
    from modelward.kernel import codec

    return codec.encode(
        {
            "outcome": found.outcome,
            "reason": found.reason,
            "exit_code": EXIT_CODES[found.outcome],
            "violations": found.violations,
            "unchecked": [{"column": one, "check": what, "reason": why} for one, what, why in found.unchecked],
            "notes": found.notes,
            "folder": out,
            "files": list(found.files),
        }
    ).decode()
