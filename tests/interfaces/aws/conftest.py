"""One house for the tests of a file: a server process for real clients, or one in this process for bent requests.

What asks the store much runs on SQLite and on PostgreSQL.
"""

from collections.abc import Iterator

import pytest

from support.aws import AwsHouse, aws_house
from support.aws_inside import Inside
from support.postgres import Postgres

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


def _database(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return ""
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.url(postgres.new_database(request.getfixturevalue("postgres_template")))


@pytest.fixture(scope="module")
def aws(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsHouse]:
    """A running server with the AWS interface."""
    url, folder = _database(request), tmp_path_factory.mktemp("aws") / "house"
    with aws_house(folder, **({"MODELWARD_DATABASE_URL": url} if url else {})) as house:
        yield house


@pytest.fixture(scope="module")
def inside(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """A house in this process."""
    opened = Inside(tmp_path_factory.mktemp("inside") / "house", database_url=_database(request))
    yield opened
    opened.close()
