"""One house for the tests of a file: a server process for real clients, or one in this process for bent requests."""

from collections.abc import Iterator

import pytest

from support.aws import AwsHouse, aws_house
from support.aws_inside import Inside


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsHouse]:
    """A running server with the AWS interface."""
    with aws_house(tmp_path_factory.mktemp("aws") / "house") as house:
        yield house


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """A house in this process."""
    opened = Inside(tmp_path_factory.mktemp("inside") / "house")
    yield opened
    opened.close()
