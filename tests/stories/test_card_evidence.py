"""From an evaluation and a monitor to a card that rests on them, is approved, goes stale and says so: through the client."""

from datetime import UTC, datetime, timedelta

import pytest

import modelward
from modelward.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from support.taxi import NOON, look, prepare, records, trips
from support.transfers import CARD, judged_transfers

FACTORS = "$.intended_uses.factors_affecting_model_efficiency"
MATRIX = {"0": {"0": 5, "1": 1}, "1": {"0": 2, "1": 9}}
QUALITY = {"binary_classification_metrics": {"auc": {"value": 0.91}, "confusion_matrix": MATRIX}}


@pytest.fixture
def owner(tmp_path):
    with modelward.connect(tmp_path / "home") as client:
        for id, persona in {"ana": "data-scientist", "rita": "risk-manager"}.items():
            client.people.add(id, persona=persona)
        yield client


@pytest.fixture
def people(owner):
    return [owner.as_(owner.people.make_token(id).secret) for id in ("ana", "rita")]


def evaluate(owner, ana, ref, seed=0):
    settings = {"problem_type": "binary", "label": "y", "prediction": "p", "probability": "score"}
    done = ana.evaluations.wait(
        ana.evaluations.request(ref, "quality", judged_transfers(400, seed, scored=True), **settings).id, seconds_max=60
    )
    owner.settle()
    return done


def register(owner, ana):
    ana.models.register("fraud", description="Finds fraud.")
    facts = {"algorithm": "forest", "problem_type": "binary", "features": [{"name": "amount", "type": "double"}]}
    ref = ana.versions.register("fraud", artifact=b"bytes of a model", facts=facts).ref
    owner.settle()
    ana.cards.edit("fraud-v1", patch=CARD)
    return ref


def test_a_card_is_filled_from_evidence_approved_on_it_and_lapses_when_that_is_out_of_date(owner, people):
    ana, rita = people
    ref = register(owner, ana)
    done = evaluate(owner, ana, ref)
    custom = ana.cards.get("fraud-v1").to_dict()["content"]["additional_information"]["custom_details"]
    assert (custom["signature"], custom["artifact_size"]) == ("amount: double", "16 bytes")

    [bound] = ana.cards.bindings("fraud-v1")
    types = {each["type"] for each in bound.to_dict()["value"][0]["metric_data"]}
    assert (bound.evidence, bound.state) == (done.id, "current")
    assert types == {"number", "bar_chart", "matrix", "linear_graph"}

    seen = [each.id for each in ana.cards.evidence("fraud-v1", kind="quality")]
    assert seen == [done.id]
    ana.cards.bind("fraud-v1", FACTORS, done.id, measure="accuracy")
    with pytest.raises(Conflict, match="not written by hand"):
        ana.cards.edit("fraud-v1", patch={"intended_uses": {"factors_affecting_model_efficiency": "0.99"}})

    settings = {"label": "y", "prediction": "p", "facets": ["team"]}
    ana.evaluations.wait(
        ana.evaluations.request(ref, "bias", judged_transfers(400, scored=True), **settings).id, seconds_max=60
    )
    owner.settle()
    rita.cards.change_status("fraud-v1", "approved", reason="Read.")
    owner.settle()
    review = rita.reviews.of(ref)
    assert {each.check: each.outcome for each in review.checks}["card-evidence-current"] == "passed"
    rita.reviews.approve(review.id, note="Seen with the business.")
    assert owner.versions.get(ref).status == "approved"
    approved_at = datetime.now(UTC)

    ana.evaluations.wait(
        ana.evaluations.request(
            ref, "quality", judged_transfers(400, scored=True), problem_type="binary", label="y", prediction="p", probability="score",
            limits={"accuracy": {"at_least": 0.5}},
        ).id, seconds_max=60,
    )  # fmt: skip
    owner.settle()

    assert owner.versions.get(ref).status == "lapsed"
    card = ana.cards.get("fraud-v1").to_dict()
    assert {each["path"]: each["state"] for each in card["bindings"]}[FACTORS] == "stale"
    assert card["debt"] == card["stale"] == 2
    told = ana.cards.since_approval("fraud-v1")
    assert (told.changes, len(told.evidence)) == ([], 2)
    then = ana.cards.at_moment("fraud-v1", approved_at)
    assert (then.status, {each["state"] for each in then.to_dict()["bindings"]}) == ("approved", {"current"})

    ana.cards.refresh("fraud-v1")
    owner.settle()
    card = ana.cards.get("fraud-v1").unbind(FACTORS)
    assert FACTORS not in [each["path"] for each in card.to_dict()["bindings"]]
    card = card.bind(FACTORS, next(iter(ana.cards.evidence("fraud-v1", kind="quality"))).id, measure="auc").refresh()
    assert len(ana.cards.bindings("fraud-v1")) == 3
    ana.cards.unbind("fraud-v1", FACTORS, note="By hand from now on.")
    assert card.since_approval().approved < ana.cards.get("fraud-v1").to_dict()["number"]
    assert card.controls("mitchell-2019").covered > 0
    assert ana.cards.get("fraud-v1").to_dict()["debt"] == 0
    assert owner.events.verify().breaks == []


