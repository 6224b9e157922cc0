"""An explanation that is interrupted goes on where it stood, and ends with the same files as one that was not."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

MODEL = """
import os, time
import numpy as np

def score(rows):
    with open("asked", "a") as told:
        told.write(f"{len(rows)}\\n")
    time.sleep(float(os.environ.get("SECONDS_AN_ANSWER", "0")))
    given = np.asarray(rows, float)
    return 1 / (1 + np.exp(-(given[:, 0] * given[:, 1] + given[:, 2] - given[:, 3] ** 2)))
"""


@pytest.fixture
def desk(tmp_path):
    rng = np.random.default_rng(0)
    names = [f"f{place}" for place in range(14)]
    lines = [",".join(f"{value:.4f}" for value in row) for row in rng.normal(size=(200, 14))]
    (tmp_path / "data.csv").write_text("\n".join([",".join(names), *lines]) + "\n")
    shap = {"baseline": [[0.0] * 14], "num_samples": 2048, "seed": 7, "save_local_shap_values": True}
    config = {"dataset_type": "text/csv", "methods": {"shap": shap}, "predictor": {"content_type": "text/csv"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "asked_model.py").write_text(MODEL)
    return tmp_path


def started(desk, out, seconds, *more):
    command = [
        Path(sys.executable).with_name("modelward"),
        "analyze",
        "config.json",
        "--data",
        "data.csv",
        "--out",
        out,
    ]
    environment = os.environ | {"PYTHONPATH": str(desk), "SECONDS_AN_ANSWER": str(seconds)}
    return subprocess.Popen(
        [*command, "--predictor", "asked_model:score", *more], cwd=desk, env=environment, stderr=subprocess.DEVNULL
    )


def asked(desk):
    path = desk / "asked"
    return sum(map(int, path.read_text().split())) if path.exists() else 0


def waited_for(found):
    ends = time.monotonic() + 120
    while not found():
        assert time.monotonic() < ends
        time.sleep(0.05)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_analysis_goes_on_and_ends_the_same(desk, stop):
    assert started(desk, "whole", 0).wait(120) == 0
    every, state = asked(desk), desk / "state"
    (desk / "asked").unlink()

    broken = started(desk, "parts", 2, "--state", "state")
    # What is killed keeps what it had written down, which it does every five seconds; what is asked to stop writes it then.
    waited_for(state.exists if stop == signal.SIGKILL else lambda: asked(desk) > 100_000)
    broken.send_signal(stop)
    assert broken.wait(60) != 0
    assert state.exists()
    assert not (desk / "parts").exists()
    (desk / "asked").unlink()

    assert started(desk, "parts", 0, "--state", "state").wait(120) == 0

    assert asked(desk) < every
    assert not state.exists()
    for name in ("analysis.json", "explanations_shap/out.csv"):
        assert (desk / "parts" / name).read_bytes() == (desk / "whole" / name).read_bytes()
