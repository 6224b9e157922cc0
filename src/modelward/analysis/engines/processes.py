"""The engine that shares files among processes of this machine."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context

from modelward.analysis.engines.answers import answer, unpacked
from modelward.analysis.engines.engine import Task
from modelward.kernel.errors import Invalid, Unavailable


class Processes:
    """Runs tasks in ``workers`` new processes (as many as processors when None); they end with the last answer."""

    def __init__(self, workers: int | None = None) -> None:
        """Say how many.

        Raises:
            Invalid: fewer than one worker.
        """
        if workers is not None and workers < 1:
            raise Invalid(f"{workers} workers cannot do anything; at least 1 is needed.", field="workers")
        self.workers = workers or os.cpu_count() or 1

    def map(self, work: Callable[[Task], bytes], tasks: Sequence[Task]) -> Iterator[bytes]:
        """Run every task in the pool.

        Raises:
            Unavailable: a worker ended without an answer.
        """
        # Spawned and not forked: this process may hold threads and locks.
        with ProcessPoolExecutor(min(self.workers, max(1, len(tasks))), mp_context=get_context("spawn")) as pool:
            try:
                for found in pool.map(partial(answer, work), tasks):
                    yield unpacked(found)
            except BrokenProcessPool as problem:
                raise Unavailable(
                    "A worker process ended without an answer.",
                    hint="Perhaps there was not enough memory: use fewer workers.",
                ) from problem
