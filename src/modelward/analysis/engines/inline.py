"""The engine that runs everything here, one task after another."""

from collections.abc import Callable, Iterator, Sequence

from modelward.analysis.engines.engine import Task


class Inline:
    """Runs tasks in this process, in order."""

    def map(self, work: Callable[[Task], bytes], tasks: Sequence[Task]) -> Iterator[bytes]:
        """Run every task when its answer is asked for."""
        return map(work, tasks)
