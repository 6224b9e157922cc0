"""From a table to a report."""

from datetime import UTC, datetime

import msgspec
import pyarrow as pa
import pytest

from modelward.governance.evaluations.computing import compute
from modelward.governance.evaluations.entities import Evaluation, EvaluationKind, EvaluationSettings, Limit, ProblemType
from modelward.kernel.errors import ModelwardError
from modelward.kernel.outcome import Outcome
from modelward.kernel.refs import EvaluationRef, VersionRef
from modelward.storage.blobs import digest_of

TABLE = pa.table({"y": [0, 1] * 200, "p": [0, 1] * 150 + [1, 0] * 50, "sex": ["f", "f", "m", "m"] * 100})


def evaluation(kind, **settings):
    return Evaluation(
        id=EvaluationRef("evaluation-1"),
        version=VersionRef("fraud@1"),
        kind=EvaluationKind(kind),
        dataset=digest_of(b"table"),
        settings=EvaluationSettings(label="y", prediction="p", **settings),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        created_by="ana",
    )


def quality(**settings):
    return evaluation("quality", problem_type=ProblemType.BINARY, **settings)


def test_equal_tables_and_settings_give_equal_bytes():
    assert compute(quality(), TABLE).report == compute(quality(), TABLE).report


def test_a_report_says_what_it_was_made_of():
    report = msgspec.json.decode(compute(quality(), TABLE).report)

    assert report["version"] == "fraud@1"
    assert report["dataset"] == digest_of(b"table")
    assert report["settings"]["label"] == "y"


def test_quality_is_judged_by_its_limits():
    assert compute(quality(), TABLE).judgement.outcome is Outcome.UNDECIDED
    assert compute(quality(limits={"accuracy": Limit(at_least=0.7)}), TABLE).judgement.outcome is Outcome.PASSED
    assert compute(quality(limits={"accuracy": Limit(at_least=0.8)}), TABLE).judgement.outcome is Outcome.FAILED


def test_bias_tells_each_facet_and_the_worst_counts():
    skewed = TABLE.append_column("team", [["a" if each else "b" for each in TABLE["p"].to_pylist()]])

    alone, both = (compute(evaluation("bias", facets=facets), skewed) for facets in (["sex"], ["sex", "team"]))

    assert both.judgement.outcome is Outcome.FAILED
    assert "team:" in both.judgement.reason
    assert both.summary.findings[0].startswith("team: Disparity.")
    assert len(both.summary.charts) == 2 * len(alone.summary.charts)


def test_a_table_without_rows_is_undecided():
    computed = compute(quality(limits={"accuracy": Limit(at_least=0.7)}), TABLE.slice(0, 0))

    assert computed.judgement.outcome is Outcome.UNDECIDED


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(ModelwardError, match="nope"):
        compute(evaluation("bias", facets=["nope"]), TABLE)
