"""A real S3 outside with buckets of its own, as its administrator sees it; and a door before it that can be shut."""

import contextlib
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from support.aws import AwsHouse

READ_BYTES = 1 << 16


class Outside:
    """An S3 outside."""

    def __init__(self, address: str) -> None:
        self.address = address
        config = Config(s3={"addressing_style": "path"})
        credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        self.s3: Any = boto3.client("s3", endpoint_url=address, config=config, **credentials)

    def bucket(self) -> str:
        """Make a bucket."""
        name = f"b-{uuid.uuid4().hex[:20]}"
        self.s3.create_bucket(Bucket=name)
        return name

    def put(self, bucket: str, key: str, body: bytes) -> str:
        """Store an object; returns its address."""
        self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        return f"s3://{bucket}/{key}"

    def keys(self, bucket: str) -> list[str]:
        """The keys of a bucket."""
        return [each["Key"] for each in self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def read(self, bucket: str, key: str) -> bytes:
        """The bytes of an object."""
        return bytes(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())


class Door:
    """A port that leads to another address while it is open, and hangs up while it is shut."""

    def __init__(self, address: str, *, open: bool = True) -> None:
        self._target, self.is_open = urlsplit(address), open
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.knocks = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                visitor, _ = self._listening.accept()
                self.knocks += 1
                if self.is_open:
                    threading.Thread(target=self._lead, args=(visitor,), daemon=True).start()
                else:
                    visitor.close()

    def _lead(self, visitor: socket.socket) -> None:
        assert self._target.hostname is not None
        with visitor, socket.create_connection((self._target.hostname, self._target.port or 80)) as host:
            back = threading.Thread(target=_pass, args=(host, visitor), daemon=True)
            back.start()
            _pass(visitor, host)
            back.join()

    def wait_for_a_knock(self, *, after: int) -> None:
        """Wait until there were more knocks than some, at most half a minute."""
        until = time.monotonic() + 30
        while self.knocks <= after and time.monotonic() < until:
            time.sleep(0.05)

    def close(self) -> None:
        """Take the door away."""
        self._listening.close()


def _pass(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := one.recv(READ_BYTES):
            other.sendall(piece)
        other.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def door_to(address: str, *, open: bool = True) -> Iterator[Door]:
    """A door for a while."""
    door = Door(address, open=open)
    try:
        yield door
    finally:
        door.close()


def export(house: AwsHouse, place: str, *, card: str = "fraud", name: str = "first", key: Any = None) -> str:
    """Ask for a card, made if need be, as a PDF in a bucket; returns the ARN of the job."""
    with contextlib.suppress(ClientError):
        house.client("sagemaker").create_model_card(ModelCardName=card, Content="{}", ModelCardStatus="Draft")
    told = house.client("sagemaker", key).create_model_card_export_job(
        ModelCardName=card, ModelCardExportJobName=name, OutputConfig={"S3OutputPath": place}
    )
    return str(told["ModelCardExportJobArn"])


def ended(house: AwsHouse, arn: str, *, seconds_max: float = 90) -> dict[str, Any]:
    """What is told of an export job once it has ended."""
    until = time.monotonic() + seconds_max
    while time.monotonic() < until:
        told: dict[str, Any] = house.client("sagemaker").describe_model_card_export_job(ModelCardExportJobArn=arn)
        if told["Status"] != "InProgress":
            return told
        time.sleep(0.1)
    raise AssertionError(f"{arn} has not ended.")
