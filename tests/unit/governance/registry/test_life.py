"""What happens to versions after they were registered, to training runs and to what is looked through by age."""

from datetime import timedelta

import pytest

from modelward.governance.registry import life, training, use_cases
from modelward.governance.registry.entities import ApprovalStatus, Stage
from modelward.governance.registry.life import ModelInUse, VersionGone, VersionInUse
from modelward.governance.registry.training import TrainingFinished
from modelward.governance.registry.training_run import TrainingFacts, TrainingState
from modelward.kernel.browsing import Browse
from modelward.kernel.errors import Invalid, NotFound
from modelward.kernel.pages import PageRequest
from modelward.kernel.refs import ModelRef, VersionRef
from support.workshops import ANA

FRAUD, FIRST = ModelRef("fraud"), VersionRef("fraud@1")


@pytest.fixture
def registered(workshop):
    """A workshop with the first version of a model."""
    workshop.write(ANA, lambda work: use_cases.register_model(work, name="fraud"))
    workshop.write(ANA, lambda work: use_cases.register_version(work, FRAUD))
    return workshop


def write(workshop, task, *arguments, **options):
    return workshop.write(ANA, lambda work: task(work, *arguments, **options))


def read(workshop, task, *arguments, **options):
    return workshop.read(ANA, lambda work: task(work, *arguments, **options))


def test_a_stage_is_kept_until_the_next_and_only_a_change_is_told(registered):
    production = Stage(name="Production", status="Approved")
    write(registered, life.stage_version, FIRST, stage=Stage(name="Development", status="InProgress", note="new"))

    write(registered, life.stage_version, FIRST, stage=production)
    again = write(registered, life.stage_version, FIRST, stage=production)

    assert again.stage == read(registered, use_cases.get_version, FIRST).stage == production


def test_a_stage_without_a_name_is_refused(registered):
    with pytest.raises(Invalid, match="stage must have 1 to 63"):
        write(registered, life.stage_version, FIRST, stage=Stage(name="", status="x"))


def test_metadata_are_put_and_taken_off_and_the_rest_stays(registered):
    write(registered, life.annotate_version, FIRST, put={"a": "1", "b": "2"})

    changed = write(registered, life.annotate_version, FIRST, put={"c": "3"}, remove=["a", "nobody"])

    assert changed.metadata == {"b": "2", "c": "3"}
    assert changed.created_by == "ana"
    with pytest.raises(Invalid, match="at most 50"):
        write(registered, life.annotate_version, FIRST, put={f"k{n}": "v" for n in range(50)})


def test_a_withdrawn_version_leaves_the_lists_stays_known_and_gives_its_number_to_nobody(registered):
    write(registered, life.withdraw_version, FIRST, reason="wrong data")

    assert read(registered, use_cases.list_versions, FRAUD, page=PageRequest()).items == []
    assert read(registered, use_cases.get_version, FIRST).withdrawn_at is not None
    with pytest.raises(NotFound):
        read(registered, life.get_known_version, FIRST)
    with pytest.raises(VersionGone):
        write(registered, life.stage_version, FIRST, stage=Stage(name="QA", status="x"))
    assert write(registered, use_cases.register_version, FRAUD).ref == "fraud@2"


def test_an_approved_version_is_not_withdrawn(registered):
    write(registered, use_cases.change_status, FIRST, status=ApprovalStatus.APPROVED, reason="")

    with pytest.raises(VersionInUse):
        write(registered, life.withdraw_version, FIRST)


def test_a_model_is_withdrawn_after_its_versions_and_its_name_may_be_taken_again(registered):
    with pytest.raises(ModelInUse):
        write(registered, life.withdraw_model, FRAUD)
    write(registered, life.withdraw_version, FIRST)
    write(registered, life.withdraw_model, FRAUD)

    assert read(registered, use_cases.list_models, page=PageRequest()).items == []
    with pytest.raises(NotFound):
        write(registered, use_cases.register_version, FRAUD)
    again = write(registered, use_cases.register_model, name="fraud", description="Anew.")
    assert (again.versions, again.withdrawn_at) == (1, None)
    assert write(registered, use_cases.register_version, FRAUD).ref == "fraud@2"


