"""`modelward key` and `modelward aws`: what a user types is all that unmodified clients need."""

import os
import subprocess
import sys

import pytest

from modelward.cli import aws_profile
from modelward.cli.aws_profile import Files, Profile
from modelward.interfaces.aws.proxy import is_known
from modelward.kernel.errors import Conflict

CLIENT = """
import boto3
session = boto3.Session()
print(session.client("sts").get_caller_identity()["Arn"])
s3 = session.client("s3")
s3.create_bucket(Bucket="by-program", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
s3.put_object(Bucket="by-program", Key="a b", Body=b"x" * 300_000)
print(len(s3.get_object(Bucket="by-program", Key="a b")["Body"].read()))
s3.delete_object(Bucket="by-program", Key="a b")
s3.delete_bucket(Bucket="by-program")
"""


@pytest.fixture
def environment(aws, tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MODELWARD_", "HTTP"))}
    return {**kept, "HOME": str(tmp_path), "MODELWARD_HOME": str(aws.server.home.folder), "PYTHONUNBUFFERED": "1"}


def run(environment, *arguments, program=None):
    command = [sys.executable, "-c", program] if program else [sys.executable, "-m", "modelward.cli.main", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def exported(text):
    pairs = (line.removeprefix("export ").partition("=") for line in text.splitlines() if line.startswith("export "))
    return {name: value.strip("'") for name, _, value in pairs}


def test_a_key_pair_is_made_listed_used_and_revoked(environment):
    made = exported(run(environment, "key", "create", "--label", "mine").stdout)
    id = made["AWS_ACCESS_KEY_ID"]

    assert id in run(environment, "key", "list").stdout
    assert made["AWS_SECRET_ACCESS_KEY"] not in run(environment, "key", "list", "--json").stdout
    assert run(environment, "key", "revoke", id).returncode == 0
    assert run(environment, "key", "revoke", "AKMWNONE").returncode == 3


def test_a_written_profile_is_all_that_a_program_needs(environment, tmp_path):
    told = run(environment, "aws", "connect", "--write", "--region", "eu-west-1")
    assert told.returncode == 0, told.stderr

    ran = run({**environment, **exported(told.stdout)}, program=CLIENT)

    assert ran.stdout.splitlines() == ["arn:aws:iam::123456789012:user/owner", "300000"], ran.stderr
    assert (tmp_path / ".aws/credentials").stat().st_mode & 0o777 == 0o600
    again = run(environment, "aws", "connect", "--write")
    assert again.returncode == 0
    assert (tmp_path / ".aws/credentials").read_text().count("aws_access_key_id") == 1


def test_what_others_wrote_into_the_files_is_never_touched(environment, tmp_path):
    (tmp_path / ".aws").mkdir()
    config = tmp_path / ".aws/config"
    config.write_text("[default]\nregion = us-west-2\n\n[profile modelward]\nregion = mine\n")

    refused = run(environment, "aws", "connect", "--write")
    taken = run(environment, "aws", "connect", "--write", "--profile", "other")

    assert refused.returncode == 3
    assert "did not write" in refused.stderr
    assert taken.returncode == 0
    assert config.read_text().startswith("[default]\nregion = us-west-2\n\n[profile modelward]\nregion = mine\n")
    assert not (tmp_path / ".aws/credentials").read_text().count("[modelward]")


def test_with_an_object_store_of_ones_own_the_profile_leads_there(tmp_path):
    files = Files.of({"HOME": str(tmp_path)}, "p")
    profile = Profile("p", "http://127.0.0.1:1", "us-east-1", "b", "k", "s", "http://minio:9000")

    aws_profile.write(files, profile)

    text = files.config.read_text()
    assert "s3 =\n  endpoint_url = http://minio:9000" in text
    assert "sagemaker =\n  endpoint_url = http://127.0.0.1:1" in text
    assert "DefaultS3Bucket: b" in files.sagemaker.read_text()
    with pytest.raises(Conflict):
        aws_profile.check_free(Files(files.config, files.credentials, files.sagemaker), "q") or _foreign(files)


def _foreign(files):
    files.credentials.write_text("[q]\naws_access_key_id = x\n")
    aws_profile.check_free(files, "q")


def test_through_the_proxy_nothing_is_set_but_the_proxy(environment, aws, tmp_path):
    command = [
        sys.executable,
        "-m",
        "modelward.cli.main",
        "aws",
        "proxy",
        "--port",
        "0",
        "--folder",
        str(tmp_path / "ca"),
    ]
    proxy = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert proxy.stdout is not None
        told = exported("".join(proxy.stdout.readline() for _ in range(5)))
        keys = {
            "AWS_ACCESS_KEY_ID": aws.key["key"]["id"],
            "AWS_SECRET_ACCESS_KEY": aws.key["secret"],
            "AWS_DEFAULT_REGION": "eu-west-1",
        }
        ran = run({**environment, **told, **keys}, program=CLIENT)
        elsewhere = run(
            {**environment, **told},
            program="import urllib.request; urllib.request.urlopen('https://example.com', timeout=10)",
        )
    finally:
        proxy.terminate()
        ended = proxy.wait(20)
        proxy.stdout.close()

    assert ran.stdout.splitlines() == ["arn:aws:iam::123456789012:user/owner", "300000"], ran.stderr
    assert "403" in elsewhere.stderr
    assert ended == 0
    assert (tmp_path / "ca/ca-key.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("api.sagemaker.us-east-1.amazonaws.com", True),
        ("sts.amazonaws.com", True),
        ("s3.amazonaws.com", True),
        ("my.bucket.s3.eu-west-1.amazonaws.com", True),
        ("bucket.s3.amazonaws.com", True),
        ("iam.amazonaws.com", True),
        ("sts.cn-north-1.amazonaws.com.cn", True),
        ("ec2.us-east-1.amazonaws.com", False),
        ("example.com", False),
        ("api.sagemaker.us-east-1.amazonaws.com.evil.example", False),
        ("evil-sts.us-east-1.amazonaws.com", False),
        ("169.254.169.254", False),
        ("localhost", False),
    ],
)
def test_the_proxy_answers_for_aws_hosts_that_are_served_and_no_others(host, known):
    assert is_known(host) is known
