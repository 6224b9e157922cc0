"""Wherever files are profiled, the answer is the same to the last bit, and an error is the same error."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelward.analysis import Plan, profile
from modelward.analysis.engines.inline import Inline
from modelward.analysis.engines.processes import Processes
from modelward.analysis.engines.spark import Spark
from modelward.analysis.row_rules import ExpressionRule
from modelward.kernel.errors import Invalid, NotFound, Unavailable

PLAN = Plan(segments=("g",), rules=(ExpressionRule(name="small", sql="x < 1"),), threads=1)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("engines")
    rng = np.random.default_rng(1)
    paths = []
    for number in range(3):
        table = pa.table({"x": rng.normal(size=5_000), "g": rng.integers(0, 3, 5_000), "t": ["a", "b"] * 2_500})
        paths.append(str(folder / f"{number}.parquet"))
        pq.write_table(table, paths[-1])
    return paths


def engine(name):
    if name == "spark":
        pytest.importorskip("pyspark")
        return Spark(master="local[2]")
    return {"inline": Inline, "processes": lambda: Processes(2)}[name]()


@pytest.mark.parametrize("name", ["inline", "processes", "spark"])
def test_every_engine_gives_the_profile_that_this_process_gives(name, files):
    found = profile(files, PLAN, engine=engine(name))

    assert found == profile(files, PLAN)
    assert found.rows == 15_000


@pytest.mark.parametrize("name", ["inline", "processes"])
def test_an_error_crosses_as_it_is(name, files):
    with pytest.raises(NotFound, match="no column 'nope'") as problem:
        profile(files, Plan(columns=("nope",)), engine=engine(name))

    assert problem.value.field == "nope"


def test_spark_that_is_not_installed_says_what_to_install(monkeypatch, files):
    monkeypatch.setitem(__import__("sys").modules, "pyspark.errors", None)

    with pytest.raises(Unavailable, match=r"modelward\[spark\]"):
        profile(files, engine=Spark())


def test_a_running_session_is_used_and_left_running(files):
    pyspark = pytest.importorskip("pyspark")
    from modelward.analysis.engines.spark import _started

    context = _started("local[1]")
    try:
        told = profile(files, engine=Spark()), profile(files, engine=Spark(context))

        assert told == (profile(files), profile(files))
        assert pyspark.SparkContext._active_spark_context is context
        assert context.uiWebUrl is None
        assert context.getConf().get("spark.driver.bindAddress") == "127.0.0.1"
        with pytest.raises(Unavailable, match=r"a session at local\[1\] runs in this process"):
            profile(files, engine=Spark(master="local[2]"))
    finally:
        context.stop()


def test_only_files_can_be_sent():
    with pytest.raises(Invalid, match="An engine profiles files"):
        profile(pa.table({"x": [1]}), engine=Inline())
    with pytest.raises(Invalid, match="at least 1"):
        Processes(0)
