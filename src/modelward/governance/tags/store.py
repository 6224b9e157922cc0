"""The table of the tags."""

import sqlalchemy as sa

from modelward.storage.work import Work

metadata = sa.MetaData()
tag = sa.Table(
    "tag",
    metadata,
    sa.Column("thing", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)


def list_tags(work: Work, thing: str) -> dict[str, str]:
    """The tags of a thing, by key."""
    query = sa.select(tag.c.key, tag.c.value).where(tag.c.thing == thing).order_by(tag.c.key)
    return {row.key: row.value for row in work.execute(query)}


def list_many(work: Work, things: list[str]) -> dict[str, dict[str, str]]:
    """The tags of several things."""
    found: dict[str, dict[str, str]] = {}
    query = sa.select(tag).where(tag.c.thing.in_(things)).order_by(tag.c.thing, tag.c.key)
    for row in work.execute(query) if things else ():
        found.setdefault(row.thing, {})[row.key] = row.value
    return found


def put(work: Work, thing: str, tags: dict[str, str]) -> None:
    """Put tags on a thing; one of the same key is replaced."""
    take_off(work, thing, list(tags))
    if tags:
        work.execute(sa.insert(tag), [{"thing": thing, "key": key, "value": value} for key, value in tags.items()])


def take_off(work: Work, thing: str, keys: list[str] | None = None) -> None:
    """Take tags off a thing; all of them where no keys are given."""
    statement = sa.delete(tag).where(tag.c.thing == thing)
    work.execute(statement if keys is None else statement.where(tag.c.key.in_(keys)))
