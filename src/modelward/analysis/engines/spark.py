"""The engine that sends file names to a Spark cluster, where each task runs the same kernel over its file."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from modelward.analysis.engines.answers import answer, unpacked
from modelward.analysis.engines.engine import Task
from modelward.kernel.errors import Unavailable

LOCAL = "local[*]"


class Spark:
    """Runs tasks on Spark: on a session that is given, or on one of its own at ``master`` (this machine when None).

    Modelward must be installed where the workers run, and they must reach the files by the same names. A local session
    listens on the loopback address alone, and has no page of its own.
    """

    def __init__(self, session: Any = None, *, master: str | None = None) -> None:
        """Keep the session; one of our own is started with the first task and ended with the last answer."""
        self.session, self.master = session, master or LOCAL

    def map(self, work: Callable[[Task], bytes], tasks: Sequence[Task]) -> Iterator[bytes]:
        """Run every task as a Spark task.

        Raises:
            Unavailable: PySpark or Java is missing, the cluster cannot be reached, or a task was lost.
        """
        try:
            from pyspark.errors import PySparkException
        except ModuleNotFoundError as problem:
            raise Unavailable(
                "Spark needs PySpark, which is not installed.", hint="pip install 'modelward[spark]'"
            ) from problem
        session = self.session or _started(self.master)
        try:
            spread = session.sparkContext.parallelize(list(tasks), max(1, len(tasks)))
            found = spread.map(partial(answer, work)).collect()
        except (PySparkException, _java_error()) as problem:
            reason = next((line for line in reversed(str(problem).splitlines()) if line.strip()), "")[:300]
            raise Unavailable(f"Spark could not finish the tasks: {reason}") from problem
        finally:
            if self.session is None:
                session.stop()
        return map(unpacked, found)


def _java_error() -> type[Exception]:
    from py4j.protocol import Py4JError

    kind: type[Exception] = Py4JError
    return kind


def _started(master: str) -> Any:
    import sys

    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("modelward").master(master)
    builder = builder.config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
    if master.startswith("local"):
        builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    try:
        session = builder.getOrCreate()
    except (PySparkException, OSError, _java_error()) as problem:
        reason = str(problem).splitlines()[0][:300]
        raise Unavailable(f"Spark cannot be started: {reason}", hint="It needs Java 17 or newer.") from problem
    session.sparkContext.setLogLevel("ERROR")
    if master.startswith("local"):
        # The workers of this machine are this Python, whatever `python3` is.
        session.sparkContext.pythonExec = sys.executable
    return session
