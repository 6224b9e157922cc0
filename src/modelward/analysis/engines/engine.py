"""What an engine is: something that runs one function over many tasks."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

Task = tuple[str, bytes]
"""A file name, and what is asked of it. Only names travel, never rows."""


class Engine(Protocol):
    """Runs tasks somewhere, and gives their answers in the order of the tasks."""

    def map(self, work: Callable[[Task], bytes], tasks: Sequence[Task]) -> Iterator[bytes]:
        """Run ``work`` on every task; the first error ends it.

        Raises:
            ModelwardError: as ``work`` raises it.
            Unavailable: the engine is not installed, cannot be started or lost a worker.
        """
