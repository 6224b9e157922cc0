"""What happens to versions after they were registered, training runs and deployables: said from Python, kept by a house."""

import pytest

from support.houses import visitor_of


@pytest.fixture
def client(tmp_path):
    with visitor_of(tmp_path / "data", works=False) as visitor:
        made = visitor.client()
        made.models.register("fraud")
        made.versions.register("fraud")
        yield made


def test_a_version_has_the_stage_the_metadata_and_the_tags_that_were_said_last(client):
    client.stages.reach("fraud@1", "Staging", status="Started", note="On shadow traffic.")
    client.stages.annotate("fraud@1", put={"region": "eu", "team": "risk"})
    client.stages.annotate("fraud@1", put={"region": "ch"}, remove=["team"])
    client.stages.tag("fraud@1", {"old": "yes"})
    client.stages.tag("fraud@1", {"new": "yes"})

    told = client.versions.get("fraud@1")
    assert (told.stage.name, told.stage.status, told.stage.note) == ("Staging", "Started", "On shadow traffic.")
    assert (dict(told.metadata), dict(told.tags)) == ({"region": "ch"}, {"new": "yes"})


def test_a_model_is_withdrawn_after_its_versions_which_stay_known_and_its_name_is_free_again(client):
    client.stages.withdraw("fraud@1", reason="A mistake.")
    client.stages.withdraw_model("fraud", reason="Never used.")

    assert client.versions.get("fraud@1").withdrawn_at is not None
    assert "fraud" not in {each.name for each in client.models.list()}
    assert client.models.register("fraud").name == "fraud"


def test_a_recorded_training_run_is_found_by_its_name_its_state_and_what_it_made(client):
    client.trainings.record("night-1", state="completed", artifact_uri="s3://models/one")
    client.trainings.record("night-2", state="failed", failure_reason="Out of memory.")

    assert client.trainings.get("night-2").facts.failure_reason == "Out of memory."
    assert [each.name for each in client.trainings.list("night", state="completed")] == ["night-1"]
    assert [each.name for each in client.trainings.list(artifact_uri="s3://models/one")] == ["night-1"]


def test_a_removed_deployable_is_not_listed(client):
    for name in ("one", "two"):
        client.deployables.make(name, [{"image": "own:1", "model_data": "s3://models/own"}])
    client.deployables.remove("one")

    assert [each.name for each in client.deployables.list()] == ["two"]
