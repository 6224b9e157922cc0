"""`modelward card apply`: everything is tried first, applied at once, and told to programs by file, line and path."""

import json
import sys

import pytest

import modelward
from modelward.cli.main import main
from modelward.sdk import card_applying

GOOD = "card: good\ncontent:\n  business_details: {business_problem: x}\n"
APPROVED = (
    "card: early\nstatus: approved\ncontent:\n  intended_uses: {purpose_of_model: y, risk_rating: Low,"
    " explanations_for_risk_rating: z}\n  business_details: {business_problem: x}\n"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MODELWARD_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cards").mkdir()
    return tmp_path / "cards"


@pytest.fixture
def told(folder, monkeypatch, capfd):
    def run(*arguments, code=0):
        monkeypatch.setattr(sys, "argv", ["modelward", "card", *(str(each) for each in arguments), "--json"])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        assert (ended.value.code or 0) == code, out + err
        return json.loads(out)

    return run


def names(told):
    return sorted(each["name"] for each in told("list"))


def test_what_the_server_refuses_is_known_before_anything_is_applied(folder, told):
    (folder / "a.yaml").write_text(GOOD)
    (folder / "b.yaml").write_text(APPROVED)
    (folder / "c.yaml").write_text("card: late\nmodel: none-such\nowner: nobody-known\n")

    for choice in ("--plan", "--yes"):
        found = told("apply", "cards", choice, code=3)
        assert found["applied"] is False
        assert [
            (each["file"], each["line"], each["card"], each["path"], each["code"]) for each in found["problems"]
        ] == [
            ("cards/b.yaml", 1, "early", None, "NotAllowed"),
            ("cards/c.yaml", 2, "late", "model", "NotFound"),
        ]
        assert "somebody else must approve it" in found["problems"][0]["message"]
        assert [each["applied"] for each in found["steps"]] == [False, False, False]
    assert names(told) == []


def test_everything_wrong_in_the_files_is_told_at_once(folder, told):
    (folder / "a.yaml").write_text(GOOD)
    (folder / "b.yaml").write_text("card: b\nstatus: done\n")
    (folder / "c.yaml").write_text("card: [\n")
    (folder / "d.yaml").write_text("card: good\n")

    found = told("apply", "cards", "--yes", code=3)

    assert [(each["file"], each["line"]) for each in found["problems"]] == [
        ("cards/b.yaml", 2), ("cards/c.yaml", 2), ("cards/d.yaml", None),
    ]  # fmt: skip
    assert names(told) == []


def test_a_plan_says_what_would_change_and_applying_it_what_was(folder, told):
    (folder / "a.yaml").write_text(GOOD)
    planned = told("apply", "cards", "--plan", code=1)
    assert (planned["applied"], planned["steps"][0]["applied"]) == (False, False)
    done = told("apply", "cards", "--yes")
    assert (done["applied"], done["steps"][0]["applied"], done["problems"]) == (True, True, [])
    again = told("apply", "cards", "--yes")
    assert (again["applied"], [each["action"] for each in again["steps"]]) == (False, ["keep"])


def test_when_there_are_too_many_for_one_transaction_what_was_applied_is_told_and_it_goes_on(folder, told, monkeypatch):
    monkeypatch.setattr(card_applying, "AT_ONCE", 2)
    (folder / "all.yaml").write_text("---\n".join(f"card: c{each}\n" for each in range(5)))
    meant = modelward.sdk.cards.Cards.apply
    calls = []

    def apply(self, cards, *, dry_run=False):
        if not dry_run:
            calls.append(len(cards))
            if len(calls) == 2:
                self.create("c3")
        return meant(self, cards, dry_run=dry_run)

    monkeypatch.setattr(modelward.sdk.cards.Cards, "apply", apply)
    found = told("apply", "cards", "--yes", code=3)

    assert [each["card"] for each in found["steps"] if each["applied"]] == ["c0", "c1"]
    assert "c3 was made meanwhile" in found["problems"][0]["message"]
    assert names(told) == ["c0", "c1", "c3"]
    told("apply", "cards", "--yes")
    assert names(told) == [f"c{each}" for each in range(5)]
    assert told("show", "c3")["number"] == 1


def test_who_only_reads_can_plan_and_is_told_that_nothing_was_tried(folder, told, monkeypatch):
    (folder / "a.yaml").write_text(GOOD)
    with modelward.connect() as client:
        client.people.add("olu", name="Olu", persona="auditor")
        token = client.people.make_token("olu", label="here")["secret"]
    monkeypatch.setenv("MODELWARD_TOKEN", token)

    assert told("apply", "cards", "--plan", code=1)["tried"] is False
    assert told("apply", "cards", "--yes", code=3)["error"]["code"] == "NotAllowed"


def test_a_card_that_is_incomplete_fails_a_build(folder, told):
    (folder / "a.yaml").write_text(GOOD)

    [found] = told("check", "cards", code=1)

    assert found["outcome"] == "failed"
    assert ("$.intended_uses.purpose_of_model", "cards/a.yaml:3") in [
        (each["path"], each["line"]) for each in found["missing"]
    ]
