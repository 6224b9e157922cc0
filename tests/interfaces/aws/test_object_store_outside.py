"""With buckets of another S3 listed: documents are delivered there, objects pass through, and no other bucket is touched."""

import urllib.request

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from support import buckets
from support.aws import aws_house
from support.outside import ended, export
from support.traffic import all_events


@pytest.fixture(scope="module")
def listed(outside):
    return outside.bucket()


@pytest.fixture(scope="module")
def to_read(outside):
    return outside.bucket()


@pytest.fixture(scope="module")
def foreign(outside):
    """A bucket that the server's credentials open too, and that nobody has listed."""
    name = outside.bucket()
    outside.put(name, "secret", b"not for you")
    return name


@pytest.fixture(scope="module")
def house(outside, listed, to_read, foreign, tmp_path_factory):
    """A server that may use one bucket of the S3 outside, and read another."""
    chosen = {"MODELWARD_S3_BUCKETS": f"{listed}, {to_read}:read", "MODELWARD_S3_ENDPOINT": outside.address}
    with aws_house(tmp_path_factory.mktemp("outside") / "house", **buckets.ENVIRONMENT, **chosen) as made:
        yield made


def said(act, *words):
    with pytest.raises(ClientError) as refused:
        act()
    for word in words:
        assert word in str(refused.value), refused.value
    return refused.value.response["Error"]["Code"]


def test_an_exported_document_lies_in_the_listed_bucket_outside(house, outside, listed):
    told = ended(house, export(house, f"s3://{listed}/cards//2026/"))

    assert told["Status"] == "Completed", told.get("FailureReason")
    bucket, _, key = told["ExportArtifacts"]["S3ExportArtifacts"].removeprefix("s3://").partition("/")
    assert (bucket, outside.keys(listed)) == (listed, [key])
    assert key.startswith("cards//2026/fraud/1/")
    assert outside.read(listed, key).startswith(b"%PDF-")
    assert outside.s3.head_object(Bucket=listed, Key=key)["ContentType"] == "application/pdf"
    outside.s3.delete_object(Bucket=listed, Key=key)


def test_a_document_goes_into_no_bucket_that_is_not_listed_for_writing(house, outside, foreign, to_read, listed):
    before = outside.keys(foreign)

    assert said(lambda: export(house, f"s3://{foreign}/x"), foreign, "not listed") == "ValidationException"
    assert said(lambda: export(house, f"s3://{to_read}/x"), "for reading only") == "AccessDeniedException"
    assert said(lambda: export(house, f"s3://{listed}/../{foreign}"), "..") == "ValidationException"
    assert said(lambda: export(house, f"s3://{listed}/{'ü' * 500}"), "1024 bytes") == "ValidationException"
    assert (outside.keys(foreign), outside.keys(to_read)) == (before, [])


def test_a_document_still_goes_into_a_bucket_of_modelwards_own(house):
    house.client("s3").create_bucket(Bucket="own-drawer")

    told = ended(house, export(house, "s3://own-drawer/cards", name="own"))

    bucket, _, key = told["ExportArtifacts"]["S3ExportArtifacts"].removeprefix("s3://").partition("/")
    assert house.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().startswith(b"%PDF-")


def test_who_may_not_write_objects_writes_none_outside_either(house, outside, listed):
    key = house.key_of("vera", "auditor")
    s3, before = house.client("s3", key), outside.keys(listed)

    assert said(lambda: s3.put_object(Bucket=listed, Key="x", Body=b"x")) == "AccessDenied"
    assert said(lambda: s3.delete_object(Bucket=listed, Key="x")) == "AccessDenied"
    assert said(lambda: export(house, f"s3://{listed}/x", name="by-vera", key=key)) == "AccessDeniedException"
    assert outside.keys(listed) == before


