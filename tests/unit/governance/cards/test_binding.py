"""What holds for fields that are bound to evidence."""

import contextlib
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelward.governance.access.entities import SYSTEM
from modelward.governance.cards import binding, paths, reading, use_cases
from modelward.governance.cards.entities import EvaluationEntry
from modelward.governance.cards.evidence import FieldBound
from modelward.kernel.errors import Conflict, Invalid, NotFound
from modelward.kernel.pages import PageRequest
from modelward.storage.blobs import digest_of
from support.cards import ANA, BEN
from unit.governance.cards.cases import FULL, a_card, a_version, bind, events, evidence, full, keep, move

FACTORS = "$.intended_uses.factors_affecting_model_efficiency"
METRIC = "$.training_details.training_job_details.training_metrics[0].value"


@pytest.fixture
def bound(workshop):
    """A card of a version with a field bound to a measure of 0.9."""
    version = a_version(workshop)
    content = {
        **FULL,
        "training_details": {"training_job_details": {"training_metrics": [{"name": "auc", "value": 0}]}},
    }
    card = a_card(workshop, version=version, content=content)
    piece = keep(workshop, evidence(version, 0.9, now=workshop.clock()))
    bind(workshop, card, piece, METRIC, measure="auc")
    return card, version, piece


def edit(workshop, card, by=ANA, **change):
    return workshop.write(by, lambda work: use_cases.edit_card(work, card, **change))


def one(workshop, card):
    [found] = full(workshop, card).bindings
    return found


def test_a_bound_field_shows_the_value_with_its_source_and_age(workshop, bound):
    card, _, piece = bound

    seen = one(workshop, card)

    assert (seen.value, seen.state, seen.evidence, seen.digest) == (0.9, "current", piece.id, piece.digest)
    assert seen.age_days >= 0
    assert full(workshop, card).origins[METRIC] == piece.source


def test_a_field_of_text_shows_a_number_as_text(workshop):
    version = a_version(workshop)
    card = a_card(workshop, version=version)
    piece = keep(workshop, evidence(version, 0.123456789, now=workshop.clock()))

    bind(workshop, card, piece, FACTORS, measure="auc")

    assert one(workshop, card).value == "0.123457"


@pytest.mark.parametrize(
    "change",
    [
        {"patch": {"training_details": {"training_job_details": {"training_metrics": [{"name": "auc", "value": 1}]}}}},
        {"patch": {"training_details": None}},
        {"content": FULL},
    ],
)
def test_a_bound_field_is_neither_retyped_nor_removed_by_hand(workshop, bound, change):
    card, *_ = bound
    before = full(workshop, card)

    with pytest.raises(FieldBound, match="not written by hand") as refused:
        edit(workshop, card, **change)

    assert refused.value.field == METRIC
    assert full(workshop, card).number == before.number


def test_what_stands_beside_a_bound_field_is_edited_freely_and_the_binding_moves_with_it(workshop, bound):
    card, *_ = bound
    more = [{"name": "loss", "value": 2}, {"name": "auc", "value": 0.9}]

    edit(workshop, card, patch={"training_details": {"training_job_details": {"training_metrics": more}}})

    assert one(workshop, card).path == METRIC.replace("[0]", "[1]")
    assert one(workshop, card).value == 0.9


def test_an_unbound_field_keeps_its_value_and_is_written_by_hand_again(workshop, bound):
    card, *_ = bound

    workshop.write(ANA, lambda work: binding.unbind_field(work, card, path=METRIC))
    assert paths.value_at(full(workshop, card).content, METRIC) == 0.9
    edit(workshop, card, patch={"training_details": None})

    assert full(workshop, card).bindings == []
    with pytest.raises(binding.FieldNotBound):
        workshop.write(ANA, lambda work: binding.unbind_field(work, card, path=METRIC))


def test_newer_evidence_of_the_series_makes_a_field_stale_and_a_refresh_current_again(workshop, bound):
    card, version, _piece = bound
    newer = keep(workshop, evidence(version, 0.8, now=workshop.clock()))

    stale = one(workshop, card)
    assert (stale.state, stale.value, stale.newest) == ("stale", 0.9, newer.id)
    assert full(workshop, card).stale == 1
    assert "CardEvidenceStale" in events(workshop, card)

    workshop.write(ANA, lambda work: binding.refresh_bindings(work, card))
    assert (one(workshop, card).state, one(workshop, card).value) == ("current", 0.8)
    assert full(workshop, card).stale == 0


