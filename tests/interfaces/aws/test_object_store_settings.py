"""Settings of an object store outside: what is wrong is told at the start, and clients are led where they should go."""

import os
import subprocess
import sys

import boto3
import pytest

from modelward import settings
from modelward.app import open_house
from modelward.kernel.errors import ModelwardError
from support import buckets
from support.aws import aws_house
from support.outside import Outside, door_to

SECRET = "do-not-tell-anybody-this-word"
ALLOW = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}"""


def environment_of(folder, **chosen):
    """The variables a server is told by; those of AWS and of Modelward are these and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MODELWARD_", "HTTP"))}
    places = {"HOME": str(folder), "MODELWARD_HOME": str(folder / "house"), "AWS_EC2_METADATA_DISABLED": "true"}
    told = {**kept, **places, **buckets.ENVIRONMENT, **chosen}
    return {name: value for name, value in told.items() if value is not None}


def run(folder, *arguments, **chosen):
    command = [sys.executable, "-m", "modelward.cli.main", *arguments]
    environment = environment_of(folder, **chosen)
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)


def refused(folder, outside, **chosen):
    done = run(folder, "serve", "--port", "0", **{"MODELWARD_S3_ENDPOINT": outside.address, **chosen})
    assert done.returncode == 3, (done.returncode, done.stdout, done.stderr)
    return done.stderr


