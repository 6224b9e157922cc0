"""From a registration to an approved version, and what makes the approval lapse: through the client, on a real database."""

import json

import pytest
from click.testing import CliRunner

import modelward
from modelward.cli.main import modelward as command_line
from modelward.kernel.errors import Conflict, Invalid, ModelwardError, NotAllowed, NotFound
from support.transfers import CARD, FACTS, judged_transfers

PEOPLE = {"ana": "data-scientist", "ben": "risk-manager", "rita": "risk-manager", "aud": "auditor", "bot": "owner"}


@pytest.fixture
def house(tmp_path, database_url):
    with modelward.connect(tmp_path / "home", database_url=database_url) as owner:
        yield House(owner)


class House:
    """The owner's client and one for each person."""

    def __init__(self, owner):
        self.owner = owner
        for id, persona in PEOPLE.items():
            owner.people.add(id, persona=persona, kind="service" if id == "bot" else "person")
            setattr(self, id, owner.as_(owner.people.make_token(id).secret))

    def register(self, model="fraud"):
        if not list(self.owner.models.list(model)):
            self.ana.models.register(model, description="Finds fraud.")
        ref = self.ana.versions.register(model, artifact=b"bytes of a model", facts=FACTS).ref
        self.owner.settle()
        return ref

    def evaluate(self, ref, kind="quality", table=None, **settings):
        known = {"label": "y", "prediction": "p"} | (
            {"problem_type": "binary"} if kind == "quality" else {"facets": ["team"]}
        )
        asked = self.ana.evaluations.request(ref, kind, table or judged_transfers(), **(known | settings))
        done = self.ana.evaluations.wait(asked.id, seconds_max=60)
        self.owner.settle()
        return done

    def ready(self, model="fraud"):
        ref = self.register(model)
        self.ana.cards.edit(f"{model}-v{ref.partition('@')[2]}", patch=CARD, note="What we know.")
        self.evaluate(ref)
        self.evaluate(ref, "bias")
        return ref

    def approve(self, ref, by="rita"):
        client = getattr(self, by)
        return client.reviews.approve(client.reviews.of(ref).id, note="Seen with the business.")

    def status(self, ref):
        return self.owner.versions.get(ref).status


def outcomes(review):
    return {each.check: each.outcome for each in review.checks}


def test_a_registered_version_gets_a_card_and_a_review_by_itself(house):
    ref = house.register()

    card, review = house.ana.cards.get("fraud-v1"), house.ana.reviews.of(ref)

    assert card.content.model_overview.algorithm_type == "forest"
    assert card.origins["$.model_overview.algorithm_type"] == "registration of fraud@1"
    assert outcomes(review) == {
        "artifact-stored": "passed", "card-exists": "passed", "card-complete": "failed", "quality-evidence": "undecided",
        "bias-evidence": "undecided", "bias-findings": "undecided", "card-shows-evidence": "undecided",
        "card-evidence-current": "passed", "evidence-fresh": "undecided",
    }  # fmt: skip
    assert house.status(ref) == "pending"


def test_the_road_from_registration_to_approval(house):
    ref = house.ready()
    review = house.rita.reviews.of(ref)
    assert review.hindrances == []

    decided = house.rita.reviews.approve(review.id, note="Good.", seen=review.seen)

    assert house.status(ref) == "approved"
    assert decided.bound.card_digest == house.ana.cards.get("fraud-v1").digest
    reports = sorted(each.report for each in house.ana.evaluations.list(ref))
    assert decided.bound.evidence == reports
    assert decided.bound.policy == house.rita.reviews.policy().digest
    [told] = house.owner.events.list(name="ReviewDecided")
    assert told.detail.bound.evidence == reports
    assert house.owner.events.verify().breaks == []
    assert house.owner.get("/jobs", state="dead") == []


@pytest.mark.parametrize(
    "who, words", [("ana", r"review\.decide"), ("aud", r"review\.decide"), ("bot", "only a person")]
)
def test_who_may_not_decide_is_told_why(house, who, words):
    ref = house.ready()

    with pytest.raises(NotAllowed, match=words):
        house.approve(ref, by=who)
    assert house.status(ref) == "pending"


def test_who_wrote_the_card_does_not_approve_the_version(house):
    ref = house.ready()
    house.ben.cards.edit("fraud-v1", patch={"business_details": {"line_of_business": "payments"}})
    house.owner.settle()

    with pytest.raises(NotAllowed, match="ben wrote the card fraud-v1"):
        house.approve(ref, by="ben")
    assert house.approve(ref, by="rita").state == "approved"


def test_a_decision_on_facts_that_have_changed_is_refused(house):
    ref = house.ready()
    seen = house.rita.reviews.of(ref)
    house.ana.cards.edit("fraud-v1", patch={"business_details": {"line_of_business": "payments"}})

    with pytest.raises(Conflict, match="have changed since you looked"):
        house.rita.reviews.approve(seen.id, note="Good.", seen=seen.seen)
    assert house.status(ref) == "pending"


