"""The schema: what the migrations make is what the tables say, on both dialects."""

import importlib
import pkgutil
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import modelward
from modelward.kernel.errors import Conflict
from modelward.storage.database import Database
from modelward.storage.migrations import HEAD, upgrade, whole
from modelward.storage.migrations.upgrade import run


def scripts():
    config = Config()
    config.set_main_option("script_location", str(Path(upgrade.__code__.co_filename).parent))
    return ScriptDirectory.from_config(config)


def declared_tables():
    """Every table that any module of Modelward declares, in one place."""
    whole = sa.MetaData()
    for found in pkgutil.walk_packages(modelward.__path__, "modelward."):
        if ".migrations" in found.name or not found.name.startswith(
            ("modelward.storage", "modelward.jobs", "modelward.governance")
        ):
            continue
        own = vars(importlib.import_module(found.name)).get("metadata")
        if isinstance(own, sa.MetaData):
            for table in own.sorted_tables:
                table.to_metadata(whole)
    return whole


def test_the_head_that_the_code_names_is_the_last_script():
    assert scripts().get_heads() == [HEAD]


def contents(database):
    """All tables with all their rows."""

    def read(connection):
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        return {name: [tuple(row) for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"')] for name in names}

    return database.read(read)


def test_a_new_database_is_what_all_the_migrations_make_of_an_empty_one(tmp_path):
    at_once, one_by_one = Database(f"sqlite:///{tmp_path}/a.db"), Database(f"sqlite:///{tmp_path}/b.db")

    upgrade(at_once)
    one_by_one.write(run)

    assert at_once.read(whole.told) == one_by_one.read(whole.told) == whole.SCRIPT.read_text(), "Run `make schema`."
    assert contents(at_once) == contents(one_by_one)
    at_once.close()
    one_by_one.close()


def test_a_database_that_has_something_is_migrated_and_not_made_anew(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/a.db")
    database.write(lambda connection: connection.exec_driver_sql("CREATE TABLE mine (x)"))

    assert not database.read(whole.can_make)
    upgrade(database)

    assert {"mine", "event"} <= set(contents(database))
    database.close()


def test_the_scripts_are_one_line_in_the_order_of_their_numbers():
    in_order = [each.revision for each in scripts().walk_revisions()][::-1]

    assert in_order == [f"{number:04}" for number in range(1, len(in_order) + 1)]


def test_the_migrated_schema_is_the_one_that_the_stores_declare(database):
    whole = declared_tables()
    context_options = {"compare_type": True, "compare_server_default": True}

    def differences(connection):
        context = MigrationContext.configure(connection, opts=context_options)
        return [each for each in compare_metadata(context, whole) if not _is_beyond_the_stores(each, whole)]

    assert {"event", "job", "model", "person"} <= set(whole.tables)
    assert database.read(differences) == []


def _is_beyond_the_stores(difference, whole):
    # Capabilities do not know each other, so only the migrations can say that a row of one points at a row of another;
    # and an index, that of letter triples with its tables among them, is there for speed, so a store need not name it.
    kind, what = difference[0], difference[1]
    if kind in ("remove_table", "remove_index"):
        return (
            kind == "remove_index"
            or what.name == "alembic_version"
            or what.name.startswith(("model_search", "card_search"))
        )
    return kind == "remove_fk" and all(
        element.target_fullname.split(".")[0] in whole.tables for element in what.elements
    )


def test_primary_keys_are_those_that_the_stores_declare_and_so_are_their_foreign_keys(database):
    def found(connection):
        seen = sa.inspect(connection)
        return {
            name: (set(seen.get_pk_constraint(name)["constrained_columns"]),
                   {(key["constrained_columns"][0], key["referred_table"]) for key in seen.get_foreign_keys(name)})
            for name in seen.get_table_names() if name != "alembic_version"
        }  # fmt: skip

    kept = database.read(found)

    for name, table in declared_tables().tables.items():
        primary, foreign = kept[name]
        assert primary == {column.name for column in table.primary_key}
        assert foreign >= {(key.parent.name, key.column.table.name) for key in table.foreign_keys}


def test_bringing_up_to_date_twice_changes_nothing(empty_url):
    def schema(connection):
        seen = sa.inspect(connection)
        return {name: [str(column) for column in seen.get_columns(name)] for name in seen.get_table_names()}

    database = Database(empty_url)
    upgrade(database)
    first = database.read(schema)
    upgrade(database)

    assert database.read(schema) == first
    database.close()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(database):
    database.write(lambda connection: connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(Conflict, match="9999"):
        upgrade(database)
    version = database.read(lambda connection: connection.scalar(sa.text("SELECT version_num FROM alembic_version")))
    assert version == "9999"


def test_a_migration_that_fails_leaves_the_schema_as_it_was(empty_url, monkeypatch):
    database = Database(empty_url)

    def break_off(*_args, **_options):
        raise RuntimeError("the power went")

    owner, name = (whole, "make") if database.dialect == "sqlite" else (sys.modules[upgrade.__module__], "run")
    real = getattr(owner, name)
    monkeypatch.setattr(owner, name, lambda *args: (real(*args), break_off()))
    with pytest.raises(RuntimeError, match="the power went"):
        upgrade(database)

    assert database.read(lambda connection: sa.inspect(connection).get_table_names()) == []
    monkeypatch.undo()
    upgrade(database)
    assert "event" in database.read(lambda connection: sa.inspect(connection).get_table_names())
    database.close()
