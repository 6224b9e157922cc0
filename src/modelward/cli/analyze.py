"""`modelward analyze`: do what an analysis_config.json of the hosted service asks: bias, SHAP values, partial dependence."""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import click

from modelward.cli.check import conclude
from modelward.kernel.outcome import Outcome

if TYPE_CHECKING:
    from modelward.analysis import JobFiles
    from modelward.analysis.attribution.explain import ShapState

STATE_SECONDS = 5.0


@click.command()
@click.argument("config")
@click.option("--data", required=True, help="The data that the configuration speaks of.")
@click.option("--out", required=True, help="Folder for analysis.json and explanations_shap.")
@click.option(
    "--baseline",
    help="An earlier analysis.json: bias further from 0 than there, or features in another order, is a violation.",
)
@click.option("--predictor", help="The model to ask: an http(s) address, or module:function.")
@click.option("--header", multiple=True, help="'Name: value' to send to the model; can be repeated.")
@click.option("--state", help="File that keeps what is explained, so that an interrupted run can be gone on with.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def analyze(
    config: str,
    data: str,
    out: str,
    baseline: str | None,
    predictor: str | None,
    header: tuple[str, ...],
    state: str | None,
    as_json: bool,
) -> None:
    """Write the analysis.json that CONFIG (an analysis_config.json) asks for.

    Exit code: 0 done and kept, 1 bias or the order of features has drifted, 2 undecided, 3 could not run.
    """
    from modelward.analysis import analyze_files
    from modelward.analysis.attribution.explain import ShapState
    from modelward.analysis.formats.analysis_config import read_analysis_config
    from modelward.analysis.formats.layout import content_of
    from modelward.cli.asking import predictor_at

    asked = read_analysis_config(content_of(Path(config)), name=config)
    block = asked.predictor if isinstance(asked.predictor, dict) else None
    model = predictor_at(predictor, block, header) if predictor is not None else None
    kept = ShapState.from_bytes(Path(state).read_bytes()) if state is not None and Path(state).exists() else None
    with _Keeper(state) as keeper:
        found = analyze_files(
            asked, data, baseline=baseline, predictor=model, state=kept, on_progress=keeper.told if model else None
        )
    conclude(_with_what_is_undefined(found), out, as_json=as_json)


def _with_what_is_undefined(found: "JobFiles") -> "JobFiles":
    """Tell of the bias metrics that have an error for a value; where all have, nothing was decided."""
    import msgspec

    content = msgspec.json.decode(found.files["analysis.json"])
    told = [
        (f"{facet} = {group.get('value_or_threshold', 'each')}", metric["name"], metric.get("error"))
        for stage in ("pre_training_bias_metrics", "post_training_bias_metrics")
        for facet, groups in content.get(stage, {}).get("facets", {}).items()
        for group in groups
        for metric in group["metrics"]
    ]
    errors = tuple(
        (facet, name, str(error).strip().removeprefix(f"{name}: ").rstrip(".")) for facet, name, error in told if error
    )
    found = msgspec.structs.replace(found, unchecked=(*found.unchecked, *errors))
    if errors and len(errors) == len(told) and found.outcome is None:
        return msgspec.structs.replace(found, outcome=Outcome.UNDECIDED, reason="Not one metric of bias is defined.")
    return found


class _Keeper:
    """Tells on the terminal how far explanations are, and keeps them in a file every few seconds and when they break off."""

    def __init__(self, path: str | None) -> None:
        self.path, self.at, self.shown = path, time.monotonic(), False
        self.last: ShapState | None = None

    def __enter__(self) -> Self:
        return self

    def told(self, state: "ShapState") -> None:
        """Take news."""
        self.last, now = state, time.monotonic()
        if now - self.at < STATE_SECONDS:
            return
        self.at = now
        self._keep()
        if sys.stderr.isatty():
            self.shown = True
            click.echo(f"\rexplained {state.done} of {len(state.values)} rows", nl=False, err=True)

    def _keep(self) -> None:
        if self.path is not None and self.last is not None:
            beside = Path(f"{self.path}.new")
            beside.write_bytes(self.last.to_bytes())
            os.replace(beside, self.path)

    def __exit__(self, kind: object, problem: object, trace: object) -> None:
        if self.shown:
            click.echo(err=True)
        if problem is not None:
            self._keep()
        elif self.path is not None:
            Path(self.path).unlink(missing_ok=True)
