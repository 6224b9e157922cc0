"""How commands reach Modelward and show its answers: as a plain table, or as JSON for programs."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from modelward.sdk import Client

F = TypeVar("F", bound=Callable[..., Any])
CELL_CHARACTERS_MAX = 60

as_json_option = click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")


def client() -> "Client":
    """Connect: the server of MODELWARD_URL, or the one that holds the data folder, or the folder itself."""
    import modelward

    return modelward.connect()


def show_json(answer: Any) -> None:
    """Print an answer as JSON."""
    from modelward.kernel import codec

    click.echo(codec.encode(_plain(answer)).decode())


def _plain(answer: Any) -> Any:
    if isinstance(answer, Mapping):
        return {key: _plain(value) for key, value in answer.items()}
    if isinstance(answer, list):
        return [_plain(each) for each in answer]
    return answer


def show_table(rows: Iterable[Mapping[str, Any]], columns: dict[str, str], *, nothing: str) -> None:
    """Print rows in columns: heading by field. An empty list is told in words."""
    cells = [[shown(row.get(field)) for field in columns] for row in rows]
    if not cells:
        click.echo(nothing)
        return
    heads = list(columns.values())
    widths = [max(len(line[place]) for line in [heads, *cells]) for place in range(len(heads))]
    for line in [heads, *cells]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def shown(value: Any, *, characters_max: int = CELL_CHARACTERS_MAX) -> str:
    """A value in one line, without the control characters by which a stored text could steer a terminal."""
    text = "" if value is None else str(value)
    text = "".join(each if each.isprintable() else " " for each in text)
    return text if len(text) <= characters_max else text[: characters_max - 3] + "..."


def told(text: str) -> str:
    """A text of any length, without control characters but line breaks."""
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text)