def test_other_evidence_makes_nothing_stale(workshop, bound):
    card, version, piece = bound

    keep(workshop, evidence(version, 0.8, series="another table", now=workshop.clock()))
    keep(workshop, evidence(version, 0.9, now=workshop.clock(), digest=piece.digest))
    keep(workshop, evidence(version, 0.7, now=workshop.clock(), days_old=30))

    assert one(workshop, card).state == "current"


def test_evidence_that_is_too_old_makes_a_field_stale_and_the_sweep_notes_it_once(workshop):
    version = a_version(workshop)
    card = a_card(workshop, version=version)
    piece = keep(workshop, evidence(version, 0.9, now=workshop.clock(), days_old=31))
    bind(workshop, card, piece, FACTORS, measure="auc", days_max=40)
    assert one(workshop, card).state == "current"
    bind(workshop, card, piece, FACTORS, measure="auc", days_max=30)

    assert one(workshop, card).state == "stale"
    assert "Older than 30 days" in one(workshop, card).reason
    assert workshop.write(SYSTEM, binding.lapse_evidence) == 0  # noted when it was bound


def test_time_alone_makes_a_field_stale_at_once_and_the_sweep_records_it(workshop):
    version = a_version(workshop)
    card = a_card(workshop, version=version)
    piece = keep(workshop, evidence(version, 0.9, now=workshop.clock(), days_old=29))
    bind(workshop, card, piece, FACTORS, measure="auc", days_max=30)
    now = workshop.clock
    workshop.clock = lambda: now() + timedelta(days=2)

    assert full(workshop, card).stale == 1
    assert events(workshop, card).count("CardEvidenceStale") == 0
    assert workshop.write(SYSTEM, binding.lapse_evidence) == 1
    assert workshop.write(SYSTEM, binding.lapse_evidence) == 0

    assert full(workshop, card).stale == 1
    assert events(workshop, card).count("CardEvidenceStale") == 1


def test_nobody_approves_a_card_that_rests_on_stale_evidence(workshop, bound):
    card, version, _ = bound
    keep(workshop, evidence(version, 0.8, now=workshop.clock()))

    with pytest.raises(use_cases.CardEvidenceOutdated, match="out of date"):
        move(workshop, card, "approved")
    workshop.write(ANA, lambda work: binding.refresh_bindings(work, card))

    assert move(workshop, card, "approved").status == "approved"


def test_evidence_of_another_version_is_refused(workshop, bound):
    card, *_ = bound
    other = keep(workshop, evidence(a_version(workshop), 0.9, now=workshop.clock()))

    with pytest.raises(Invalid, match="is about"):
        bind(workshop, card, other, FACTORS, measure="auc")


@pytest.mark.parametrize(
    "how, refusal",
    [
        ({"path": FACTORS, "measure": "nope"}, "no measure 'nope'; it has auc, word"),
        ({"path": FACTORS}, "holds no metric groups"),
        ({"path": "$.intended_uses.risk_rating", "measure": "word"}, "rule is enum"),
        ({"path": "$.nowhere.at_all", "measure": "auc"}, "does not know the field"),
        ({"path": "intended_uses", "measure": "auc"}, "is not a path"),
        ({"path": "$.evaluation_details[7].name", "measure": "word"}, "leads to no place"),
        ({"path": FACTORS, "measure": "auc", "days_max": 0}, "days_max is 0"),
    ],
)
def test_what_cannot_be_bound_is_refused_and_nothing_is_written(workshop, bound, how, refusal):
    card, _, piece = bound
    before = full(workshop, card).number

    with pytest.raises(Invalid, match=refusal):
        bind(workshop, card, piece, **how)

    assert full(workshop, card).number == before


def test_part_of_a_bound_table_is_not_bound_besides(workshop, bound):
    card, _, piece = bound
    bind(workshop, card, piece, "$.evaluation_details")

    with pytest.raises(FieldBound, match="Unbind that first"):
        bind(workshop, card, piece, "$.evaluation_details[0].metric_groups[0].metric_data[0].value", measure="auc")