def test_undecided_checks_never_let_an_approval_through(house):
    ref = house.register()
    house.ana.cards.edit("fraud-v1", patch=CARD)

    with pytest.raises(Conflict, match="quality-evidence is undecided"):
        house.approve(ref)


def test_evidence_for_another_problem_type_saves_nobody_a_check(house):
    ref = house.register()
    house.ana.cards.edit("fraud-v1", patch=CARD, note="What we know.")
    house.evaluate(ref, problem_type="regression")

    review = house.rita.reviews.of(ref)

    assert outcomes(review)["quality-evidence"] == "undecided"
    assert outcomes(review)["bias-evidence"] == "undecided"
    with pytest.raises(Conflict, match="registered as another"):
        house.approve(ref)


def test_an_archived_card_makes_the_approval_lapse(house):
    ref = house.ready()
    house.approve(ref)
    house.owner.settle()

    house.rita.cards.change_status("fraud-v1", "archived", reason="Another is written.")
    house.owner.settle()

    assert house.owner.versions.get(ref).status_reason == "The card fraud-v1 was archived."
    assert house.status(ref) == "lapsed"


def test_an_edited_card_makes_the_approval_lapse_and_opens_a_review(house):
    ref = house.ready()
    house.approve(ref)

    house.ana.cards.edit("fraud-v1", patch={"intended_uses": {"risk_rating": "Low"}})
    house.owner.settle()

    version, review = house.owner.versions.get(ref), house.rita.reviews.of(ref)
    assert version.status == "lapsed"
    assert "was edited" in version.status_reason
    assert (review.state, "lapsed" in review.because) == ("open", True)
    assert house.approve(ref).state == "approved"
    assert house.status(ref) == "approved"


def test_newer_evidence_makes_the_approval_lapse_and_the_same_again_does_not(house):
    ref = house.ready()
    house.approve(ref)

    house.evaluate(ref)
    assert house.status(ref) == "approved"
    house.evaluate(ref, table=judged_transfers(seed=1))

    assert house.status(ref) == "lapsed"


def test_an_evaluation_that_fails_says_so_and_leaves_the_evidence(house):
    ref = house.ready()
    house.approve(ref)

    failed = house.evaluate(ref, label="nope")

    assert failed.state == "failed"
    assert "nope" in failed.reason
    assert "blobs" not in failed.reason
    assert house.status(ref) == "approved"
    with pytest.raises(Conflict, match="has no report"):
        house.ana.evaluations.report(failed.id)
    assert house.owner.get("/jobs", state="dead") == []


@pytest.mark.parametrize("table", [b"", b"PAR1 not really PAR1", b"\x00\xff" * 100, b'y,p\n1,2,3\n"open'])
def test_a_table_that_cannot_be_read_ends_as_failed(house, table):
    ref = house.register()
    if not table:
        table = house.ana.artifacts.store(b"").digest

    failed = house.evaluate(ref, table=table)

    assert failed.state == "failed"
    assert failed.reason


def test_a_finished_evaluation_stands_in_the_draft_card_with_its_digest(house):
    ref = house.register()

    done = house.evaluate(ref, limits={"accuracy": {"at_least": 0.7}})

    card = house.ana.cards.get("fraud-v1")
    [told] = card.content.evaluation_details
    assert done.outcome == "passed"
    assert told.metadata.report == done.report
    assert card.origins["$.evaluation_details[0]"] == f"evaluation {done.id}"
    assert house.ana.evaluations.report(done.id).format == "modelward.evaluation/1"


def test_the_card_of_a_second_version_carries_over_what_people_wrote(house):
    house.ready()

    house.register()

    card = house.ana.cards.get("fraud-v2")
    assert card.content.business_details.business_problem == "Transfers made by thieves."
    assert card.origins["$.business_details.business_problem"].startswith("carried over from fraud-v1")
    assert "evaluation_details" not in card.content
    assert card.status == "draft"


def test_a_rejected_version_can_be_reviewed_again(house):
    ref = house.ready()
    house.rita.reviews.reject(house.rita.reviews.of(ref).id, note="Not on this data.")
    assert house.status(ref) == "rejected"

    house.ana.reviews.open(ref, because="New data.")
    with pytest.raises(Conflict, match="under review already"):
        house.ana.reviews.open(ref)

    assert house.approve(ref).state == "approved"
    assert house.status(ref) == "approved"


