"""Tags on things, and what happens to them. Frozen; no I/O. Models and versions carry their tags themselves."""

from modelward.kernel.events import Happening

Tags = dict[str, str]


class ThingTagged(Happening, frozen=True, kw_only=True):
    """Tags were put on a thing, or took other values."""

    thing: str
    tags: Tags


class ThingUntagged(Happening, frozen=True, kw_only=True):
    """Tags were taken off a thing."""

    thing: str
    keys: list[str]