def test_what_an_outside_interface_told_comes_back_as_it_was(registered):
    told = {"InferenceSpecification": {"Containers": [{"Image": "i", "Environment": {}}]}, "SourceUri": "s3://a//b"}

    write(registered, life.keep_version_particulars, FIRST, told, changed=["SourceUri"])

    assert read(registered, life.read_particulars, FIRST) == told
    assert read(registered, life.read_particulars, FRAUD) == {}


def test_a_resource_policy_is_json_and_no_longer_than_its_limit(registered):
    write(registered, life.put_policy, FRAUD, '{"Statement": []}')

    assert read(registered, life.get_policy, FRAUD) == '{"Statement": []}'
    for wrong in ("no json", "[]", '{"a": "' + "x" * 20_480 + '"}'):
        with pytest.raises(Invalid):
            write(registered, life.put_policy, FRAUD, wrong)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", ["name", "created"])
def test_pages_lead_through_all_models_once_in_order(workshop, sort, descending):
    names = ["m3", "m1", "m5", "m2", "m4"]
    for name in names:
        write(workshop, use_cases.register_model, name=name)

    found, after = [], None
    while True:
        browse = Browse(sort=sort, descending=descending, limit=2, after=after)
        page = read(workshop, life.browse_models, browse)
        found += [each.name for each in page.items]
        after = page.next_after
        if after is None:
            break

    expected = sorted(names) if sort == "name" else names
    assert found == (expected[::-1] if descending else expected)


@pytest.mark.parametrize("descending", [False, True])
def test_what_was_made_at_the_same_moment_is_not_lost_between_pages(workshop, descending):
    def make(work):
        return [use_cases.register_model(work, name=name) for name in ("a", "b", "c", "d", "e")]

    assert len({each.created_at for each in workshop.write(ANA, make)}) == 1
    found, after = [], None
    for _ in range(3):
        page = read(workshop, life.browse_models, Browse(limit=2, descending=descending, after=after))
        found += [each.name for each in page.items]
        after = page.next_after

    assert found == sorted("abcde", reverse=descending)
    assert after is None


def test_what_is_looked_through_is_narrowed_by_text_and_age(workshop):
    made = [write(workshop, use_cases.register_model, name=name) for name in ("Fraud-A", "fraud_b", "loans")]
    middle = made[1].created_at

    def names(**asked):
        return [each.name for each in read(workshop, life.browse_models, Browse(**asked)).items]

    assert names(text="FRAUD") == ["Fraud-A", "fraud_b"]
    assert names(text="fraud_") == ["fraud_b"]
    assert names(created_after=middle) == ["loans"]
    assert names(created_before=middle) == ["Fraud-A"]
    assert names(created_after=middle - timedelta(days=1), text="o") == ["loans"]
    with pytest.raises(Invalid):
        names(sort="nonsense")


def test_a_training_run_goes_on_until_its_end_is_recorded(workshop):
    running = TrainingFacts(state=TrainingState.RUNNING, artifact_uri="s3://out/m")
    done = TrainingFacts(artifact_uri="s3://out/m", metrics={"auc": 0.8})
    first = write(workshop, training.record_training, name="t1", facts=running)

    ended = write(workshop, training.record_training, name="t1", facts=done)
    again = write(workshop, training.record_training, name="t1", facts=done)

    assert ended.created_at == first.created_at
    assert again == ended == read(workshop, training.get_training, "t1")
    with pytest.raises(TrainingFinished):
        write(workshop, training.record_training, name="t1", facts=running)


def test_training_runs_are_found_by_state_and_by_the_artifact_they_made(workshop):
    for name, state in (("t1", TrainingState.COMPLETED), ("t2", TrainingState.FAILED)):
        write(
            workshop, training.record_training, name=name, facts=TrainingFacts(state=state, artifact_uri=f"s3://{name}")
        )

    def names(**asked):
        return [each.name for each in read(workshop, training.browse_trainings, Browse(), **asked).items]

    assert names() == ["t1", "t2"]
    assert names(state=TrainingState.FAILED) == ["t2"]
    assert names(artifact_uri="s3://t1") == ["t1"]
    with pytest.raises(NotFound):
        read(workshop, training.get_training, "t3")
    facts = TrainingFacts(metrics={f"m{n}": 1.0 for n in range(101)})
    with pytest.raises(Invalid, match="101 entries"):
        write(workshop, training.record_training, name="t3", facts=facts)
