"""What one can do with tags: put them on a thing, read them, take them off.

A thing is told by kind and name, as in ``card/fraud``. Whoever calls has seen that it exists and names the permission
that its own capability asks for.
"""

from modelward.governance.access.permissions import Permission, require
from modelward.governance.tags import store
from modelward.governance.tags.entities import Tags, ThingTagged, ThingUntagged
from modelward.kernel.errors import Invalid
from modelward.storage.work import Work

TAGS_MAX = 50
KEY_CHARACTERS_MAX = 128
VALUE_CHARACTERS_MAX = 256


def put_tags(work: Work, thing: str, tags: Tags, *, permission: Permission) -> Tags:
    """Put tags on a thing and return all that it has; a tag of the same key takes the new value.

    Raises:
        Invalid: a key or value is empty or too long, or the thing would have too many tags.
    """
    require(work, permission, on=thing)
    for key, value in tags.items():
        if not 0 < len(key) <= KEY_CHARACTERS_MAX or len(value) > VALUE_CHARACTERS_MAX:
            raise Invalid(
                f"The tag {key[:40]!r} must have a key of 1 to {KEY_CHARACTERS_MAX} characters and a value of at most "
                f"{VALUE_CHARACTERS_MAX}.",
                field="tags",
            )
    before = store.list_tags(work, thing)
    after = {**before, **tags}
    if len(after) > TAGS_MAX:
        raise Invalid(f"{thing} would have {len(after)} tags; at most {TAGS_MAX} are kept.", field="tags")
    if after != before:
        store.put(work, thing, tags)
        work.record(ThingTagged(thing=thing, tags=tags))
    return dict(sorted(after.items()))


def take_tags_off(work: Work, thing: str, keys: list[str], *, permission: Permission) -> Tags:
    """Take tags off a thing and return what it still has; keys that it does not have are passed over."""
    require(work, permission, on=thing)
    before = store.list_tags(work, thing)
    gone = [key for key in keys if key in before]
    if gone:
        store.take_off(work, thing, gone)
        work.record(ThingUntagged(thing=thing, keys=sorted(gone)))
    return {key: value for key, value in before.items() if key not in gone}


def forget_tags(work: Work, thing: str, *, permission: Permission) -> None:
    """A thing was deleted, which its own event tells: its tags go with it."""
    require(work, permission, on=thing)
    store.take_off(work, thing)


def list_tags(work: Work, thing: str, *, permission: Permission) -> Tags:
    """The tags of a thing, by key."""
    require(work, permission, on=thing)
    return store.list_tags(work, thing)


def list_many(work: Work, things: list[str], *, permission: Permission) -> dict[str, Tags]:
    """The tags of several things of one kind; those without tags are left out."""
    require(work, permission)
    return store.list_many(work, things)