CASES = {
    "a bucket that is not there": ({"MODELWARD_S3_BUCKETS": "not-there-at-all"}, "NoSuchBucket"),
    "a name that is none": ({"MODELWARD_S3_BUCKETS": "Not A Bucket"}, "is not a bucket"),
    "another mark than read": ({"MODELWARD_S3_BUCKETS": "one:write"}, "name:read"),
    "a test mode that lets everybody in": (
        {"MODELWARD_S3_BUCKETS": "one", "MODELWARD_AWS_TEST_MODE": "true"},
        "lets everybody in",
    ),
    "one bucket twice": ({"MODELWARD_S3_BUCKETS": "one,one:read"}, "listed twice"),
    "no bucket for the endpoint": ({}, "none is listed"),
    "an endpoint with a password": (
        {"MODELWARD_S3_BUCKETS": "one", "MODELWARD_S3_ENDPOINT": f"http://user:{SECRET}@127.0.0.1:1"},
        "without a path, a user or a password",
    ),
    "an endpoint that is no address": (
        {"MODELWARD_S3_BUCKETS": "one", "MODELWARD_S3_ENDPOINT": "minio"},
        "must look like https://",
    ),
    "no credentials": (
        {"MODELWARD_S3_BUCKETS": "one-bucket", "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
        "Unable to locate credentials",
    ),
    "a profile that is not there": (
        {"MODELWARD_S3_BUCKETS": "one", "AWS_PROFILE": "nobody", "AWS_ACCESS_KEY_ID": None},
        "The config profile (nobody) could not be found",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_house_with_a_wrong_setting_is_not_opened(case, outside, tmp_path, monkeypatch):
    chosen, words = CASES[case]
    environment = environment_of(tmp_path, **{"MODELWARD_S3_ENDPOINT": outside.address, **chosen})
    for name in set(os.environ) - set(environment):
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ModelwardError) as refusal:
        open_house(settings.load()).close()

    assert words in str(refusal.value)
    assert SECRET not in str(refusal.value)


def test_a_server_with_a_wrong_setting_tells_of_it_and_ends(outside, tmp_path):
    chosen, words = CASES["an endpoint with a password"]

    told = refused(tmp_path, outside, **chosen)

    assert words in told, told
    assert SECRET not in told


def test_the_bucket_of_the_blobs_themselves_is_not_listed(outside, listed, tmp_path):
    chosen = {"MODELWARD_S3_BUCKETS": listed, "MODELWARD_STORE": f"s3://{listed}/blobs"}

    assert "blobs of Modelward itself" in refused(tmp_path, outside, AWS_ENDPOINT_URL=outside.address, **chosen)


def test_wrong_credentials_are_told_at_the_start_and_no_secret_is_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("INITIAL_NO_AUTH_ACTION_COUNT", "4")
    with buckets.object_store() as address:
        strict = Outside(address)
        iam = boto3.client(
            "iam", endpoint_url=address, region_name="us-east-1", aws_access_key_id="t", aws_secret_access_key="t"
        )
        iam.create_user(UserName="server")
        key = iam.create_access_key(UserName="server")["AccessKey"]
        iam.put_user_policy(UserName="server", PolicyName="all", PolicyDocument=ALLOW)
        bucket = strict.bucket()
        right = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        chosen = {"MODELWARD_S3_BUCKETS": bucket, "MODELWARD_S3_ENDPOINT": address}
        unknown = refused(tmp_path, strict, **chosen, AWS_ACCESS_KEY_ID="AKIAUNKNOWN", AWS_SECRET_ACCESS_KEY=SECRET)
        wrong = refused(tmp_path, strict, **chosen, **{**right, "AWS_SECRET_ACCESS_KEY": SECRET})
        (tmp_path / "credentials").write_text(
            f"[minio]\naws_access_key_id = {key['AccessKeyId']}\naws_secret_access_key = {key['SecretAccessKey']}\n"
        )
        profile = {"AWS_PROFILE": "minio", "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}
        with aws_house(tmp_path / "house", **chosen, **right) as house:
            house.client("s3").put_object(Bucket=bucket, Key="by-key", Body=b"x")
            log = house.server.log()
        doctor = run(tmp_path, "doctor", **chosen, **profile, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
        bad = run(tmp_path, "doctor", **chosen, AWS_SECRET_ACCESS_KEY=SECRET)

    assert "InvalidAccessKeyId" in unknown
    assert "SignatureDoesNotMatch" in wrong
    assert "s3 buckets" in doctor.stdout
    assert f"has {bucket}." in doctor.stdout
    assert "the object store answers InvalidAccessKeyId" in bad.stdout
    shown = unknown + wrong + log + doctor.stdout + doctor.stderr + bad.stdout + bad.stderr
    assert not [word for word in (SECRET, key["SecretAccessKey"]) if word in shown]


def test_a_store_that_is_away_keeps_nobody_from_starting(outside, listed, tmp_path):
    with door_to(outside.address, open=False) as door:
        chosen = {"MODELWARD_S3_BUCKETS": listed, "MODELWARD_S3_ENDPOINT": door.address}
        with aws_house(tmp_path / "house", **buckets.ENVIRONMENT, **chosen) as house:
            assert "could not be looked at" in house.server.log()
            told = run(tmp_path, "doctor", **chosen)
            door.is_open = True
            house.client("s3").put_object(Bucket=listed, Key="x", Body=b"x")

    assert "undecided  s3 buckets" in told.stdout
    assert outside.keys(listed) == ["x"]


def test_a_bucket_here_with_objects_in_it_is_not_hidden_by_one_outside(outside, listed, tmp_path):
    with aws_house(tmp_path / "house") as house:
        house.client("s3").create_bucket(Bucket=listed)
        house.client("s3").put_object(Bucket=listed, Key="x", Body=b"x")
        house.server.stop()

    assert "with objects in it" in refused(tmp_path, outside, MODELWARD_S3_BUCKETS=listed)


def test_clients_are_led_to_the_store_itself_or_through_modelward(outside, listed, tmp_path):
    chosen = {"MODELWARD_S3_BUCKETS": f"seen-only:read,{listed}", "MODELWARD_S3_ENDPOINT": outside.address}
    outside.s3.create_bucket(Bucket="seen-only")
    with aws_house(tmp_path / "house", **buckets.ENVIRONMENT, **chosen) as house:
        direct = run(tmp_path, "aws", "connect", "--direct", **chosen)
        through = run(tmp_path, "aws", "connect", **chosen)
        at_aws = run(tmp_path, "aws", "connect", "--direct", **{**chosen, "MODELWARD_S3_ENDPOINT": None})
        own = run(tmp_path, "aws", "connect")
        url = house.url

    assert f"s3 =\n  endpoint_url = {outside.address}" in direct.stdout
    assert f"sagemaker =\n  endpoint_url = {url}" in direct.stdout
    assert "must know the key pair" in direct.stderr
    assert ("s3 =" in at_aws.stdout, f"sagemaker =\n  endpoint_url = {url}" in at_aws.stdout) == (False, True)
    assert f"endpoint_url = {url}" in through.stdout
    assert outside.address not in through.stdout + through.stderr
    assert [f"DefaultS3Bucket: {listed}" in each.stdout for each in (direct, through, at_aws, own)] == [
        True,
        True,
        True,
        False,
    ]
    assert own.stderr == ""
