"""`modelward card`: what each verb does, what a script reads of it, and how wrong input is told: in one line, with a code."""

import io
import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import modelward
from modelward.cli.main import main
from modelward.cli.main import modelward as command_line

WORDS = """\
intended_uses:
  purpose_of_model: Suggests a price.
  risk_rating: Low
  explanations_for_risk_rating: A person confirms each price.
business_details:
  business_problem: Prices that lag.
"""
FACTORS = "$.intended_uses.factors_affecting_model_efficiency"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MODELWARD_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pricing.yaml").write_text(WORDS)
    (tmp_path / "broken.yaml").write_text("a: [1\nb")
    (tmp_path / "huge.yaml").write_text("intended_uses: {risk_rating: Huge}")
    (tmp_path / "list.yaml").write_text("- 1")
    (tmp_path / "junk.txt").write_bytes(b"only words")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    return tmp_path


@pytest.fixture
def say(folder, monkeypatch, capfd):
    """Run the program as its own process would, and tell its code and what it wrote."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["modelward", "card", *(str(each) for each in arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return ended.value.code or 0, out, err

    return run


@pytest.fixture
def told(say):
    def run(*arguments, code=0):
        found, out, err = say(*arguments, "--json")
        assert found == code, err
        return json.loads(out)

    return run


@pytest.fixture
def pricing(told):
    return told("new", "pricing", "--file", "pricing.yaml", "--note", "First.")


def test_what_each_verb_answers_as_json_is_what_a_script_needs(folder, pricing, told):
    assert (pricing["name"], pricing["status"], pricing["number"]) == ("pricing", "draft", 1)
    edited = told("edit", "pricing", "--set", "intended_uses.risk_rating=Medium", "--note", "Agreed.")
    assert (edited["number"], edited["content"]["intended_uses"]["risk_rating"]) == (2, "Medium")
    assert told("diff", "pricing", 1) == [
        {"path": "$.intended_uses.risk_rating", "before": "Low", "after": "Medium"},
    ]
    assert told("show", "pricing")["completeness"]["next_status"] == "pending-review"
    assert told("clone", "pricing", "copy")["content"] == edited["content"]
    assert [each["name"] for each in told("list", "--text", "copy")] == ["copy"]
    assert told("delete", "copy", "--yes")["name"] == "copy"
    assert [each["name"] for each in told("list")] == ["pricing"]
    assert told("check", "pricing")[0]["outcome"] == "passed"
    assert told("status", "pricing", "pending-review")["status"] == "pending-review"
    written = told("export", "pricing", "--format", "spdx", "--output", "pricing.json")
    assert (written["state"], written["output"]) == ("finished", "pricing.json")
    assert "$.business_details" in [each["path"] for each in written["dropped"]]
    assert (folder / "pricing.json").stat().st_size == written["size"]


@pytest.mark.parametrize("format", ["json", "aws-json", "hugging-face", "model-card-toolkit", "cyclonedx"])
def test_a_card_that_was_exported_is_imported_again(pricing, say, told, format):
    assert say("export", "pricing", "--format", format, "--output", "out")[0] == 0

    preview = told("import", "again", "out", "--format", format, "--preview")
    made = told("import", "again", "out", "--format", format)

    assert preview["content"]["intended_uses"]["purpose_of_model"] == "Suggests a price."
    assert (made["name"], made["status"], made["dropped"]) == ("again", "draft", preview["dropped"])


def test_numbers_and_lists_are_set_as_the_schema_has_them(pricing, told, say):
    sets = (
        "model_overview.model_version=3", 'model_overview.model_artifact=["s3://a/b"]',
        "additional_information.custom_details.team=7",
    )  # fmt: skip
    content = told("edit", "pricing", *(part for each in sets for part in ("--set", each)))["content"]

    assert content["model_overview"] == {"model_version": 3, "model_artifact": ["s3://a/b"]}
    assert content["additional_information"]["custom_details"] == {"team": "7"}
    assert say("edit", "pricing", "--set", "model_overview.model_version=NaN")[0] == 3
    assert "model_version" not in told("edit", "pricing", "--set", "model_overview.model_version=")["content"].get(
        "model_overview", {}
    )


def test_a_section_that_came_as_a_whole_is_told_field_by_field(pricing, say):
    say("edit", "pricing", "--set", "additional_information.ethical_considerations=None known.")

    code, out, _ = say("diff", "pricing", 1)

    assert code == 0
    assert "$.additional_information.ethical_considerations" in out
    assert "+ None known." in out
    assert "1 field differs." in out


WRONG = [
    (("show", "unknown"), "There is no card named unknown"),
    (("diff", "unknown", 1), "There is no card named unknown"),
    (("diff", "pricing", 1, 9), "there is no version 9"),
    (("status", "unknown"), "There is no card named unknown"),
    (("status", "pricing", "approved"), "somebody else must approve it"),
    (("check", "unknown"), "There is no card named unknown"),
    (("check", "no/such.yaml"), "There is no file or folder no/such.yaml"),
    (("check", "broken.yaml"), "broken.yaml, line 2"),
    (("check", "pricing.yaml"), "needs `card: name`"),
    (("apply", "no/such"), "There is no file no/such"),
    (("apply", "broken.yaml"), "broken.yaml, line 2"),
    (("new", "pricing"), "exists already"),
    (("new", "a name"), "'a name' is not a name"),
    (("new", "other", "--model", "none-such"), "No model named none-such"),
    (("new", "other", "--version", "fraud"), "'fraud' is not a model version"),
    (("new", "other", "--file", "no.yaml"), "no.yaml cannot be read"),
    (("new", "other", "--file", "huge.yaml"), '$.intended_uses.risk_rating is "Huge"'),
    (("new", "other", "--file", "list.yaml"), "does not hold one mapping"),
    (("new", "other", "--file", "binary"), "not UTF-8"),
    (("edit", "pricing", "--set", "intended_uses.risk_rating=Huge"), 'the rule is enum ["High"'),
    (("edit", "pricing", "--set", "intended_uses.risk=Low"), "does not know the field 'risk'"),
    (("edit", "pricing", "--set", "risk_rating"), "section.field=value"),
    (("edit", "pricing", "--set", "model_overview.model_version=three"), 'type "number"'),
    (("edit", "pricing", "--patch", "broken.yaml"), "broken.yaml, line 2"),
    (("edit", "pricing", "--set", "a.b=c", "--patch", "huge.yaml"), "Give one of"),
    (("edit", "pricing"), "no editor"),
    (("fill", "pricing", "--from", "no/such"), "There is nothing at no/such"),
    (("fill", "pricing", "--from", "junk.txt"), "not a model that can be read"),
    (("clone", "unknown", "copy"), "There is no card named unknown"),
    (("clone", "pricing", "pricing"), "exists already"),
    (("delete", "unknown", "--yes"), "There is no card named unknown"),
    (("export", "unknown"), "There is no card named unknown"),
    (("export", "pricing", "--number", 9), "there is no version 9"),
    (("export", "pricing", "--format", "docx"), "'docx' is not one of 'pdf'"),
    (("export", "pricing", "--format", "html", "--pack", "none-such"), "no control pack 'none-such'"),
    (("export", "pricing", "--format", "html", "--output", "no/such/file"), "no/such/file cannot be written"),
    (("import", "other", "junk.txt", "--format", "json"), "cannot be read as JSON"),
    (("import", "other", "junk.txt", "--format", "hugging-face"), "no model card"),
    (("import", "other", "binary", "--format", "cyclonedx"), "not UTF-8"),
    (("import", "other", "no.json", "--format", "json"), "'no.json' does not exist"),
    (("list", "--status", "done"), "'done' is not one of"),
]


@pytest.mark.parametrize("arguments, words", WRONG, ids=[" ".join(map(str, each)) for each, _ in WRONG])
def test_wrong_input_is_told_in_a_line_with_code_3_and_changes_nothing(pricing, say, told, arguments, words):
    code, out, err = say(*arguments)

    assert (code, out) == (3, "")
    [line] = [each for each in err.splitlines() if words in each]
    assert len(line) < 400
    assert err.splitlines() == [line]
    assert line.startswith("modelward: ")
    assert [(each["name"], each["number"]) for each in told("list")] == [("pricing", 1)]


@pytest.mark.parametrize(
    "arguments, code, words",
    [
        (("delete", "pricing"), "Invalid", "A program is not asked"),
        (("export", "pricing", "--format", "html"), "Invalid", "tells of the file that was written"),
        (("show", "unknown"), "NotFound", "There is no card named unknown"),
        (("edit", "pricing", "--set", "intended_uses.risk_rating=Huge"), "Invalid", "the rule is enum"),
        (("status", "pricing", "approved"), "NotAllowed", "somebody else must approve it"),
        (("bindings",), "Invalid", "Missing argument 'NAME'"),
        (("frob",), "Invalid", "No such command 'frob'"),
    ],
)
def test_what_is_wrong_is_told_as_json_where_json_was_asked_for(pricing, say, arguments, code, words):
    found, out, err = say(*arguments, "--json")
    told = json.loads(out)["error"]

    assert (found, err, told["code"]) == (3, "", code)
    assert words in told["message"]


def test_a_person_reads_sections_with_what_is_missing_and_no_text_steers_the_terminal(say, told, folder):
    (folder / "odd.yaml").write_text(
        'intended_uses:\n  purpose_of_model: "Two\\nlines \\a \\e[31m red"\nbusiness_details:\n  line_of_business: books\n'
    )
    told("new", "odd", "--file", "odd.yaml")

    _, out, _ = say("show", "odd")

    lines = out.splitlines()
    assert lines[0] == "odd"
    assert "Missing for pending-review" in lines
    assert "  $.intended_uses.risk_rating" in lines
    places = [lines.index(each) for each in ("Missing for pending-review", "Intended uses", "Business")]
    assert places == sorted(places)
    assert "  Line of business: books" in lines
    assert "    Two" in lines
    assert not {"\x07", "\x1b"} & set(out)
    assert "{" not in out


def a_table():
    label = [1 if each % 3 else 0 for each in range(300)]
    told = [value if each % 10 else 1 - value for each, value in enumerate(label)]
    sink = io.BytesIO()
    pq.write_table(pa.table({"label": label, "told": told}), sink)
    return sink.getvalue()


def evaluated(client, **limits):
    asked = client.evaluations.request(
        "fraud@1", "quality", a_table(), problem_type="binary", label="label", prediction="told", **limits
    )
    done = client.evaluations.wait(asked.id)
    client.settle()
    return done.id


def test_newer_evidence_makes_a_card_undecided_until_it_is_refreshed(say, told):
    with modelward.connect() as client:
        client.models.register("fraud")
        client.versions.register("fraud", artifact=b"the bytes of a model", facts={"algorithm": "forest"})
        client.settle()
        client.cards.get("fraud-v1").bind(FACTORS, evaluated(client), measure="accuracy")
    told("edit", "fraud-v1", "--patch", "pricing.yaml")
    assert say("check", "fraud-v1", "--for", "approved")[0] == 0
    out = say("show", "fraud-v1")[1]
    assert "algorithm type: forest  [registration of fraud@1]" in out.lower()
    assert "Factors that affect the model" in out
    assert "accuracy of the quality evaluation" in out
    assert "less than a day old, current" in out

    with modelward.connect() as client:
        evaluated(client, limits={"accuracy": {"at_least": 0.5}})

    code, out, _ = say("check", "fraud-v1", "--for", "approved")
    assert (code, FACTORS in out) == (2, True)
    assert "stale: Superseded by the quality evaluation" in say("show", "fraud-v1")[1].replace("\n      ", " ")
    with modelward.connect() as client:
        client.cards.get("fraud-v1").refresh()
    assert say("check", "fraud-v1", "--for", "approved")[0] == 0


def test_what_is_asked_at_a_terminal_happens_only_when_it_is_confirmed(pricing, folder):
    (folder / "run" / "params").mkdir(parents=True)
    (folder / "run" / "params" / "C").write_text("1.5")
    (folder / "run" / "meta.yaml").write_text("run_id: abc\n")

    def answered(answer, *arguments):
        done = CliRunner().invoke(command_line, ["card", *arguments], input=f"{answer}\n")
        return done.output

    assert "Nothing was saved." in answered("n", "fill", "pricing", "--from", "run")
    assert "pricing is version 2." in answered("y", "fill", "pricing", "--from", "run")
    assert "There is nothing to fill in." in answered("y", "fill", "pricing", "--from", "run")
    assert "is deleted" not in answered("n", "delete", "pricing")
    assert "is deleted" in answered("y", "delete", "pricing")


def test_a_wrong_card_among_others_is_told_with_file_and_line_before_any_is_applied(folder, say, told):
    (folder / "cards").mkdir()
    (folder / "cards" / "a.yaml").write_text("card: a\ncontent:\n  business_details: {business_problem: x}\n")
    (folder / "cards" / "b.yaml").write_text("card: b\ncontent:\n  intended_uses:\n    risk_rating: Huge\n")

    for choice in ("--plan", "--yes"):
        code, out, err = say("apply", "cards", choice)
        assert (code, out) == (3, "")
        assert 'cards/b.yaml:4: b: $.intended_uses.risk_rating: "Huge" is not one of High' in err
    assert told("list") == []

    (folder / "cards" / "b.yaml").write_text("card: b\nmodel: none-such\ncontent: {}\n")
    code, _, err = say("apply", "cards", "--yes")
    assert (code, len(err.splitlines())) == (3, 1)
    assert "cards/b.yaml:2: b: No model named none-such" in err
