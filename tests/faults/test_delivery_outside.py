"""A document on its way to another S3: the store away, the process killed. It arrives once, or the job says why not."""

import pytest

from support import buckets
from support.aws import aws_house
from support.outside import door_to, ended, export
from support.traffic import all_events

# The process ends itself when the document has arrived outside, before that is noted.
KILLED = """
import os, signal
from modelward.governance.cards.documents import shipping
shipping._end = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
"""
HURRIED = """
from modelward.jobs import queue
queue.RETRY_PAUSES = (__import__("datetime").timedelta(0),)
"""


def house_on(folder, listed, address, **more):
    chosen = {"MODELWARD_S3_BUCKETS": listed, "MODELWARD_S3_ENDPOINT": address}
    return aws_house(folder / "house", **buckets.ENVIRONMENT, **chosen, **more)


def delivered(house):
    return [each for each in all_events(house.native) if each["name"] == "CardDelivered"]


@pytest.mark.faults
def test_a_document_arrives_once_when_the_store_is_back(outside, listed, tmp_path):
    with door_to(outside.address) as door, house_on(tmp_path, listed, door.address) as house:
        door.is_open, before = False, door.knocks
        arn = export(house, f"s3://{listed}/cards")
        door.wait_for_a_knock(after=before)
        told = house.client("sagemaker").describe_model_card_export_job(ModelCardExportJobArn=arn)
        door.is_open = True
        done = ended(house, arn)

        assert (told["Status"], done["Status"]) == ("InProgress", "Completed"), done.get("FailureReason")
        assert [f"s3://{listed}/{key}" for key in outside.keys(listed)] == [
            done["ExportArtifacts"]["S3ExportArtifacts"]
        ]
        assert [each["detail"]["state"] for each in delivered(house)] == ["delivered"]


@pytest.mark.faults
def test_a_store_that_stays_away_fails_the_job_and_the_reason_is_told(outside, listed, tmp_path):
    with door_to(outside.address) as door, house_on(tmp_path, listed, door.address, prelude=HURRIED) as house:
        door.is_open = False
        told = ended(house, export(house, f"s3://{listed}/cards"))

        assert told["Status"] == "Failed"
        assert "could not be reached" in told["FailureReason"]
        assert "Unavailable" not in told["FailureReason"]
        assert [each["detail"]["state"] for each in delivered(house)] == ["failed"]
    assert outside.keys(listed) == []


@pytest.mark.faults
def test_a_bucket_that_was_removed_meanwhile_fails_the_job_at_once(outside, listed, tmp_path):
    with house_on(tmp_path, listed, outside.address) as house:
        outside.s3.delete_bucket(Bucket=listed)
        told = ended(house, export(house, f"s3://{listed}/cards"), seconds_max=30)

    assert (told["Status"], f"no bucket {listed}" in told["FailureReason"]) == ("Failed", True)


@pytest.mark.faults
def test_a_document_that_arrived_but_was_not_noted_is_sent_again_under_the_same_key(outside, listed, tmp_path):
    outside.s3.put_bucket_versioning(Bucket=listed, VersioningConfiguration={"Status": "Enabled"})
    with house_on(tmp_path, listed, outside.address, prelude=KILLED) as house:
        arn = export(house, f"s3://{listed}/cards")
        assert house.server.process.wait(60) == -9
        (key,) = outside.keys(listed)
    with house_on(tmp_path, listed, outside.address) as house:
        told = ended(house, arn)
        house.native.settle()

        assert (told["Status"], told["ExportArtifacts"]["S3ExportArtifacts"]) == ("Completed", f"s3://{listed}/{key}")
        assert [each["detail"]["state"] for each in delivered(house)] == ["delivered"]
    versions = outside.s3.list_object_versions(Bucket=listed)["Versions"]
    assert ({each["Key"] for each in versions}, len(versions)) == ({key}, 2)
    assert len({each["ETag"] for each in versions}) == 1


@pytest.mark.faults
def test_a_bucket_that_is_no_longer_listed_gets_nothing(outside, listed, tmp_path):
    with door_to(outside.address) as door, house_on(tmp_path, listed, door.address) as house:
        door.is_open, before = False, door.knocks
        arn = export(house, f"s3://{listed}/cards")
        door.wait_for_a_knock(after=before)
    with aws_house(tmp_path / "house") as house:
        told = ended(house, arn)

    assert (told["Status"], "no longer listed" in told["FailureReason"]) == ("Failed", True)
    assert outside.keys(listed) == []
