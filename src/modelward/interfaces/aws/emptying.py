"""Emptying the account, in test mode only: everything but who has access and what the event log says."""

import sqlalchemy as sa

from modelward.governance.access.permissions import Permission, require
from modelward.interfaces.aws.keys import TESTER
from modelward.kernel.events import Happening
from modelward.storage.work import Work, Workshop

KEPT = frozenset(
    {"alembic_version", "card_deletion", "card_template", "event", "key_pair", "person", "policy", "session", "token"}
)


_FOLLOW = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%content = %'"


class AccountEmptied(Happening, frozen=True, kw_only=True):
    """Everything in the account was removed, as tests of clients do between each other; in test mode only."""

    account: str


def empty_account(workshop: Workshop) -> None:
    """Remove all rows that a test can have made. What the event log says stays."""
    workshop.write(TESTER, _empty)


def _empty(work: Work) -> None:
    require(work, Permission.ACCESS_MANAGE)
    connection = work.connection
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        # Versions of a card may go only when its removal is written down.
        connection.exec_driver_sql("INSERT OR IGNORE INTO card_deletion SELECT DISTINCT card FROM card_version")
    names = [name for name in sorted(sa.inspect(connection.engine).get_table_names()) if not _stays(name)]
    if connection.dialect.name == "sqlite":
        # An index over a table of ours is emptied by that table's triggers.
        follow = set(connection.exec_driver_sql(_FOLLOW).scalars())
        names = [name for name in names if name not in follow]
    if connection.dialect.name == "sqlite":
        for name in names:
            work.execute(sa.delete(sa.table(name)))
        connection.exec_driver_sql("DELETE FROM card_deletion")
    else:
        quoted = ", ".join(f'"{name}"' for name in names)
        connection.exec_driver_sql(f"TRUNCATE {quoted}")
    work.record(AccountEmptied(account="all"))


def _stays(name: str) -> bool:
    # The tables behind a full-text index follow the table that they index.
    return name in KEPT or "_search_" in name