def test_a_report_templates_and_packs_through_the_client(owner, people):
    ana, rita = people
    register(owner, ana)

    ana.cards.import_report("fraud-v1", QUALITY, title="Vendor test", dataset="s3://bucket/table")
    [told] = ana.cards.get("fraud-v1").to_dict()["content"]["evaluation_details"]
    assert (told["name"], told["datasets"]) == ("Vendor test", ["s3://bucket/table"])
    assert {each["type"] for each in told["metric_groups"][0]["metric_data"]} == {"number", "matrix"}
    with pytest.raises(Invalid, match="holds nothing that a card can show"):
        ana.cards.import_report("fraud-v1", {"nothing": 1})

    assert len(ana.cards.packs()) == 5
    found = ana.cards.controls("fraud-v1", "sr-26-2")
    assert found.covered > 0 < found.open
    with pytest.raises(NotAllowed):
        ana.cards.state_control("fraud-v1", "sr-26-2", "vendor", applies=False, reason="Made here.")
    after = rita.cards.state_control("fraud-v1", "sr-26-2", "vendor", applies=False, reason="Made here.")
    assert after.not_applicable == found.not_applicable + 1

    text = 'name = "ours"\n[[required]]\nstatus = "pending-review"\nfields = ["$.business_details.line_of_business"]\n'
    assert rita.cards.adopt_template(text, source="ours.toml").source == "ours.toml"
    owner.settle()
    assert [each.name for each in ana.cards.list(debt_min=1)] == ["fraud-v1"]
    assert ana.cards.completeness("fraud-v1").blocking == ["$.business_details.line_of_business"]
    with pytest.raises(Conflict, match=r"lacks \$.business_details.line_of_business"):
        ana.cards.change_status("fraud-v1", "pending-review")
    assert ana.cards.template().template.name == "ours"
    assert [each.status for each in ana.cards.statuses("fraud-v1")][-1] == "draft"
    with pytest.raises(NotFound, match="never approved"):
        ana.cards.since_approval("fraud-v1")
    assert [each.name for each in ana.cards.list("thieves", sort="-debt")] == ["fraud-v1"]
    early = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    assert list(ana.cards.list(modified_before=early)) == []


def test_a_run_of_a_monitor_is_evidence_and_the_next_makes_it_stale(tmp_path):
    with modelward.connect(tmp_path / "house") as client:
        prepare(client, tmp_path)
        client.captures.store("taxi", records(trips(800, seed=2, fare=19.0)))
        run = look(client)
        client.settle()
        [found] = client.cards.evidence("fares-v1", kind="monitor")
        client.cards.bind("fares-v1", FACTORS, found.id, measure="drifted", days_max=30)
        client.cards.bind("fares-v1", "$.evaluation_details", found.id)
        content = client.cards.get("fares-v1").to_dict()["content"]
        assert (found.id, found.outcome) == (run.id, "failed")
        assert content["intended_uses"]["factors_affecting_model_efficiency"] == "fare"
        assert content["evaluation_details"][0]["metric_groups"][0]["name"] == "monitor taxi-inputs"
        charts = [
            each
            for each in content["evaluation_details"][0]["metric_groups"][0]["metric_data"]
            if each["type"] == "bar_chart"
        ]
        assert charts[0]["name"] == "drift"
        assert charts[0]["x_axis_name"][0] == "fare"
        controls = client.cards.controls("fares-v1", "nist-ai-rmf").to_dict()["results"]
        assert {each["id"]: each["state"] for each in controls}["measure-3"] == "covered"

        at = NOON + timedelta(hours=1)
        client.captures.store("taxi", records(trips(800, seed=5), at=at, name="later"))
        look(client, at)
        client.settle()

        assert [each.state for each in client.cards.bindings("fares-v1")] == ["stale", "stale"]
