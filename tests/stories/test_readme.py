"""What the README shows runs as it is printed."""

import re
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from house.tree import ROOT
from modelward.sdk import Client

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
NEEDED = ("artifacts", "baselines", "captures", "endpoints", "models", "monitors", "versions")


@pytest.fixture
def folder_of_a_reader(tmp_path, monkeypatch):
    """A folder with a model file, training data and a day of scored requests."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "URL", "TOKEN"):
        monkeypatch.delenv(f"MODELWARD_{name}", raising=False)
    (tmp_path / "model.bin").write_bytes(b"the bytes of a model")
    amounts = [float(number % 97) for number in range(1000)]
    pq.write_table(pa.table({"amount": amounts, "prediction": [each > 90 for each in amounts]}), "train.parquet")
    noon = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
    scored = {
        "id": [f"payment-{number}" for number in range(1000)],
        "at": [noon + timedelta(seconds=number) for number in range(1000)],
        "amount": amounts,
        "prediction": [each > 90 for each in amounts],
    }
    pq.write_table(pa.table(scored), "scored.parquet")


def test_the_lines_of_the_readme_run_as_printed(folder_of_a_reader):
    names: dict = {}

    try:
        exec("\n".join(BLOCKS), names)
        client = names["mw"]
        missing = [name for name in NEEDED if not hasattr(client, name)]
        assert not missing
        client.settle()
        assert client.get("/monitors/fraud-inputs")["baseline"] == "fraud-train"
    finally:
        if isinstance(names.get("mw"), Client):
            names["mw"].close()


def test_the_readme_shows_python():
    assert len(BLOCKS) == 2
