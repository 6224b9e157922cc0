"""`modelward card`: evidence, control packs and templates of one's own, comments and requests, and earlier days."""

import json
import sys

import pytest

import modelward
from modelward.cli.main import main
from stories.test_card_commands import FACTORS, WORDS, evaluated

PACK = """\
title: Our rules
source: Handbook, chapter 4
control:
  - id: owner
    clause: "4.1"
    title: Somebody answers
    text: Say who answers for the model.
    fields: [$.model_overview.model_owner]
  - id: purpose
    clause: "4.2"
    title: It is for something
    text: Say what it is for.
    fields: [$.intended_uses.purpose_of_model]
"""
TEMPLATE = """\
name: ours
required:
  - status: pending-review
    fields: [$.model_overview.model_owner]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MODELWARD_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    for name, text in (("pricing", WORDS), ("pack", PACK), ("template", TEMPLATE)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


@pytest.fixture
def say(folder, monkeypatch, capfd):
    def run(*arguments, code=0):
        monkeypatch.setattr(sys, "argv", ["modelward", "card", *(str(each) for each in arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        assert (ended.value.code or 0) == code, err
        return out + err

    return run


@pytest.fixture
def told(say):
    return lambda *arguments, code=0: json.loads(say(*arguments, "--json", code=code))


@pytest.fixture
def pricing(told):
    return told("new", "pricing", "--file", "pricing.yaml")


@pytest.fixture
def fraud(folder):
    """The evaluation of a version that has a card."""
    with modelward.connect() as client:
        client.models.register("fraud")
        client.versions.register("fraud", artifact=b"the bytes of a model")
        client.settle()
        return evaluated(client)


def test_a_field_is_bound_turns_stale_with_its_reason_is_refreshed_and_let_go(fraud, say, told):
    assert fraud in [each["id"] for each in told("evidence", "fraud-v1", "--kind", "quality")]
    assert "accuracy" in say("evidence", "fraud-v1")
    bound = told("bind", "fraud-v1", FACTORS, fraud, "--measure", "accuracy", "--days-max", 30, "--note", "Agreed.")
    assert FACTORS in [each["path"] for each in bound["bindings"]]
    assert f"{FACTORS}  current" in say("bindings", "fraud-v1")

    with modelward.connect() as client:
        newer = evaluated(client, limits={"accuracy": {"at_least": 0.5}})

    shown = say("bindings", "fraud-v1")
    assert f"{FACTORS}  stale" in shown
    assert "Superseded by the quality evaluation" in shown
    assert "modelward card refresh fraud-v1" in shown
    refreshed = told("refresh", "fraud-v1", "--path", FACTORS)
    [again] = [each for each in told("bindings", "fraud-v1") if each["path"] == FACTORS]
    assert (again["state"], again["evidence"]) == ("current", newer)
    assert told("bindings", "fraud-v1", "--number", bound["number"])[0]["evidence"] != newer
    free = told("unbind", "fraud-v1", FACTORS)
    assert free["number"] == refreshed["number"] + 1
    assert FACTORS not in [each["path"] for each in free["bindings"]]
    assert free["content"]["intended_uses"]["factors_affecting_model_efficiency"]


def test_binding_to_what_is_not_there_says_what_there_is(fraud, say):
    assert "There is no evidence no-such" in say("bind", "fraud-v1", FACTORS, "no-such", code=3)
    assert "has no measure 'luck'; it has" in say("bind", "fraud-v1", FACTORS, fraud, "--measure", "luck", code=3)
    assert "is not a path" in say("bind", "fraud-v1", "factors", fraud, "--measure", "accuracy", code=3)


def test_a_pack_is_shown_in_its_own_order_with_what_a_card_covers(pricing, say, told):
    assert [each["id"] for each in told("packs")][:2] == ["eu-ai-act-annex-iv", "iso-42001"]
    assert "NIST" in say("packs")
    told("edit", "pricing", "--set", "model_overview.model_owner=ana")
    whole = told("pack", "nist-ai-rmf")
    found = told("pack", "nist-ai-rmf", "--card", "pricing")
    assert [each["id"] for each in found["results"]] == [each["id"] for each in whole["control"]]
    assert {"covered", "open"} <= {each["state"] for each in found["results"]}
    assert told("controls", "pricing", "nist-ai-rmf")["covered"] == found["covered"]
    told("state-control", "pricing", "nist-ai-rmf", "map-5", "--applies-not", "--reason", "Nobody is affected.")
    shown = say("pack", "nist-ai-rmf", "--card", "pricing")
    assert "n.a." in shown
    assert "Nobody is affected." in shown
    assert "1 not applicable." in shown
    say("pack", "nist-ai-rmf", "--card", "pricing", "--output", "by-pack.md", "--format", "markdown")
    with open("by-pack.md") as file:
        text = file.read()
    place = 0
    for each in found["results"]:
        place = text.index(each["title"], place)


def test_a_pack_of_ones_own_is_written_changed_and_retired(pricing, say, told, folder):
    made = told("put-pack", "ours", "pack.yaml", "--note", "First.", "--number", 0)
    assert (made["number"], made["controls"], made["built_in"]) == (1, 2, False)
    assert told("put-pack", "ours", "pack.yaml")["number"] == 1
    assert (told("controls", "pricing", "ours")["covered"], told("controls", "pricing", "ours")["open"]) == (1, 1)
    (folder / "pack.json").write_text(json.dumps({"title": "Ours", "source": "s", "control": made["control"][:1]}))
    assert told("put-pack", "ours", "pack.json")["number"] == 2
    assert told("pack", "ours", "--number", 1)["title"] == "Our rules"
    assert [each["number"] for each in told("pack", "ours", "--versions")] == [2, 1]
    assert "by now; you saw 1" in say("put-pack", "ours", "pack.yaml", "--number", 1, code=3)
    assert "ours is retired." in say("retire-pack", "ours", "--reason", "Replaced.")
    assert "was retired" in say("controls", "pricing", "ours", code=3)
    assert "ours" not in [each["id"] for each in told("packs")]
    assert "version 3, retired" in say("packs", "--retired")
    assert told("put-pack", "ours", "pack.yaml")["number"] == 4


@pytest.mark.parametrize(
    "before, after, line, words",
    [
        ("model_owner", "model_ownr", 8, "no field '$.model_overview.model_ownr'"),
        ("    title: Somebody answers\n", "", 4, "missing required field `title`"),
        ("fields: [$.model_overview.model_owner]", "evidence: [luck]", 8, "luck"),
        ("id: purpose", "id: owner", 9, "two controls named 'owner'"),
        ("title: Our rules", "titel: Our rules", 1, "titel"),
    ],
)
def test_what_is_wrong_in_a_pack_is_told_with_its_line_and_nothing_is_kept(
    say, told, folder, before, after, line, words
):
    (folder / "pack.yaml").write_text(PACK.replace(before, after, 1))

    out = say("put-pack", "ours", "pack.yaml", code=3)

    assert f"pack.yaml:{line}: " in out
    assert words in out
    assert told("put-pack", "ours", "pack.yaml", code=3)["error"]["field"].startswith("pack")
    assert len(told("packs", "--retired")) == 5


def test_a_pack_that_comes_with_modelward_cannot_be_changed_or_retired(say):
    assert "comes with Modelward and cannot be changed" in say("put-pack", "iso-42001", "pack.yaml", code=3)
    assert "comes with Modelward and cannot be changed" in say("retire-pack", "iso-42001", code=3)


def test_a_template_of_ones_own_is_adopted_and_retired(pricing, say, told, folder):
    assert "cannot be retired" in say("retire-template", code=3)
    adopted = told("adopt-template", "template.yaml")
    assert (adopted["source"], adopted["template"]["name"], adopted["number"]) == ("template.yaml", "ours", 2)
    assert "$.model_overview.model_owner" in say("status", "pricing", "pending-review", code=3)
    (folder / "copy.json").write_text(say("template"))
    assert told("adopt-template", "copy.json")["number"] == 2
    say("retire-template", "--reason", "Too much.")
    listed = told("templates")
    assert [(each["number"], each["in_force"], each["built_in"]) for each in listed] == [
        (3, True, True), (2, False, False), (1, False, True),
    ]  # fmt: skip
    assert told("template", "--number", 2)["template"]["name"] == "ours"
    assert "ours" in say("templates")
    (folder / "template.yaml").write_text(TEMPLATE.replace("model_owner", "model_ownr"))
    assert "template.yaml:4: A card has no field" in say("adopt-template", "template.yaml", code=3)


def test_people_comment_and_ask_each_other_to_look(pricing, say, told, monkeypatch):
    with modelward.connect() as client:
        client.people.add("ana", name="Ana", persona="risk-manager")
        token = client.people.make_token("ana", label="here")["secret"]
    first = told("comment", "pricing", "Is that all?", "--path", "$.intended_uses")
    told("comment", "pricing", "It is.", "--reply-to", first["id"], "--path", "$.intended_uses")
    shown = say("comments", "pricing", "--section", "$.intended_uses")
    assert shown.index("Is that all?") < shown.index("It is.")
    told("resolve", first["id"])
    assert told("comments", "pricing", "--open") == []
    assert len(told("comments", "pricing", "--resolved")) == 2
    assert "open again" in say("reopen", first["id"])
    asked = told("request-review", "pricing", "ana", "--note", "The purpose.")
    assert "ana" in say("reviews", "pricing", "--state", "open")
    again = told("request-review", "pricing", "ana")
    assert told("withdraw-review", again["id"])["state"] == "withdrawn"
    monkeypatch.setenv("MODELWARD_TOKEN", token)
    assert told("answer-review", asked["id"], "--done", "--text", "Good.")["state"] == "done"
    assert [each["state"] for each in told("reviews", "pricing")] == ["withdrawn", "done"]
    assert "Nobody with the id" in say("request-review", "pricing", "nobody-known", code=3)


def test_a_card_is_shown_as_it_stood_and_what_changed_since_its_approval(folder, say, told):
    with modelward.connect() as client:
        client.people.add("pat", name="Pat", persona="risk-manager")
        token = client.people.make_token("pat", label="here")["secret"]
        made = client.cards.create("pricing")
        made.replace_content(
            {
                "intended_uses": {
                    "purpose_of_model": "Suggests a price.",
                    "risk_rating": "Low",
                    "explanations_for_risk_rating": "Small.",
                },
                "business_details": {"business_problem": "Lag."},
            }
        )
        made.save()
    assert "never approved" in say("since-approval", "pricing", code=3)
    with modelward.connect() as client:
        client.as_(token).cards.change_status("pricing", "approved", reason="Read.")
        moment = client.cards.get("pricing").modified_at
        client.cards.edit("pricing", patch={"intended_uses": {"risk_rating": "Medium"}})

    then = told("show", "pricing", "--as-of", moment)
    assert (then["status"], then["version"]["number"]) == ("approved", 2)
    shown = say("show", "pricing", "--as-of", moment)
    assert "approved, version 2, risk Low" in shown
    assert "0 pieces of evidence were known then." in shown
    assert "did not exist yet" in say("show", "pricing", "--as-of", "2020-01-01", code=3)
    assert "neither a day nor a moment" in say("show", "pricing", "--as-of", "yesterday", code=3)
    since = told("since-approval", "pricing")
    assert (since["approved"], since["current"]) == (2, 3)
    shown = say("since-approval", "pricing")
    assert "approved as version 2" in shown
    assert "$.intended_uses.risk_rating" in shown
