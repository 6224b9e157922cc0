"""Fixtures for every room: each law about storage runs on SQLite and on PostgreSQL."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from modelward.storage.database import Database
from modelward.storage.migrations import upgrade
from modelward.storage.work import Workshop
from support import buckets
from support.databases import Databases
from support.needs import missing
from support.postgres import Postgres, binaries
from support.workshops import workshop_on

# Machines that test are busy, and a slow example is no wrong one.
settings.register_profile("modelward", deadline=None)
settings.load_profile("modelward")

DIALECTS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("MODELWARD_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for the whole session (one for each process of xdist)."""
    programs = binaries()
    if programs is None:
        missing("PostgreSQL (initdb)")
    server = Postgres(programs)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postgres_databases(postgres: Postgres) -> Databases:
    """Databases of that server that are up to date, to be lent."""
    template = postgres.new_database()
    database = Database(postgres.url(template))
    upgrade(database)
    database.close()
    return Databases(postgres, template)


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    """Both dialects, one after the other."""
    return str(request.param)


@pytest.fixture
def empty_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty database of each dialect."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'modelward.db'}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    name = postgres.new_database()
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
def database_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database of each dialect that is up to date."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'modelward.db'}"
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    with databases.lend() as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database of each dialect, up to date."""
    opened = Database(database_url)
    upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture
def workshop(database: Database, tmp_path: Path) -> Workshop:
    """A workshop on a database of each dialect."""
    return workshop_on(database, tmp_path)


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    """The address of an S3 of our own."""
    with buckets.object_store() as address:
        yield address


@pytest.fixture(scope="session")
def outside(object_store: str) -> Any:
    """That S3 as its administrator sees it: an object store outside."""
    # Only where it is used, for boto3 takes long to import.
    from support.outside import Outside

    return Outside(object_store)


@pytest.fixture
def listed(outside: Any) -> str:
    """A new bucket outside, for a house to be told of."""
    return str(outside.bucket())


@pytest.fixture
def bucket(object_store: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The address of a new bucket, as Modelward takes it, with the environment that leads there."""
    for name, value in {**buckets.ENVIRONMENT, "AWS_ENDPOINT_URL": object_store}.items():
        monkeypatch.setenv(name, value)
    name = f"bucket-{abs(hash(tmp_path))}"
    buckets.make_bucket(object_store, name)
    return f"s3://{name}/blobs"
