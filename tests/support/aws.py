"""A real server with the AWS interface, and unmodified AWS clients that hold a key pair for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from support.servers import Server

REGION = "us-east-1"


class AwsHouse:
    """A running server and the key pair of its owner."""

    def __init__(self, server: Server) -> None:
        self.server, self.url = server, server.url
        self.native = server.client()
        self.key = self.native.people.make_key("owner")

    def session(self, key: Any = None) -> boto3.Session:
        """A session with a key pair; the owner's unless another is given."""
        used = key or self.key
        return boto3.Session(
            aws_access_key_id=used["key"]["id"], aws_secret_access_key=used["secret"], region_name=REGION
        )

    def client(self, service: str, key: Any = None, **options: Any) -> Any:
        """A client of boto3. It does not repeat what failed, so that a test sees each answer."""
        config = Config(retries={"total_max_attempts": 1}).merge(options.pop("config", Config()))
        return self.session(key).client(service, endpoint_url=self.url, config=config, **options)

    def key_of(self, person: str, persona: str) -> Any:
        """Let somebody in, and return a key pair of theirs."""
        self.native.people.add(person, persona=persona)
        return self.native.people.make_key(person)


def refused(code: str, call: Callable[..., Any], **request: Any) -> str:
    """Send a request that must be refused with an error code, and return the message."""
    with pytest.raises(ClientError) as problem:
        call(**request)
    error = problem.value.response["Error"]
    assert error["Code"] == code, error
    return str(error["Message"])


@contextmanager
def aws_house(folder: Path, *options: str, **environment: str) -> Iterator[AwsHouse]:
    """Run a server on a folder for a while."""
    with Server(folder, *options, **environment) as server:
        house = AwsHouse(server)
        try:
            yield house
        finally:
            house.native.close()
