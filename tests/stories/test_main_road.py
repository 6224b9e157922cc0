"""The main road, from a registration to an alert and the proof of it all: one model, real components, both databases."""

import io
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import modelward
from modelward.kernel.errors import Invalid

NUMBERS = 2_000
FACTS = {"algorithm": "logistic regression", "problem_type": "binary", "training_datasets": ["applications-2025"]}
WORDS = {
    "intended_uses": {"purpose_of_model": "Rank applications.", "risk_rating": "Medium", "intended_uses": "Advice."},
    "business_details": {"business_problem": "Queues."},
    "additional_information": {"ethical_considerations": "Read by a person.", "caveats_and_recommendations": "None."},
}


@pytest.fixture
def owner(tmp_path, database_url):
    with modelward.connect(tmp_path / "home", database_url=database_url) as client:
        yield client


def _person(owner, id, persona):
    owner.people.add(id, persona=persona)
    return owner.as_(owner.people.make_token(id).secret)


def _inputs(shift=0.0):
    income = [(each * 7919 % 1000) / 100 + shift for each in range(NUMBERS)]
    return {"income": income, "age": [20 + each * 104729 % 50 for each in range(NUMBERS)]}


def _parquet(columns):
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def _evidence():
    label = [1 if each % 3 else 0 for each in range(NUMBERS)]
    predicted = [value if each % 10 else 1 - value for each, value in enumerate(label)]
    team = ["a" if each % 2 else "b" for each in range(NUMBERS)]
    return _parquet({"label": label, "predicted": predicted, "team": team})


def _approved(owner, ana, ben):
    ana.models.register("credit", description="Ranks applications.")
    version = ana.versions.register("credit", artifact=b"the bytes of a model", facts=FACTS).ref
    owner.settle()
    ana.cards.edit("credit-v1", patch=WORDS)
    settings = {"label": "label", "prediction": "predicted"}
    ana.evaluations.wait(ana.evaluations.request(version, "quality", _evidence(), problem_type="binary", **settings).id)
    ana.evaluations.wait(
        ana.evaluations.request(version, "bias", _evidence(), facets=["team"], favourable=1, **settings).id
    )
    owner.settle()
    ben.reviews.approve(ben.reviews.of(version).id, note="Seen and accepted.")
    owner.settle()
    return version


def _watched(ana, version):
    ana.endpoints.create("desk", version)
    ana.baselines.create("desk-baseline", _parquet(_inputs()), version=version)
    ana.baselines.wait("desk-baseline")
    ana.monitors.create("desk-inputs", "desk", "desk-baseline", cron="0 * * * *", zone="Europe/Zurich")


def _day(ana, days_ago, shift):
    start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days_ago)
    columns = _inputs(shift)
    rows = [
        {"inference_id": f"{days_ago}-{each}", "at": start + timedelta(seconds=each), "income": income, "age": age}
        for each, (income, age) in enumerate(zip(columns["income"], columns["age"], strict=True))
    ]
    ana.captures.store("desk", rows)
    run = ana.monitors.run("desk-inputs", start, start + timedelta(days=1))
    return ana.runs.wait(run.id)


def test_a_model_goes_from_registration_to_alert_and_the_log_proves_it(owner):
    ana, ben = _person(owner, "ana", "data-scientist"), _person(owner, "ben", "risk-manager")

    version = _approved(owner, ana, ben)
    _watched(ana, version)
    quiet, drifted = _day(ana, 3, shift=0.0), _day(ana, 2, shift=4.0)
    owner.settle()

    assert (quiet.outcome, drifted.outcome) == ("passed", "failed")
    assert drifted.drifted == ["income"]
    (alert,) = owner.alerts.list()
    assert "income" in alert.cause
    (glance,) = owner.overview().rows
    assert (glance.status, glance.endpoints, glance.open_alerts) == ("approved", ["desk"], [alert.id])
    assert glance.monitors[0].recent == ["passed", "failed"]
    told = [event.name for event in owner.events.list(limit=1000)][::-1]
    road = [
        "ModelRegistered", "VersionRegistered", "CardCreated", "EvaluationFinished", "ReviewDecided",
        "VersionStatusChanged", "EndpointCreated", "BaselineReady", "MonitorCreated", "RunFinished", "AlertOpened",
    ]  # fmt: skip
    places = [told.index(name) for name in road]
    assert places == sorted(places)
    # The card and the review both follow the registration, in either order.
    assert told.index("VersionRegistered") < told.index("ReviewOpened") < told.index("ReviewDecided")
    assert owner.events.verify().breaks == []
    graph = owner.lineage.get(f"version:{version}", depth=4)
    assert {"dataset", "artifact", "card", "evaluation", "review", "endpoint", "monitor", "run", "alert"} <= {
        node.kind for node in graph.nodes
    }


def test_the_overview_names_what_is_missing(owner):
    owner.models.register("watched")
    owner.models.register("served-blind")
    owner.models.register("only-a-name")
    for name in ("watched", "served-blind"):
        owner.versions.register(name)
        owner.endpoints.create(f"{name}-endpoint", f"{name}@1")
    owner.baselines.create("base", _parquet(_inputs()))
    owner.baselines.wait("base")
    owner.monitors.create("watch", "watched-endpoint", "base")
    owner.settle()

    shown = {
        show: [row.model for row in owner.overview(show=show).rows] for show in ("without-monitor", "without-card")
    }
    counts = owner.overview().counts

    assert shown == {"without-monitor": ["served-blind"], "without-card": ["only-a-name"]}
    assert (counts.models, counts.in_production, counts.without_monitor, counts.waiting_reviews) == (3, 2, 1, 2)
    assert [row.model for row in owner.overview(text="BLIND").rows] == ["served-blind"]
    with pytest.raises(Invalid, match="without-monitor"):
        owner.overview(show="everything")


def test_the_overview_reads_on_page_by_page(owner):
    names = [f"model-{number:02}" for number in range(7)]
    for name in names:
        owner.models.register(name)

    first = owner.get("/overview", limit=4)
    second = owner.get("/overview", limit=4, cursor=first.next_cursor)

    assert [row.model for row in [*first.rows, *second.rows]] == names
    assert second.next_cursor is None
