"""Up-to-date databases of a PostgreSQL, lent to one test after another.

A test finds its database as if it were new: empty, of the schema of the template, under a name that nobody had before,
with nobody else connected. Cleaning one costs a tenth of what making and dropping one costs.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from support.postgres import Postgres

GONE_MILLISECONDS_MAX = 10_000
# What a test leaves behind larger than this is dropped with its database: a cleaned table stays as large as it was.
TABLE_BYTES_MAX = 1 << 20
SCHEMA = """
SELECT md5(string_agg(part, E'\\n' ORDER BY part)) FROM (
    SELECT concat_ws(' ', 'class', relname, relkind) FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', 'column', relname, attname, atttypid, attnotnull, attisdropped)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', 'trigger', relname, tgname, tgenabled)
        FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal
    UNION ALL SELECT concat_ws(' ', 'constraint', conname, convalidated, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', 'function', proname, prosrc)
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', 'schema', version_num) FROM alembic_version
) AS parts(part)
"""
LARGEST = "SELECT max(pg_table_size(oid)) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
# Triggers that guard what is only ever added to do not act for a replica.
EMPTY = """
SET session_replication_role = replica;
DO $$ DECLARE each text; BEGIN
    FOR each IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM %I', each);
    END LOOP;
    PERFORM setval(format('%I', sequencename)::regclass, start_value, false)
        FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL;
END $$;
"""


class Databases:
    """The databases of a server that are alike: each made as a copy of a template, in which only the schema stands."""

    def __init__(self, server: Postgres, template: str) -> None:
        self._server, self._template = server, template
        self._schema = server.run(SCHEMA, database=template)
        self._clean: list[str] = []
        self._lent = 0

    @contextmanager
    def lend(self) -> Iterator[str]:
        """The address of a database, for a while."""
        self._lent += 1
        name = f"lent_{self._lent}"
        if self._clean:
            self._server.run(f"ALTER DATABASE {self._clean.pop()} RENAME TO {name}")
        else:
            self._server.run(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        try:
            yield self._server.url(name)
        finally:
            if self._cleaned(name):
                self._clean.append(name)
            else:
                self._server.drop_database(name)

    def _cleaned(self, name: str) -> bool:
        with psycopg.connect(self._server.url(name), autocommit=True, connect_timeout=5) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
                (GONE_MILLISECONDS_MAX, name),
            )
            (largest,) = connection.execute(LARGEST).fetchone() or (0,)
            if connection.execute(SCHEMA).fetchall() != self._schema or largest > TABLE_BYTES_MAX:
                return False
            connection.execute(EMPTY)
            return True
