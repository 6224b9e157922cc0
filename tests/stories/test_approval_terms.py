"""An approval on evidence that becomes too old: nobody counts it as approved a moment later, and the sweep records it."""

from datetime import UTC, datetime, timedelta

import pytest

from modelward.governance.access.entities import SYSTEM
from modelward.governance.cards import binding
from modelward.governance.registry import use_cases as registry
from modelward.governance.registry.rules import standing
from modelward.kernel.errors import Conflict
from modelward.kernel.outcome import Outcome
from modelward.kernel.refs import VersionRef
from support.houses import visitor_of

DAYS = 30
CONTENT = {
    "intended_uses": {"purpose_of_model": "x", "risk_rating": "Low", "explanations_for_risk_rating": "x"},
    "business_details": {"business_problem": "x", "business_stakeholders": "x", "line_of_business": "x"},
    "additional_information": {"ethical_considerations": "x", "caveats_and_recommendations": "x"},
}
POLICY = 'name = "short"\n[[checks]]\ncheck = "card-evidence-current"\n'
REPORT = {"binary_classification_metrics": {"auc": {"value": 0.91}}}
FACTORS = "$.intended_uses.factors_affecting_model_efficiency"


class Clock:
    def __init__(self):
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self):
        return self.now


@pytest.fixture
def at(tmp_path):
    """A house whose clock is set by hand, with an approved version whose evidence may become thirty days old."""
    (tmp_path / "policy.toml").write_text(POLICY)
    with visitor_of(tmp_path, policy=str(tmp_path / "policy.toml")) as visitor:
        house, clock = visitor.house, Clock()
        clock.made = clock.now
        house.workshop.clock = house.worker.clock = clock
        ana, rita = (visitor.client(visitor.new_token(*each)) for each in (("ana", "owner"), ("rita", "risk-manager")))
        ana.models.register("fraud")
        ref = ana.versions.register("fraud", artifact=b"bytes").ref
        ana.settle()
        ana.cards.edit("fraud-v1", patch=CONTENT)
        ana.cards.import_report("fraud-v1", REPORT, title="Vendor test")
        [evidence] = ana.cards.evidence("fraud-v1")
        ana.cards.bind("fraud-v1", FACTORS, evidence.id, measure="auc", days_max=DAYS)
        ana.settle()
        rita.reviews.approve(rita.reviews.of(ref).id, note="Agreed.")
        ana.endpoints.create("scores", version=ref)
        ana.settle()
        house.worker.stop()
        clock.house, clock.ana, clock.rita, clock.ref = house, ana, rita, VersionRef(ref)
        yield clock


def sweep(clock):
    """What the hourly job does, and the reactions to it."""
    from modelward.governance import reactions
    from modelward.jobs import queue

    workshop = clock.house.workshop
    while workshop.write(SYSTEM, binding.lapse_evidence):
        pass
    for _ in range(5):
        jobs = workshop.database.write(
            lambda c: queue.claim(c, owner="w", now=clock.now, limit=100, lease=timedelta(minutes=1))
        )
        for job in jobs:
            if job.kind == reactions.REACTION_JOB:
                reactions.run(workshop, job, clock=clock)


def names(clock):
    return [each.name for each in clock.ana.events.list(limit=500)]


def deploy(clock, name):
    body = {"name": name, "containers": [{"image": "registry/image:1", "version": clock.ref}]}
    return clock.ana.post("/deployables", body)


def test_to_the_last_moment_of_its_term_a_version_is_approved(at):
    at.now = at.made + timedelta(days=DAYS)

    found = at.ana.versions.get(at.ref)
    assert found.status == "approved"
    assert str(found.approved_until).startswith("2026-01-31")
    assert at.ana.endpoints.get("scores").unapproved is False
    assert deploy(at, "ready").name == "ready"


def test_a_moment_later_nobody_takes_it_for_approved_though_nothing_was_swept(at):
    at.now = at.made + timedelta(days=DAYS, microseconds=1)

    assert at.ana.versions.get(at.ref).status == "lapsed"
    assert "too old on 2026-01-31" in at.ana.versions.get(at.ref).status_reason
    assert [each.status for each in at.ana.versions.list("fraud")] == ["lapsed"]
    served = at.ana.endpoints.get("scores")
    assert (served.version_status, served.unapproved) == ("lapsed", True)
    with pytest.raises(Conflict, match=r"not approved\. It is lapsed: What its card rests on became too old"):
        deploy(at, "late")
    assert at.ana.cards.get("fraud-v1").to_dict()["stale"] == 1
    assert "ApprovalLapsed" not in names(at)


def test_the_sweep_records_the_lapse_once_and_a_new_approval_holds_again(at):
    at.now = at.made + timedelta(days=DAYS, minutes=30)
    sweep(at)
    sweep(at)

    told = names(at)
    assert (told.count("ApprovalLapsed"), told.count("CardEvidenceStale")) == (1, 1)
    assert told.count("EndpointApprovalNoted") == 1
    [change] = [
        each for each in at.ana.events.list(limit=500)
        if each.name == "VersionStatusChanged" and each.detail.to_dict()["after"] == "lapsed"
    ]  # fmt: skip
    assert change.detail.to_dict()["before"] == "approved"

    at.ana.cards.import_report(
        "fraud-v1", {"binary_classification_metrics": {"auc": {"value": 0.93}}}, title="Vendor test"
    )
    at.ana.cards.refresh("fraud-v1")
    sweep(at)
    at.rita.reviews.approve(at.rita.reviews.of(at.ref).id, note="Again.")
    sweep(at)
    assert at.ana.versions.get(at.ref).status == "approved"
    assert at.ana.endpoints.get("scores").unapproved is False
    at.now += timedelta(days=DAYS, seconds=1)
    assert at.ana.versions.get(at.ref).status == "lapsed"
    assert at.ana.events.verify().breaks == []


def test_a_shorter_term_of_the_same_evidence_counts_at_once(at):
    [evidence] = at.ana.cards.evidence("fraud-v1")
    at.ana.cards.unbind("fraud-v1", FACTORS)
    at.ana.cards.bind("fraud-v1", FACTORS, evidence.id, measure="auc", days_max=10)
    sweep(at)
    found = at.ana.versions.get(at.ref)
    if found.status == "approved":
        assert str(found.approved_until).startswith("2026-01-11")
        at.now = at.made + timedelta(days=10, seconds=1)
    assert at.ana.versions.get(at.ref).status == "lapsed"


def test_the_standing_of_a_version_has_three_values(at):
    def stands(ref):
        return at.house.workshop.read(SYSTEM, lambda work: standing(registry.get_version(work, VersionRef(ref))))

    assert stands(at.ref).outcome is Outcome.PASSED
    other = at.ana.versions.register("fraud", artifact=b"other").ref
    assert (stands(other).outcome, stands(other).reason) == (Outcome.UNDECIDED, "No review of it has been decided.")
    at.now = at.made + timedelta(days=DAYS, seconds=1)
    assert stands(at.ref).outcome is Outcome.FAILED


def test_what_is_filtered_by_status_is_filtered_by_the_status_of_now(at):
    from modelward.governance.registry import life
    from modelward.governance.registry.entities import ApprovalStatus
    from modelward.kernel.browsing import Browse

    def approved():
        found = at.house.workshop.read(
            SYSTEM, lambda work: life.browse_versions(work, Browse(), statuses=[ApprovalStatus.APPROVED])
        )
        return [each.ref for each in found.items]

    assert approved() == [at.ref]
    at.now = at.made + timedelta(days=DAYS, seconds=1)
    assert approved() == []
