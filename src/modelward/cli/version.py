"""`modelward version`."""

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, with the versions of Python and SQLite.")
def version(as_json: bool) -> None:
    """Print the version."""
    from modelward import __version__

    if not as_json:
        click.echo(f"modelward {__version__}")
        return
    import json
    import platform
    import sqlite3

    told = {"modelward": __version__, "python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    click.echo(json.dumps(told))
