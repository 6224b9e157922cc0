"""A workshop on a real database of each dialect, with a clock that the test sets."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from modelward.storage.blobs import FolderBlobs
from modelward.storage.database import Database
from modelward.storage.migrations import upgrade
from modelward.storage.work import Workshop

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def workshop(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Workshop]:
    """One for all examples of a module: each takes an endpoint of its own."""
    folder: Path = tmp_path_factory.mktemp("house")
    with contextlib.ExitStack() as opened:
        if request.param == "sqlite":
            database = Database.in_folder(folder)
        else:
            database = Database(opened.enter_context(request.getfixturevalue("postgres_databases").lend()))
        opened.callback(database.close)
        upgrade(database)
        yield Workshop(database=database, blobs=FolderBlobs(folder / "blobs"), clock=Hands())
