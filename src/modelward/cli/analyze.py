"""`modelward analyze`: do what an analysis_config.json of the hosted service asks, as far as it is about bias."""

import click

from modelward.cli.check import conclude


@click.command()
@click.argument("config")
@click.option("--data", required=True, help="The data that the configuration speaks of.")
@click.option("--out", required=True, help="Folder for analysis.json.")
@click.option("--baseline", help="An earlier analysis.json: bias further from 0 than there is a violation.")
def analyze(config: str, data: str, out: str, baseline: str | None) -> None:
    """Write the analysis.json that CONFIG (an analysis_config.json) asks for.

    Exit code: 0 done and kept, 1 bias has drifted, 2 undecided, 3 could not run (explanations are not built yet).
    """
    from modelward.analysis import analyze_files

    conclude(analyze_files(config, data, baseline=baseline), out)
