"""The real clients, unmodified and in environments of their own: the SageMaker Python SDKs and the AWS command line."""

import hashlib
import io
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from pypdf import PdfReader

from support import buckets
from support.aws import REGION, AwsHouse, aws_house
from support.proxies import proxy_of
from support.sdk_environments import python_of
from support.traffic import all_events

FLOWS = Path(__file__).with_name("flows")
FLOW_SECONDS_MAX = 600
ROLE = "arn:aws:iam::123456789012:role/gov"
DATA_KEY = "out/credit-train-1/output/model.tar.gz"
DATA = f"s3://governance/{DATA_KEY}"
POLICY = """
name = "of the tutorials"
four_eyes = true
approvers = ["owner", "risk-manager"]
[[checks]]
check = "artifact-stored"
[[checks]]
check = "card-exists"
"""
SETTINGS = """SchemaVersion: '1.0'
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
"""


@pytest.fixture
def house(tmp_path):
    """A server with what the tutorials find there: a bucket, a recorded training run and a model."""
    with tutorial_house(tmp_path / "home") as made:
        made.client("s3").create_bucket(Bucket="governance")
        made.client("s3").put_object(Bucket="governance", Key=DATA_KEY, Body=b"the model")
        yield made


@contextmanager
def tutorial_house(folder, **environment):
    """A server where two people, a training run and a model are known."""
    folder.mkdir()
    (folder / "policy.toml").write_text(POLICY)
    with aws_house(folder, **environment) as made:
        made.first, made.second = made.key_of("dana", "data-scientist"), made.key_of("rita", "risk-manager")
        facts = {"image": "xgb:1", "metrics": {"validation:auc": 0.81}, "hyperparameters": {"depth": "4"}, "role": ROLE}
        made.native.trainings.record("credit-train-1", artifact_uri=DATA, **facts)
        container = {"Image": "xgb:1", "ModelDataUrl": DATA}
        made.client("sagemaker").create_model(
            ModelName="credit-model", PrimaryContainer=container, ExecutionRoleArn=ROLE
        )
        yield made


@pytest.fixture
def store(outside):
    """A real S3 outside, which has the bucket of the tutorials."""
    outside.s3.create_bucket(Bucket="governance")
    outside.put("governance", DATA_KEY, b"the model")
    yield outside
    for key in outside.keys("governance"):
        outside.s3.delete_object(Bucket="governance", Key=key)
    outside.s3.delete_bucket(Bucket="governance")


@pytest.fixture
def leaning_house(tmp_path, store):
    """A server that keeps the tutorials' bucket nowhere itself, and may use that of the S3 outside."""
    chosen = {"MODELWARD_S3_BUCKETS": "governance", "MODELWARD_S3_ENDPOINT": store.address}
    with tutorial_house(tmp_path / "home", **buckets.ENVIRONMENT, **chosen) as made:
        yield made


def environment_of(house: AwsHouse, folder: Path, **reached: str) -> dict[str, str]:
    """The environment of a client: the keys of two people, and how the server is reached."""
    (folder / "sdk.yaml").write_text(SETTINGS)
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(("AWS_", "MODELWARD_"))}
    return {
        **kept,
        "AWS_ACCESS_KEY_ID": house.first["key"]["id"],
        "AWS_SECRET_ACCESS_KEY": house.first["secret"],
        "OWNER_KEY_ID": house.key["key"]["id"],
        "OWNER_KEY_SECRET": house.key["secret"],
        "SECOND_KEY_ID": house.second["key"]["id"],
        "SECOND_KEY_SECRET": house.second["secret"],
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(folder / "sdk.yaml"),
        "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
        **reached,
    }


def run(client: str, flow: str, environment: dict[str, str], folder: Path) -> None:
    """Run a flow in the environment of a client."""
    command = [str(python_of(client)), str(FLOWS / f"{flow}.py"), str(folder)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=FLOW_SECONDS_MAX, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    assert "done" in done.stdout


# A run takes ten seconds of import alone, so each tutorial runs once by an address and once through the proxy; those that
# use the bucket do so once with it in Modelward and once with it in a store outside.
CARDS_2, PACKAGES_2 = ("sagemaker-2", "cards_by_sdk_2"), ("sagemaker-2", "packages_by_sdk_2")
CARDS_3, PACKAGES_3 = ("sagemaker-3", "cards_by_sdk_3"), ("sagemaker-3", "packages_by_sdk_3")


@pytest.mark.clients
@pytest.mark.parametrize(("client", "flow"), [CARDS_2, PACKAGES_3])
def test_a_tutorial_runs_with_an_endpoint_address_and_no_other_change(house, tmp_path, client, flow):
    run(client, flow, environment_of(house, tmp_path, AWS_ENDPOINT_URL=house.url), tmp_path)


@pytest.mark.clients
@pytest.mark.parametrize(("client", "flow"), [PACKAGES_2, CARDS_3, PACKAGES_3])
def test_a_tutorial_runs_through_the_proxy_with_no_address_at_all(house, tmp_path, client, flow):
    with proxy_of(house.url, tmp_path / "proxy") as reached:
        run(client, flow, environment_of(house, tmp_path, **reached), tmp_path)


@pytest.mark.clients
@pytest.mark.parametrize(
    ("client", "flow", "way"), [(*PACKAGES_2, "through modelward"), (*CARDS_3, "to the store itself")]
)
def test_a_tutorial_runs_with_its_bucket_in_a_real_object_store(leaning_house, store, tmp_path, client, flow, way):
    itself = {"AWS_ENDPOINT_URL_S3": store.address} if way == "to the store itself" else {}
    run(client, flow, environment_of(leaning_house, tmp_path, AWS_ENDPOINT_URL=leaning_house.url, **itself), tmp_path)

    check_outside(leaning_house, store, flow)


@pytest.mark.clients
def test_a_tutorial_runs_through_the_proxy_with_its_bucket_in_a_real_object_store(leaning_house, store, tmp_path):
    client, flow = CARDS_2
    with proxy_of(leaning_house.url, tmp_path / "proxy") as reached:
        run(client, flow, environment_of(leaning_house, tmp_path, **reached), tmp_path)

    check_outside(leaning_house, store, flow)


def check_outside(house, store, flow):
    """What the tutorial leaves is in the store outside: its document opens, its version has the digest of the data."""
    written = [key for key in store.keys("governance") if key.endswith(".pdf")]
    if flow.startswith("cards"):
        (key,) = written
        read = PdfReader(io.BytesIO(store.read("governance", key)))
        assert len(read.pages) >= 1
        assert key.startswith("cards/")
    if flow == "packages_by_sdk_2":
        version = house.native.versions.get("credit-group@1")
        assert version["artifact"] == "sha256:" + hashlib.sha256(b"the model").hexdigest()
    assert not [each for each in all_events(house.native) if each["name"] == "ObjectStored"]


@pytest.mark.clients
def test_the_command_line_of_aws_does_the_same_resources(house, tmp_path):
    environment = environment_of(house, tmp_path, AWS_ENDPOINT_URL=house.url)
    command = [sys.executable, str(FLOWS / "by_command_line.py"), str(python_of("awscli").with_name("aws")), house.url]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
