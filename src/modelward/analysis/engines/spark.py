"""The engine that sends file names to a Spark cluster, where each task runs the same kernel over its file."""

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import Any

from modelward.analysis.engines.answers import answer, unpacked
from modelward.analysis.engines.engine import Task
from modelward.kernel.errors import Unavailable

LOCAL = "local[*]"
# The driver hands out a few names and gathers a few answers: what starts quickly is what counts (measured: 9 s of CPU time
# to the first answer became 5 s).
_SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


class Spark:
    """Runs tasks on Spark: on a session that is given, or on one of its own at ``master`` (this machine when None).

    Modelward must be installed where the workers run, and they must reach the files by the same names. A local session
    of its own listens on the loopback address alone, and has no page of its own.
    """

    def __init__(self, session: Any = None, *, master: str | None = None) -> None:
        """Keep the session, or its Spark context; one of our own starts with the first task and ends with the last answer.

        Where neither is given and a session runs in this process, that one is used, and left running.
        """
        self.session, self.master = session, master

    def map(self, work: Callable[[Task], bytes], tasks: Sequence[Task]) -> Iterator[bytes]:
        """Run every task as a Spark task.

        Raises:
            Unavailable: PySpark or Java is missing, the cluster cannot be reached, another session runs in this process,
                or a task was lost.
        """
        try:
            from pyspark.errors import PySparkException
        except ModuleNotFoundError as problem:
            raise Unavailable(
                "Spark needs PySpark, which is not installed.", hint="pip install 'modelward[spark]'"
            ) from problem
        given = self.session if self.session is not None else _running(self.master)
        context = None if given is not None else _started(self.master or LOCAL)
        try:
            used = getattr(given, "sparkContext", given) if context is None else context
            spread = used.parallelize(list(tasks), max(1, len(tasks)))
            found = spread.map(partial(answer, work)).collect()
        except (PySparkException, _java_error()) as problem:
            reason = next((line for line in reversed(str(problem).splitlines()) if line.strip()), "")[:300]
            raise Unavailable(f"Spark could not finish the tasks: {reason}") from problem
        finally:
            if context is not None:
                context.stop()
        return map(unpacked, found)


def _java_error() -> type[Exception]:
    from py4j.protocol import Py4JError

    kind: type[Exception] = Py4JError
    return kind


def _running(master: str | None) -> Any:
    """The Spark context of this process, of which there can be only one; None where there is none."""
    from pyspark import SparkContext

    context = SparkContext._active_spark_context
    if context is not None and master not in (None, context.master):
        raise Unavailable(
            f"Spark cannot be started at {master}: a session at {context.master} runs in this process.",
            hint="Stop it first, or give it to Spark(session).",
        )
    return context


def _started(master: str) -> Any:
    """A Spark context of our own: without what a session for SQL has, which takes as long again to start."""
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkException

    settings = SparkConf().setAppName("modelward").setMaster(master)
    settings.set("spark.ui.enabled", "false").set("spark.ui.showConsoleProgress", "false")
    if master.startswith("local"):
        settings.set("spark.driver.host", "127.0.0.1").set("spark.driver.bindAddress", "127.0.0.1")
        settings.set("spark.driver.defaultJavaOptions", _SHORT_LIVED)
    meanwhile = Thread(target=_import_what_pyspark_asks_for_next, daemon=True)
    meanwhile.start()
    try:
        context = SparkContext(conf=settings)
    except (PySparkException, OSError, _java_error()) as problem:
        reason = str(problem).splitlines()[0][:300]
        raise Unavailable(f"Spark cannot be started: {reason}", hint="It needs Java 17 or newer.") from problem
    context.setLogLevel("ERROR")
    if master.startswith("local"):
        # The workers of this machine are this Python, whatever `python3` is.
        context.pythonExec = sys.executable
    return context


def _import_what_pyspark_asks_for_next() -> None:
    """Import while Java starts what PySpark 4 imports with the first argument it sends there: pandas, among others."""
    with suppress(ImportError):
        importlib.import_module("pyspark.testing.utils")
