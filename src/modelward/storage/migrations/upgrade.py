"""Bring a database to the schema of this version."""

from pathlib import Path
from typing import cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from modelward.kernel.errors import Conflict
from modelward.storage.database import Database
from modelward.storage.migrations import whole

HEAD = "0020"


def upgrade(database: Database) -> None:
    """Run the migrations that are missing, in the writer's turn. Alembic is imported only when there is one to run.

    Raises:
        Conflict: the database was made by a newer version.
    """
    current = database.read(_current)
    if current == HEAD:
        return
    if current is not None and current > HEAD:
        raise Conflict(
            f"The database has schema {current}, this version of Modelward knows up to {HEAD}.",
            hint="Install the newer version, or restore a backup made before it.",
        )
    database.write(_make_or_run)


def _current(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return cast("str | None", connection.scalar(sa.text("SELECT version_num FROM alembic_version")))


def _make_or_run(connection: Connection) -> None:
    if whole.can_make(connection):
        whole.make(connection, HEAD)
    else:
        run(connection)


def run(connection: Connection) -> None:
    """Run the migrations that are missing."""
    from alembic import command
    from alembic.config import Config

    if _current(connection) == HEAD:
        return
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