def test_a_table_is_bound_as_an_evaluation_of_its_own(workshop, bound):
    card, version, piece = bound
    bind(workshop, card, piece, "$.evaluation_details")
    newer = keep(workshop, evidence(version, 0.5, now=workshop.clock()))

    workshop.write(ANA, lambda work: binding.refresh_bindings(work, card, path="$.evaluation_details[0].metric_groups"))

    [told] = full(workshop, card).content["evaluation_details"]
    assert told["metric_groups"] == newer.groups
    assert told["metadata"]["report"] == newer.digest


def test_the_same_evidence_is_kept_once(workshop, bound):
    card, _, piece = bound
    before = workshop.read(ANA, lambda work: binding.list_evidence(work, card, page=PageRequest()))

    keep(workshop, piece)

    assert workshop.read(ANA, lambda work: binding.list_evidence(work, card, page=PageRequest())) == before
    with pytest.raises(NotFound):
        workshop.read(ANA, lambda work: binding.get_evidence(work, "nothing"))


def test_a_finished_evaluation_is_bound_in_a_draft_and_makes_an_approved_card_stale(workshop):
    version = a_version(workshop)
    card = a_card(workshop, version=version)

    def tell(report):
        entry = EvaluationEntry(
            evaluation=f"evaluation-{report.decode()}", kind="quality", outcome="passed", reason="Well.",
            report=digest_of(report), dataset=digest_of(b"table"), metrics={"auc": 0.9}, finished_at=workshop.clock(),
        )  # fmt: skip
        return workshop.write(SYSTEM, lambda work: binding.add_evaluation(work, version, entry))

    tell(b"one")
    assert tell(b"two").number == 3
    assert one(workshop, card).path == "$.evaluation_details[0].metric_groups"
    assert one(workshop, card).state == "current"
    with pytest.raises(FieldBound):
        edit(workshop, card, content=FULL)
    move(workshop, card, "approved")

    assert tell(b"three") is None
    assert one(workshop, card).state == "stale"
    assert "Superseded" in one(workshop, card).reason


def test_a_version_of_a_card_keeps_its_bindings_for_ever(workshop, bound):
    card, *_ = bound
    before = workshop.read(ANA, lambda work: reading.get_version(work, card, number=2))

    workshop.write(ANA, lambda work: binding.unbind_field(work, card, path=METRIC))

    assert workshop.read(ANA, lambda work: reading.get_version(work, card, number=2)) == before
    assert set(before.bindings) == {METRIC}


doings = st.lists(
    st.sampled_from(["bind", "unbind", "refresh", "evidence", "edit", "overwrite", "approve", "draft"]), max_size=12
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(doings=doings)
def test_whatever_is_done_a_bound_field_says_what_its_evidence_says(workshop, doings):
    version = a_version(workshop)
    card = a_card(workshop, version=version)
    pieces = [keep(workshop, evidence(version, 0.5, now=workshop.clock()))]
    say = {
        "bind": lambda: bind(workshop, card, pieces[-1], FACTORS, measure="auc"),
        "unbind": lambda: workshop.write(ANA, lambda work: binding.unbind_field(work, card, path=FACTORS)),
        "refresh": lambda: workshop.write(ANA, lambda work: binding.refresh_bindings(work, card)),
        "evidence": lambda: pieces.append(keep(workshop, evidence(version, len(pieces) / 7, now=workshop.clock()))),
        "edit": lambda: edit(workshop, card, patch={"business_details": {"line_of_business": str(len(pieces))}}),
        "overwrite": lambda: edit(workshop, card, patch={"intended_uses": {FACTORS.rpartition(".")[2]: "by hand"}}),
        "approve": lambda: move(workshop, card, "approved", by=BEN),
        "draft": lambda: move(workshop, card, "draft"),
    }
    for what in doings:
        with contextlib.suppress(Conflict):
            say[what]()
        seen = full(workshop, card)
        by_id = {each.id: each for each in pieces}
        for each in seen.bindings:
            assert each.value == f"{by_id[each.evidence].measures['auc']:.6g}"
            assert (each.state == "stale") == (each.evidence != pieces[-1].id)
        assert seen.stale == sum(each.state == "stale" for each in seen.bindings)
        assert seen.debt == seen.missing + seen.stale
    told = events(workshop, card)
    listed = workshop.read(ANA, lambda work: use_cases.list_versions(work, card, page=PageRequest(limit=1000)))
    assert len(listed.items) == 1 + told.count("CardEdited")
    statuses = workshop.read(ANA, lambda work: reading.list_statuses(work, card))
    assert listed.items[0].status == statuses[-1].status == full(workshop, card).status
