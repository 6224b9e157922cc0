"""A bar on the terminal while a table is read; none where nobody looks."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def reading_progress(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """Something to call with steps done and steps in all (0 when not known); None where errors do not go to a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"Reading the {what}", total=None)
        yield lambda done, steps: bar.update(task, completed=done, total=steps or None)
