"""One house for the tests of a file: a server process for real clients, or one in this process for bent requests.

What asks the store much runs on SQLite and on PostgreSQL.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.config import Config

from support.aws import AwsHouse, aws_house
from support.aws_inside import Inside
from support.databases import Databases

ON_BOTH = frozenset(
    {
        "test_model_cards",
        "test_model_packages",
        "test_models_and_tags",
        "test_native_names",
        "test_objects",
        "test_once",
    }
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the houses of some files both databases, those of the others SQLite."""
    for name in ("aws", "inside"):
        if name in metafunc.fixturenames:
            both = [pytest.param("postgresql", marks=pytest.mark.postgres)]
            on = metafunc.module.__name__.rpartition(".")[2]
            metafunc.parametrize(name, ["sqlite", *(both if on in ON_BOTH else [])], indirect=True, scope="module")


@contextmanager
def _database(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield ""
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    with databases.lend() as url:
        yield url


@pytest.fixture(scope="module")
def aws(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsHouse]:
    """A running server with the AWS interface."""
    folder = tmp_path_factory.mktemp("aws") / "house"
    with _database(request) as url, aws_house(folder, **({"MODELWARD_DATABASE_URL": url} if url else {})) as house:
        yield house


@pytest.fixture(scope="module")
def sm(aws: AwsHouse) -> Any:
    """The owner's client of SageMaker, which asks again where it is told to: the very same request within a second."""
    return aws.client("sagemaker", config=Config(retries={"total_max_attempts": 4}))


@pytest.fixture(scope="module")
def inside(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """A house in this process."""
    with _database(request) as url:
        opened = Inside(tmp_path_factory.mktemp("inside") / "house", database_url=url)
        yield opened
        opened.close()