def test_with_one_key_pair_a_client_uses_the_listed_bucket_through_modelward(house, outside, listed, tmp_path):
    s3 = house.client("s3")
    large = tmp_path / "large"
    large.write_bytes(b"0123456789" * 1_300_000)

    s3.put_object(Bucket=listed, Key="a//b c+ü", Body=b"hello", Metadata={"who": "me"}, ContentType="text/x")
    s3.upload_file(str(large), listed, "in/parts")
    s3.copy_object(Bucket=listed, Key="copied", CopySource={"Bucket": listed, "Key": "a//b c+ü"})

    assert outside.read(listed, "a//b c+ü") == b"hello"
    assert outside.read(listed, "in/parts") == large.read_bytes()
    assert sorted(outside.keys(listed)) == ["a//b c+ü", "copied", "in/parts"]
    found = s3.get_object(Bucket=listed, Key="a//b c+ü")
    assert (found["Body"].read(), found["ContentType"], found["Metadata"]) == (b"hello", "text/x", {"who": "me"})
    assert s3.get_object(Bucket=listed, Key="in/parts", Range="bytes=10-19")["Body"].read() == b"0123456789"
    assert s3.head_object(Bucket=listed, Key="in/parts")["ContentLength"] == 13_000_000
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=listed, Prefix="in/")["Contents"]] == ["in/parts"]
    signing = house.client("s3", config=Config(signature_version="s3v4"))
    address = signing.generate_presigned_url("get_object", Params={"Bucket": listed, "Key": "copied"})
    with urllib.request.urlopen(address, timeout=10) as answer:
        assert answer.read() == b"hello"
        assert answer.headers["access-control-allow-origin"] is None
        assert "sandbox" in answer.headers["content-security-policy"]
    told = s3.delete_objects(Bucket=listed, Delete={"Objects": [{"Key": "copied"}, {"Key": "in/parts"}]})
    assert len(told["Deleted"]) == 2
    s3.delete_object(Bucket=listed, Key="a//b c+ü")
    assert outside.keys(listed) == []
    operations = [
        each["detail"]["operation"] for each in all_events(house.native) if each["name"] == "ObjectsChangedOutside"
    ]
    assert operations == ["PutObject", "CompleteMultipartUpload", "CopyObject", "DeleteObjects", "DeleteObject"]


def test_a_listed_bucket_answers_as_a_bucket_does(house, listed):
    s3 = house.client("s3")

    assert listed in [each["Name"] for each in s3.list_buckets()["Buckets"]]
    s3.head_bucket(Bucket=listed)
    assert said(lambda: s3.create_bucket(Bucket=listed)) == "BucketAlreadyOwnedByYou"
    assert said(lambda: s3.delete_bucket(Bucket=listed)) == "AccessDenied"
    assert said(lambda: s3.get_object(Bucket=listed, Key="nothing")) == "NoSuchKey"
    assert said(lambda: s3.head_object(Bucket=listed, Key="nothing")) == "404"
    assert said(lambda: s3.get_bucket_policy(Bucket=listed)) == "NotImplemented"


def test_the_servers_credentials_open_no_bucket_that_is_not_listed(house, outside, listed, foreign, to_read):
    s3 = house.client("s3")
    source = {"Bucket": foreign, "Key": "secret"}
    acts = {
        "NoSuchBucket": [
            lambda: s3.get_object(Bucket=foreign, Key="secret"),
            lambda: s3.put_object(Bucket=foreign, Key="mine", Body=b"x"),
            lambda: s3.list_objects_v2(Bucket=foreign),
        ],
        "NotImplemented": [
            lambda: s3.copy_object(Bucket=listed, Key="taken", CopySource=source),
            lambda: s3.copy_object(Bucket=listed, Key="taken", CopySource=f"/{foreign}/secret?versionId=1"),
        ],
        "AccessDenied": [
            lambda: s3.put_object(Bucket=to_read, Key="x", Body=b"x"),
            lambda: s3.delete_object(Bucket=to_read, Key="x"),
            lambda: s3.put_object(Bucket=listed, Key="open", Body=b"x", ACL="public-read"),
            lambda: s3.put_object(Bucket=listed, Key="open", Body=b"x", GrantRead="uri=http://acs.amazonaws.com/all"),
        ],
        "InvalidArgument": [
            lambda: s3.copy_object(Bucket=listed, Key="taken", CopySource=f"%2F{foreign}%2Fsecret"),
            lambda: s3.copy_object(Bucket=listed, Key="taken", CopySource=f"{listed}/../{foreign}/secret"),
            lambda: s3.put_object(Bucket=listed, Key=f"../{foreign}/mine", Body=b"x"),
            lambda: s3.get_object(Bucket=listed, Key=f"../{foreign}/secret"),
        ],
    }

    for code, tried in acts.items():
        assert [said(act) for act in tried] == [code] * len(tried)
    assert (outside.keys(foreign), outside.keys(listed), outside.keys(to_read)) == (["secret"], [], [])
