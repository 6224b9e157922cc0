"""What Modelward writes into a card by itself."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.governance.cards import prefill, reports, rules
from modelward.governance.cards.entities import CardVersion, Chart, EvaluationEntry
from modelward.governance.cards.prefill import RegisteredVersion
from modelward.kernel.refs import CardRef, ModelRef, VersionRef
from modelward.storage.blobs import digest_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60)


def registered(**known):
    fields = {"description": "", "owner": "ana", "created_by": "ana", "artifact": digest_of(b"model")}
    return RegisteredVersion(ref=VersionRef("fraud@3"), model=ModelRef("fraud"), number=3, **(fields | known))


def earlier(content):
    return CardVersion(card=CardRef("fraud-v2"), number=4, content=content, digest=digest_of(b""), at=NOON, by="ana")


def entry(kind="quality", **known):
    fields = {
        "report": digest_of(b"report"),
        "evaluation": "evaluation-1",
        "outcome": "passed",
        "reason": "Well.",
        "metrics": {"auc": 0.9},
    }
    return EvaluationEntry(kind=kind, dataset=digest_of(b"table"), **(fields | known))


CARRIED = ["$.business_details", "$.intended_uses"]


def told(content, finished):
    return prefill.with_evaluation(content, finished, reports.groups_of(finished))


@given(
    description=texts,
    parameters=st.dictionaries(texts, texts, max_size=3),
    metrics=st.dictionaries(texts, st.floats(allow_nan=False, allow_infinity=False), max_size=3),
    datasets=st.lists(texts, max_size=20),
)
def test_whatever_is_registered_the_card_keeps_the_schema(description, parameters, metrics, datasets):
    given_version = registered(
        description=description * 40, hyperparameters=parameters, training_metrics=metrics, training_datasets=datasets
    )

    content, origins = prefill.prefill(given_version)

    rules.check_content(content)
    assert sorted(origins) == sorted(rules.leaves(content))


def test_each_field_says_where_it_comes_from():
    content, origins = prefill.prefill(registered(algorithm="forest"))

    old = earlier({"business_details": {"line_of_business": "loans"}})

    content, origins, sections = prefill.carry_over(content, origins, old, paths=CARRIED)

    assert sections == "Business details"

    assert origins["$.model_overview.algorithm_type"] == "registration of fraud@3"
    assert origins["$.business_details.line_of_business"] == "carried over from fraud-v2 version 4"


def test_what_is_registered_goes_before_what_is_carried_over():
    content, origins = prefill.prefill(registered(intended_use="screening"))
    old = {
        "intended_uses": {"intended_uses": "old", "risk_rating": "High"},
        "training_details": {"training_observations": "old"},
    }

    content, origins, _ = prefill.carry_over(content, origins, earlier(old), paths=CARRIED)

    assert content["intended_uses"] == {"intended_uses": "screening", "risk_rating": "High"}
    assert "training_details" not in content


def test_an_edited_field_loses_its_origin_and_its_neighbours_keep_theirs():
    content, origins = prefill.prefill(registered(algorithm="forest", problem_type="binary"))
    card, first = rules.new_card(
        CardRef("c"), content, model=None, version=None, at=NOON, by="modelward", note="", origins=origins
    )
    wanted = rules.merged(content, {"model_overview": {"algorithm_type": "boosting"}})

    _, second = rules.edited(card, first, wanted, rules.difference(content, wanted), at=NOON, by="ana", note="")

    assert set(first.origins) - set(second.origins) == {"$.model_overview.algorithm_type"}


def test_an_evaluation_takes_the_place_of_its_forerunner_and_of_nothing_else():
    by_hand = {"name": "quality", "evaluation_observation": "by hand"}
    content, path = told({"evaluation_details": [by_hand]}, entry(metrics={"auc": 0.8}))
    content, _ = told(content, entry("bias"))

    content, path = told(content, entry(metrics={"auc": 0.9}, report=digest_of(b"newer")))

    assert path == "$.evaluation_details[1]"
    assert [each["name"] for each in content["evaluation_details"]] == ["quality", "quality", "bias"]
    assert content["evaluation_details"][0] == by_hand
    assert content["evaluation_details"][1]["metric_groups"][0]["metric_data"][0]["value"] == 0.9


def test_the_same_report_once_more_changes_nothing():
    content, _ = told({}, entry())

    again, _ = told(content, entry(evaluation="evaluation-2"))

    assert again == content


def test_an_evaluation_in_a_card_keeps_the_schema_and_its_digest():
    chart = Chart(name="share by " + "x" * 100, labels=["a" * 100, "b"], values=[0.1, 0.2])

    content, _ = told({}, entry(reason="long " * 1000, charts=[chart]))

    rules.check_content(content)
    assert prefill.shown_reports(content) == [digest_of(b"report")]


@pytest.mark.parametrize(
    "taken, name", [((), "fraud-v3"), (("fraud-v3",), "fraud-v3-2"), (("fraud-v3", "fraud-v3-2"), "fraud-v3-3")]
)
def test_a_taken_name_is_left_alone(taken, name):
    assert prefill.free_name(VersionRef("fraud@3"), is_taken=lambda each: each in taken) == name


def test_a_long_model_name_still_gives_a_name():
    name = prefill.free_name(VersionRef.of("m" * 128, 7), is_taken=lambda each: False)

    assert CardRef.parse(name) == name