def test_the_graph_leads_from_data_to_review(house):
    ref = house.ready()

    graph = house.aud.lineage.get(ref)

    drawn = {(each.source.partition(":")[0], each.relation, each.target.partition(":")[0]) for each in graph.edges}
    assert drawn == {
        ("artifact", "is the content of", "version"), ("card", "describes", "version"), ("dataset", "trained", "version"),
        ("dataset", "was read by", "evaluation"), ("evaluation", "is evidence on", "version"),
        ("evaluation", "is evidence for", "card"), ("review", "reviews", "version"), ("version", "is a version of", "model"),
    }  # fmt: skip


def test_evidence_must_be_on_something_that_is_there(house):
    ref = house.register()

    with pytest.raises(NotFound, match="no version ghost@1"):
        house.ana.evaluations.request(
            "ghost@1", "quality", judged_transfers(), label="y", prediction="p", problem_type="binary"
        )
    with pytest.raises(NotFound, match="No artifact"):
        house.ana.evaluations.request(ref, "bias", "sha256:" + "0" * 64, label="y", facets=["team"])


def test_another_policy_judges_open_reviews_anew(tmp_path):
    with modelward.connect(tmp_path) as owner:
        house = House(owner)
        ref = house.register()
    (tmp_path / "policy.toml").write_text(
        'name = "light"\napprovers = ["owner"]\nchecks = [{check = "artifact-stored"}]\n'
    )

    with modelward.connect(tmp_path) as owner:
        owner.settle()
        review = owner.reviews.of(ref)
        [event] = owner.events.list(name="PolicyAdopted", limit=1)
        assert outcomes(review) == {"artifact-stored": "passed"}
        assert event.detail.before != event.detail.policy
        assert owner.reviews.approve(review.id).state == "approved"


def test_a_policy_that_cannot_be_read_stops_the_start_and_says_why(tmp_path):
    (tmp_path / "policy.toml").write_text('name = "x"\nchecks = [{check = "sorcery"}]')

    with pytest.raises(Invalid, match="asks for 'sorcery'"):
        modelward.connect(tmp_path)


def test_hostile_text_is_kept_word_for_word_and_too_much_is_refused(house):
    ref = house.ready()
    hostile = "\"><script>alert(1)</script> ../../etc ' -- {{7*7}} \x1b[31m"

    house.ana.cards.edit(
        "fraud-v1", patch={"additional_information": {"custom_details": {hostile: hostile}}}, note=hostile
    )
    house.owner.settle()
    with pytest.raises(Invalid, match="characters"):
        house.ana.cards.edit("fraud-v1", patch=CARD, note="x" * 100_000)
    with pytest.raises(Invalid, match="maxLength 2048"):
        house.ana.cards.edit("fraud-v1", patch={"intended_uses": {"purpose_of_model": "x" * 100_000}})
    decided = house.rita.reviews.approve(house.rita.reviews.of(ref).id, note=hostile)

    assert house.ana.cards.get("fraud-v1").content.additional_information.custom_details[hostile] == hostile
    assert decided.note == hostile
    assert house.owner.events.verify().breaks == []


@pytest.mark.parametrize(
    "address", ["/cards/..%2F..%2Fetc", "/cards/%3Cscript%3E", "/reviews/%27%20OR%201", "/lineage/%3Cscript%3E"]
)
def test_a_hostile_address_is_refused_or_not_found(house, address):
    with pytest.raises(ModelwardError) as told:
        house.ana.get(address)

    assert type(told.value) in (Invalid, NotFound)


def test_the_command_line_shows_decides_and_verifies(tmp_path, monkeypatch):
    monkeypatch.setenv("MODELWARD_HOME", str(tmp_path))
    monkeypatch.delenv("MODELWARD_URL", raising=False)
    with modelward.connect(tmp_path) as owner:
        house = House(owner)
        ref = house.ready()
        secret = owner.people.make_token("rita").secret

    def run(*words, token=None):
        answer = CliRunner().invoke(command_line, words, env={"MODELWARD_TOKEN": token} if token else {})
        if answer.exception and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        return answer.output

    assert "fraud-v1" in run("card", "list")
    assert "version" in run("model", "show", "fraud")
    assert json.loads(run("card", "export", "fraud-v1"))["intended_uses"]["risk_rating"] == "High"
    assert "is pending-review" in run("card", "status", "fraud-v1", "pending-review")
    assert "passed     quality-evidence" in run("review", "show", ref)
    with pytest.raises(NotAllowed, match=r"review\.decide"):
        run("review", "approve", ref, "--note", "n", token=house.ana._token)
    assert "fraud@1 is approved, by rita." in run("review", "approve", ref, "--note", "Good.", token=secret)
    assert "edited" not in run("card", "edit", "fraud-v1", "--set", "intended_uses.risk_rating=Low", "--json")
    with modelward.connect(tmp_path) as owner:
        owner.settle()
    assert json.loads(run("review", "list", "--json"))[0]["state"] == "open"
    assert "entries hold" in run("audit", "verify")
    assert "ReviewDecided" in run("audit", "list", "--name", "ReviewDecided")
