"""A prepared statement gives what SQLAlchemy gives, only sooner."""

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelward.storage.database import Database

THINGS = sa.MetaData()
thing = sa.Table(
    "thing",
    THINGS,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text),
    sa.Column("flag", sa.Boolean),
    sa.Column("count", sa.BigInteger),
)
PREPARED = {"prepared": True}
TEXTS = st.text(st.characters(blacklist_characters="\x00", blacklist_categories=["Cs"]), max_size=20)
ROWS = st.lists(
    st.fixed_dictionaries({"name": st.none() | TEXTS, "flag": st.none() | st.booleans(), "count": st.integers(-(2**63), 2**63 - 1)}),
    min_size=1, max_size=4,
)  # fmt: skip


@pytest.fixture
def things(database):
    database.write(THINGS.create_all)
    return database


def rows_of(statement, parameters):
    def run(connection):
        result = connection.execute(statement, parameters)
        return [(tuple(row), dict(row._mapping), row.name, row.count_) for row in result]

    return run


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS)
def test_rows_written_and_read_by_prepared_statements_are_those_of_sqlalchemy(things, rows):
    rows = [{"id": number, **row} for number, row in enumerate(rows)]
    add = sa.insert(thing).execution_options(**PREPARED)
    things.write(lambda connection: connection.execute(sa.delete(thing)))
    things.write(lambda connection: connection.execute(add, rows))

    plain = (
        sa.select(thing.c.id, thing.c.name, thing.c.count.label("count_"))
        .where(thing.c.id < sa.bindparam("below"))
        .limit(3)
    )
    expected = things.read(rows_of(plain, {"below": 99}))
    assert things.read(rows_of(plain.execution_options(**PREPARED), {"below": 99})) == expected
    whole = sa.select(thing).order_by(thing.c.id).execution_options(**PREPARED)
    assert [row._asdict() for row in things.read(lambda connection: connection.execute(whole).all())] == rows


def test_a_prepared_change_tells_how_many_rows_it_changed(things):
    add = sa.insert(thing).execution_options(**PREPARED)
    rename = sa.update(thing).where(thing.c.id == sa.bindparam("of")).values(name="b").execution_options(**PREPARED)
    things.write(lambda connection: connection.execute(add, {"id": 1, "name": "a"}))

    assert things.write(lambda connection: connection.execute(rename, {"of": 1}).rowcount) == 1
    assert things.write(lambda connection: connection.execute(rename, {"of": 2}).rowcount) == 0


def test_a_prepared_statement_fails_with_the_same_error(things):
    add = sa.insert(thing).execution_options(**PREPARED)
    things.write(lambda connection: connection.execute(add, {"id": 1, "name": "a"}))

    with pytest.raises(sa.exc.IntegrityError):
        things.write(lambda connection: connection.execute(add, {"id": 1, "name": "b"}))
    assert things.read(lambda connection: connection.scalar(sa.select(thing.c.name))) == "a"


def test_a_prepared_statement_that_fails_before_any_other_undoes_its_own_unit_alone(things, database_url):
    add = sa.insert(thing).execution_options(**PREPARED)
    things.write(lambda connection: connection.execute(add, {"id": 1, "name": "a"}))
    things.close()

    fresh = Database(database_url)
    try:
        with pytest.raises(sa.exc.IntegrityError):
            fresh.write(lambda connection: connection.execute(add, {"id": 1, "name": "b"}))
        fresh.write(lambda connection: connection.execute(add, {"id": 2, "name": "c"}))
        assert fresh.read(
            lambda connection: connection.scalars(sa.select(thing.c.name).order_by(thing.c.id)).all()
        ) == ["a", "c"]
    finally:
        fresh.close()


def test_the_same_statement_with_other_columns_is_another_prepared_one(things):
    add = sa.insert(thing).execution_options(**PREPARED)
    things.write(lambda connection: connection.execute(add, {"id": 1, "name": "a"}))
    things.write(lambda connection: connection.execute(add, {"name": "b", "id": 2, "count": 3}))

    assert things.read(
        lambda connection: connection.execute(sa.select(thing.c.name, thing.c.count).order_by(thing.c.id)).all()
    ) == [
        ("a", None),
        ("b", 3),
    ]


def test_a_list_of_values_in_a_prepared_statement_is_left_to_sqlalchemy(things):
    add = sa.insert(thing).execution_options(**PREPARED)
    things.write(
        lambda connection: connection.execute(add, [{"id": number, "name": str(number)} for number in range(5)])
    )
    chosen = (
        sa.select(thing.c.id).where(thing.c.id.in_(sa.bindparam("ids", expanding=True))).execution_options(**PREPARED)
    )

    assert set(things.read(lambda connection: connection.execute(chosen, {"ids": [1, 3, 9]}).scalars().all())) == {1, 3}
