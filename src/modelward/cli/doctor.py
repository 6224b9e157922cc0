"""`modelward doctor`: runs the examination of examination.py and tells what it found. Looks only; changes nothing."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelward.kernel.outcome import Outcome

if TYPE_CHECKING:
    from modelward.cli.checked import Checked

EXIT_CODES = {Outcome.PASSED: 0, Outcome.FAILED: 1, Outcome.UNDECIDED: 2}
COLOURS = {Outcome.PASSED: "green", Outcome.FAILED: "red", Outcome.UNDECIDED: "yellow"}


@click.command()
@click.option("--home", type=click.Path(path_type=Path), help="The data folder [MODELWARD_HOME].")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def doctor(home: Path | None, as_json: bool) -> None:
    """Say what is wrong here and how to mend it.

    Looks at the server that holds the data folder, or at the folder itself when nothing runs; never writes there.
    Exits with 0 when all checks passed, 1 when one failed, 2 when none failed and some are undecided.
    """
    from modelward.cli.examination import examine
    from modelward.kernel.outcome import worst

    checks = examine(home=home)
    overall = worst([each.outcome for each in checks])
    if as_json:
        from modelward.kernel import codec

        click.echo(codec.encode({"outcome": overall, "checks": checks}))
    else:
        _print(checks)
    sys.exit(EXIT_CODES[overall])


def _print(checks: "list[Checked]") -> None:
    width = max(len(each.name) for each in checks)
    for each in checks:
        click.echo(
            f"{click.style(f'{each.outcome.value:<9}', fg=COLOURS[each.outcome])}  {each.name:<{width}}  {each.told}"
        )
        if each.next:
            click.echo(f"{'':<9}  {'':<{width}}  What next: {each.next}")
    counts = {outcome: sum(each.outcome is outcome for each in checks) for outcome in Outcome}
    click.echo(", ".join(f"{count} {outcome.value}" for outcome, count in counts.items() if count) + ".")
