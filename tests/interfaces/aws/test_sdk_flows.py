"""The real clients, unmodified and in environments of their own: the SageMaker Python SDKs and the AWS command line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.aws import REGION, AwsHouse, aws_house
from support.proxies import proxy_of
from support.sdk_environments import python_of

FLOWS = Path(__file__).with_name("flows")
FLOW_SECONDS_MAX = 600
ROLE = "arn:aws:iam::123456789012:role/gov"
DATA = "s3://governance/out/credit-train-1/output/model.tar.gz"
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
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "policy.toml").write_text(POLICY)
    with aws_house(tmp_path / "home") as made:
        made.first, made.second = made.key_of("dana", "data-scientist"), made.key_of("rita", "risk-manager")
        storage = made.client("s3")
        storage.create_bucket(Bucket="governance")
        storage.put_object(Bucket="governance", Key="out/credit-train-1/output/model.tar.gz", Body=b"the model")
        facts = {"image": "xgb:1", "metrics": {"validation:auc": 0.81}, "hyperparameters": {"depth": "4"}, "role": ROLE}
        made.native.trainings.record("credit-train-1", artifact_uri=DATA, **facts)
        container = {"Image": "xgb:1", "ModelDataUrl": DATA}
        made.client("sagemaker").create_model(
            ModelName="credit-model", PrimaryContainer=container, ExecutionRoleArn=ROLE
        )
        yield made


def environment_of(house: AwsHouse, folder: Path, **reached: str) -> dict[str, str]:
    """The environment of a client: the keys of two people, and how the server is reached."""
    (folder / "sdk.yaml").write_text(SETTINGS)
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(("AWS_", "MODELWARD_"))}
    return {
        **kept,
        "AWS_ACCESS_KEY_ID": house.first["key"]["id"],
        "AWS_SECRET_ACCESS_KEY": house.first["secret"],
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


CASES = [
    ("sagemaker-2", "cards_by_sdk_2"),
    ("sagemaker-2", "packages_by_sdk_2"),
    ("sagemaker-3", "cards_by_sdk_3"),
]


@pytest.mark.clients
@pytest.mark.parametrize(("client", "flow"), CASES)
def test_a_tutorial_runs_with_an_endpoint_address_and_no_other_change(house, tmp_path, client, flow):
    run(client, flow, environment_of(house, tmp_path, AWS_ENDPOINT_URL=house.url), tmp_path)


@pytest.mark.clients
@pytest.mark.parametrize(("client", "flow"), CASES)
def test_a_tutorial_runs_through_the_proxy_with_no_address_at_all(house, tmp_path, client, flow):
    with proxy_of(house.url, tmp_path / "proxy") as reached:
        run(client, flow, environment_of(house, tmp_path, **reached), tmp_path)


@pytest.mark.clients
def test_the_command_line_of_aws_does_the_same_resources(house, tmp_path):
    environment = environment_of(house, tmp_path, AWS_ENDPOINT_URL=house.url)
    command = [sys.executable, str(FLOWS / "by_command_line.py"), str(python_of("awscli").with_name("aws")), house.url]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
