"""How the command line ends: with a sentence and a code of its own, never with a traceback."""

import json

import click
import pytest

from modelward.cli import main as cli
from modelward.kernel.errors import NotFound


def ended(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["modelward", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return end.value.code


@pytest.mark.parametrize(
    "arguments",
    [["frob"], ["audit", "list", "--limit", "many"], ["monitor", "run"], ["version", "--frob"]],
    ids=" ".join,
)
def test_a_wrong_use_is_refused_with_3_since_2_says_undecided(monkeypatch, capsys, arguments):
    assert ended(monkeypatch, *arguments) == 3
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("modelward: ")
    assert line.endswith("--help`.")


def test_an_error_is_json_on_standard_output_where_json_was_asked_for(monkeypatch, capsys):
    assert ended(monkeypatch, "card", "list", "--json", "--status", "done") == 3
    out, err = capsys.readouterr()
    told = json.loads(out)["error"]
    assert (told["code"], told["field"], told["hint"]) == ("Invalid", "--status", "See `modelward card list --help`.")
    assert "'done' is not one of" in told["message"]
    assert err == ""


def test_what_went_well_ends_with_0(monkeypatch):
    assert not ended(monkeypatch, "version")
    assert not ended(monkeypatch, "--help")


@pytest.mark.parametrize(
    "problem, code", [(NotFound("There is no x."), 3), (click.Abort(), 130), (KeyboardInterrupt(), 130)]
)
def test_an_error_is_one_sentence(monkeypatch, capsys, problem, code):
    def fail(**_):
        raise problem

    monkeypatch.setattr(cli, "modelward", fail)

    assert ended(monkeypatch) == code
    assert capsys.readouterr().err.startswith("modelward: ")


def test_a_fault_of_ours_ends_with_3_since_1_says_that_something_was_found(monkeypatch, capsys):
    def fail(**_):
        raise KeyError("a fault of ours")

    monkeypatch.setattr(cli, "modelward", fail)

    assert ended(monkeypatch) == 3
    assert "a fault of ours" in capsys.readouterr().err
