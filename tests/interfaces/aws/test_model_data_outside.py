"""Model data in a listed bucket outside: read when a package is registered, or later where that takes long or fails."""

import hashlib
import time

from support import buckets
from support.aws import aws_house
from support.outside import door_to

GROUP = "credit"
# What is larger than ten bytes counts as large here.
SMALL = """
from modelward.interfaces.aws import package_facts
package_facts.OUTSIDE_BYTES_MAX = 10
"""


def house_on(folder, listed, address, **more):
    chosen = {"MODELWARD_S3_BUCKETS": f"{listed}:read", "MODELWARD_S3_ENDPOINT": address}
    return aws_house(folder / "house", **buckets.ENVIRONMENT, **chosen, **more)


def register(house, address, key=None):
    client = house.client("sagemaker", key)
    if GROUP not in str(client.list_model_package_groups()):
        client.create_model_package_group(ModelPackageGroupName=GROUP)
    containers = [{"Image": "xgb:1", "ModelDataUrl": address}]
    client.create_model_package(
        ModelPackageGroupName=GROUP,
        InferenceSpecification={
            "Containers": containers,
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )


def artifact_of(house, number=1):
    return house.native.versions.get(f"{GROUP}@{number}")["artifact"]


def waited(house, number=1, seconds_max=30):
    until = time.monotonic() + seconds_max
    while artifact_of(house, number) is None and time.monotonic() < until:
        time.sleep(0.1)
    return artifact_of(house, number)


def digest_of(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_a_package_whose_data_lie_in_a_listed_bucket_has_their_digest_and_keeps_the_bytes(outside, listed, tmp_path):
    address = outside.put(listed, "out//model.tar.gz", b"the model")
    with house_on(tmp_path, listed, outside.address) as house:
        register(house, address)
        outside.put(listed, "out//model.tar.gz", b"another one")

        assert artifact_of(house) == digest_of(b"the model")
        assert house.native.artifacts.read(artifact_of(house)) == b"the model"


def test_large_data_are_read_by_a_job_and_the_review_then_knows_of_them(outside, listed, tmp_path):
    data = b"0123456789" * 3
    with house_on(tmp_path, listed, outside.address, prelude=SMALL) as house:
        register(house, outside.put(listed, "large", data))

        assert waited(house) == digest_of(data)
        house.native.settle()
        (review,) = house.native.reviews.list()
        checks = {each["check"]: each["outcome"] for each in house.native.reviews.get(review["id"])["checks"]}
        assert checks["artifact-stored"] == "passed"


def test_data_that_cannot_be_reached_are_read_when_the_store_is_back(outside, listed, tmp_path):
    address = outside.put(listed, "model", b"the model")
    with door_to(outside.address) as door, house_on(tmp_path, listed, door.address) as house:
        door.is_open = False
        register(house, address)
        assert artifact_of(house) is None
        door.is_open = True

        assert waited(house) == digest_of(b"the model")


def test_data_in_a_bucket_that_is_not_listed_are_not_read(outside, listed, tmp_path):
    foreign = outside.put(outside.bucket(), "model", b"the model")
    with house_on(tmp_path, listed, outside.address) as house:
        register(house, foreign)
        register(house, f"s3://{listed}/nothing")
        house.native.settle()

        assert (artifact_of(house), artifact_of(house, 2)) == (None, None)


def test_data_that_came_here_in_parts_have_one_digest(outside, listed, tmp_path):
    data = b"0123456789" * 1_300_000
    file = tmp_path / "model"
    file.write_bytes(data)
    with house_on(tmp_path, listed, outside.address) as house:
        s3 = house.client("s3")
        s3.create_bucket(Bucket="own-drawer")
        s3.upload_file(str(file), "own-drawer", "model")
        register(house, "s3://own-drawer/model")

        assert artifact_of(house) == digest_of(data)
