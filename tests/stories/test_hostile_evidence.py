"""Evidence from tables without a value, with monstrous ones, and with numbers that overflow: told, and nothing breaks."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import modelward


@pytest.fixture
def house(tmp_path, database_url):
    with modelward.connect(tmp_path / "home", database_url=database_url) as owner:
        yield House(owner)


class House:
    """The owner's client, who registers and asks for evidence."""

    def __init__(self, owner):
        self.owner = owner

    def register(self):
        self.owner.models.register("fraud")
        return self.owner.versions.register("fraud", artifact=b"bytes of a model").ref

    def evaluate(self, ref, kind, table, **settings):
        known = {"problem_type": "binary"} if kind == "quality" else {"facets": ["team"]}
        asked = self.owner.evaluations.request(
            ref, kind, table_digest(self.owner, table), **{"label": "y", "prediction": "p"} | known | settings
        )
        done = self.owner.evaluations.wait(asked.id, seconds_max=60)
        self.owner.settle()
        return done


def table_digest(owner, table):
    return owner.artifacts.store(table).digest


@pytest.mark.parametrize(
    "columns", [{"y": [], "p": [], "team": []}, {"y": [None], "p": [None], "team": [None]}], ids=["no rows", "nulls"]
)
def test_a_table_without_a_value_leaves_the_evidence_undecided(house, columns):
    ref = house.register()
    written = io.BytesIO()
    pq.write_table(pa.table({name: pa.array(values, pa.int64()) for name, values in columns.items()}), written)

    assert house.evaluate(ref, "bias", written.getvalue()).outcome == "undecided"
    assert house.evaluate(ref, "quality", written.getvalue()).outcome == "undecided"


def test_a_measure_that_overflows_is_not_measured_and_the_review_can_be_read(house):
    ref = house.register()
    written = io.BytesIO()
    pq.write_table(pa.table({"y": [1e308, -1e308] * 5, "p": [1e308] * 10}), written)

    done = house.evaluate(
        ref, "quality", written.getvalue(), problem_type="regression", limits={"mse": {"at_most": 1.0}}
    )

    assert done.outcome == "undecided"
    assert "mse" not in dict(done.summary.metrics)
    assert house.owner.reviews.of(ref).facts.evidence[0].evaluation == done.id
    assert house.owner.get("/jobs", state="dead") == []


@pytest.mark.parametrize(
    "table", [b'{"y":' * 2000 + b"1" + b"}" * 2000 + b"\n", b"y,p\n" + b"9" * 400 + b",1\n"], ids=["deep", "huge"]
)
def test_a_table_of_monstrous_values_ends_as_failed_with_a_sentence(house, table):
    done = house.evaluate(house.register(), "quality", table)

    assert done.state == "failed"
    assert "Error" not in done.reason
