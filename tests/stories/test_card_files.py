"""Cards in a repository: check without a server, plan, apply, apply again, and what was edited by hand meanwhile."""

import json

import pytest
from click.testing import CliRunner

import modelward
from modelward.cli.card import card as commands
from modelward.kernel.errors import ModelwardError

TEXT = """\
card: pricing
owner: owner
content:
  intended_uses:
    purpose_of_model: Suggests a price.
    risk_rating: Low
    explanations_for_risk_rating: A person confirms each price.
---
card: second
content:
  business_details: {line_of_business: retail}
  additional_information:
    custom_details: {a.b: one}
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MODELWARD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MODELWARD_URL", raising=False)
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "all.yaml").write_text(TEXT)
    return tmp_path / "cards"


def run(*arguments):
    result = CliRunner().invoke(commands, [str(each) for each in arguments])
    if isinstance(result.exception, ModelwardError):
        return 3, str(result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def numbers():
    with modelward.connect() as client:
        return {each.name: each.number for each in client.cards.list()}


def test_applying_makes_the_cards_and_applying_again_changes_nothing(home):
    assert run("apply", home, "--plan")[0] == 1
    assert numbers() == {}
    assert run("apply", home, "--yes")[0] == 0
    made = numbers()

    code, told = run("apply", home, "--yes")

    assert code == 0
    assert "0 to create, 0 to change, 2 as they are" in told
    assert numbers() == made == {"pricing": 1, "second": 1}
    assert run("apply", home, "--plan")[0] == 0


def test_only_what_the_file_says_is_changed_and_null_removes(home):
    run("apply", home, "--yes")
    with modelward.connect() as client:
        client.cards.edit("pricing", patch={"business_details": {"line_of_business": "books"}})
    (home / "all.yaml").write_text(
        TEXT.replace("Suggests a price.", "Suggests prices.").replace("{a.b: one}", "{a.b: null, c: two}")
    )

    assert run("apply", home, "--yes")[0] == 0

    with modelward.connect() as client:
        first, second = client.cards.get("pricing").content, client.cards.get("second").content
    assert first.intended_uses.purpose_of_model == "Suggests prices."
    assert first.business_details.line_of_business == "books"
    assert second.additional_information.custom_details == {"c": "two"}
    assert run("apply", home, "--plan")[0] == 0


def test_what_was_changed_by_hand_meanwhile_is_not_overwritten_unless_forced(home):
    run("apply", home, "--yes")
    with modelward.connect() as client:
        client.cards.edit("pricing", patch={"intended_uses": {"purpose_of_model": "By hand."}})

    code, told = run("apply", home, "--yes")

    assert code == 2
    assert "changed by hand" in told
    assert numbers()["pricing"] == 2
    assert run("apply", home, "--yes", "--force")[0] == 0
    assert numbers()["pricing"] == 3


def test_a_status_in_the_file_is_moved_to_once_the_content_is_there(home):
    (home / "all.yaml").write_text(TEXT.replace("owner: owner", "status: pending-review"))

    assert run("apply", home, "--yes")[0] == 0

    with modelward.connect() as client:
        assert client.cards.get("pricing").status == "pending-review"
    assert run("apply", home, "--plan")[0] == 0


def test_a_file_is_checked_without_a_server_and_each_fault_has_its_line(home):
    code, told = run("check", home / "all.yaml", "--json")
    found = {each["card"]: each for each in json.loads(told)}

    assert code == 1
    assert found["pricing"]["outcome"] == "passed"
    assert next(each["path"] for each in found["second"]["missing"]) == "$.intended_uses.purpose_of_model"
    assert not (home.parent / "home").exists()


def test_a_complete_card_checks_as_0_by_file_and_by_name(home):
    (home / "all.yaml").write_text(TEXT.partition("---")[0])
    run("apply", home, "--yes")

    assert run("check", home)[0] == 0
    assert run("check", "pricing")[0] == 0
    assert run("check", "pricing", "--for", "approved")[0] == 1


@pytest.mark.parametrize(
    "before, after, words",
    [
        ("risk_rating: Low", "risk_rating: Lowest", ("all.yaml:6", "Lowest")),
        ("risk_rating: Low", "risk_ratng: Low", ("risk_ratng",)),
        ("Suggests a price.", "x" * 3000, ("2048",)),
    ],
)
def test_a_value_against_the_schema_is_told_with_its_line(home, before, after, words):
    (home / "all.yaml").write_text(TEXT.replace(before, after))

    code, told = run("check", home)

    assert code == 1
    assert all(each in told for each in words), told


@pytest.mark.parametrize(
    "text, words",
    [
        ("card: a\ncontent: [1]", "all.yaml:2: the content must be a mapping"),
        ("card: a\nstate: draft", "all.yaml:2: a card has no 'state'"),
        ("card: a\nstatus: done", "all.yaml:2: 'done' is no status"),
        ("card: a\nversion: 3", "all.yaml:2: version must be a text"),
        ("name: a", "is not a card"),
        ("card: a\n---\ncard: a", "stands in"),
        ("", "There is no card"),
        ("card: [", "line"),
    ],
)
def test_a_document_that_is_no_card_is_told_with_its_line_and_nothing_is_applied(home, text, words):
    (home / "all.yaml").write_text(text)

    code, told = run("apply", home, "--yes")

    assert code == 3
    assert words in told


def test_a_card_of_another_version_is_not_taken_over(home):
    run("apply", home, "--yes")
    (home / "all.yaml").write_text("card: pricing\nmodel: other\n")

    code, told = run("apply", home, "--yes")

    assert code == 3
    assert "all.yaml:2" in told


def test_fields_are_set_read_and_refused_as_attributes(home):
    with modelward.connect() as client:
        card = client.cards.create("plain")
        card.intended_uses.purpose_of_model = "Says hello."
        card.evaluation_details.append({"name": "quality"})
        card.save(note="first words")
        again = client.cards.get("plain")

        assert (again.number, again.intended_uses.purpose_of_model) == (2, "Says hello.")
        assert not again.changed
        assert again.save().number == 2
        with pytest.raises(AttributeError, match="Did you mean purpose_of_model"):
            again.intended_uses.purpose_of_modl = "x"
        with pytest.raises(ModelwardError, match="risk_rating"):
            again.intended_uses.risk_rating = "Huge"
        with pytest.raises(AttributeError, match="request_review"):
            again.status = "approved"


def test_a_card_saved_by_somebody_else_meanwhile_is_not_overwritten(home):
    with modelward.connect() as client:
        mine = client.cards.create("plain")
        theirs = client.cards.get("plain")
        theirs.business_details.line_of_business = "books"
        theirs.save()
        mine.business_details.line_of_business = "films"

        with pytest.raises(ModelwardError):
            mine.save()

        assert mine.reload().business_details.line_of_business == "books"


def test_a_card_is_edited_in_the_editor_of_who_edits(home, monkeypatch):
    editor = home / "editor.sh"
    editor.write_text("#!/bin/sh\nprintf 'business_details: {line_of_business: books}\\n' > \"$1\"\n")
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    with modelward.connect() as client:
        client.cards.create("plain")
        card = client.cards.get("plain")
        from modelward.cli.card_editing import _edit_by_hand

        monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda self: True})())
        _edit_by_hand(card, "in the editor")

        assert client.cards.get("plain").business_details.line_of_business == "books"
