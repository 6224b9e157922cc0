"""What the guide to cards shows runs as it is printed."""

import re
import shlex

import pytest
from click.testing import CliRunner

import modelward
from house.tree import ROOT
from modelward.cli.main import modelward as command_line
from modelward.kernel.errors import ModelwardError
from stories.test_card_commands import evaluated
from unit.governance.cards.cases import FULL

GUIDE = (ROOT / "docs" / "cards.md").read_text()
PYTHON, SHELL, YAML = (
    re.findall(rf"```{kind}\n(.*?)```", GUIDE, flags=re.DOTALL)[0] for kind in ("python", "sh", "yaml")
)
INDENTED = [line.strip() for line in GUIDE.splitlines() if line.startswith("    modelward ")]


@pytest.fixture
def folder_of_a_reader(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELWARD_HOME", str(tmp_path / "home"))
    with modelward.connect() as client:
        client.models.register("fraud", description="Scores payments.")
        client.models.register("pricing")
        for number in range(3):
            client.versions.register("fraud", artifact=b"model %d" % number)
        client.settle()
    return tmp_path


@pytest.fixture
def pipeline():
    linear = pytest.importorskip("sklearn.linear_model", reason="needs scikit-learn")
    return linear.LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])


def run(line, **environment):
    [program, *arguments] = shlex.split(line, comments=True)
    assert program == "modelward"
    done = CliRunner().invoke(command_line, arguments, env=environment, input="y\n")
    if isinstance(done.exception, ModelwardError):
        return 3, str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_the_lines_of_python_run_as_printed(folder_of_a_reader, pipeline):
    names = {"pipeline": pipeline}

    exec(PYTHON, names)
    names["client"].close()

    assert names["card"].status == "pending-review"
    assert names["card"].model_overview.algorithm_type == "LogisticRegression"
    assert (folder_of_a_reader / "fraud.pdf").read_bytes().startswith(b"%PDF")


def a_run(folder):
    (folder / "params").mkdir(parents=True)
    (folder / "params" / "C").write_text("1.5")
    (folder / "meta.yaml").write_text("run_id: abc\nexperiment_id: '0'\n")


def test_the_commands_run_as_printed(folder_of_a_reader):
    (folder_of_a_reader / "pricing.yaml").write_text(
        "intended_uses:\n  purpose_of_model: Suggests a price.\n  explanations_for_risk_rating: Confirmed by a person.\n"
    )
    a_run(folder_of_a_reader / "runs" / "0" / "4f1c")
    # A terminal is another test's matter (test_card_files.py): there is none here, and that is told.
    lines = [line for line in SHELL.splitlines() if line]
    codes = {line.partition("#")[0].strip(): run(line, EDITOR="true") for line in lines}

    without_editor = {line: told for line, told in codes.items() if told[0]}
    assert list(without_editor) == ["modelward card edit pricing"]
    assert "no editor" in without_editor["modelward card edit pricing"][1]
    assert len(codes) == len(lines) > 5
    assert (folder_of_a_reader / "pricing.pdf").read_bytes().startswith(b"%PDF")


def test_the_cards_in_a_repository_are_checked_and_applied_as_printed(folder_of_a_reader):
    (folder_of_a_reader / "cards").mkdir()
    with modelward.connect() as client:
        client.people.add("ana", persona="data-scientist")
    (folder_of_a_reader / "cards" / "pricing.yaml").write_text(YAML)

    first, second = ([run(line)[0] for line in INDENTED] for _ in range(2))

    assert [line.split()[2] for line in INDENTED] == ["check", "apply", "apply"]
    assert (first, second) == ([0, 1, 0], [0, 0, 0])
    with modelward.connect() as client:
        card = client.cards.get("pricing")
        assert (card.owner, card.status, card.number) == ("ana", "pending-review", 1)
    assert run("modelward card check cards/ --for approved")[0] == 1


def test_the_commands_about_evidence_people_and_ones_own_rules_run_as_printed(folder_of_a_reader):
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL)
    around, own = (next(each for each in blocks if verb in each) for verb in ("card since-approval", "card put-pack"))
    rules = re.findall(r"```yaml\n(# ours.*?)```", GUIDE, flags=re.DOTALL)[0]
    with modelward.connect() as client:
        client.people.add("rita", persona="risk-manager")
        rita = client.as_(client.people.make_token("rita", label="here")["secret"])
        asked = evaluated(client)
        client.cards.edit("fraud-v1", patch=FULL)
        rita.cards.change_status("fraud-v1", "approved")
    (folder_of_a_reader / "ours.yaml").write_text(rules)
    ours = run("modelward card template")[1].replace('name = "default"', 'name = "of the house"')
    (folder_of_a_reader / "ours.toml").write_text(ours)
    for before, after in (
        ("fraud-v3", "fraud-v1"),
        ("evaluation-01...", asked),
        ("auc", "accuracy"),
        ("2026-03", "2100-03"),
    ):
        around, own = around.replace(before, after), own.replace(before, after)

    told = {line: run(line) for line in (around + own).splitlines() if line and " > " not in line}

    assert {line: each for line, each in told.items() if each[0]} == {}
    assert len(told) > 12
    assert "of the house" in run("modelward card templates")[1]
