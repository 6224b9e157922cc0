"""What happened, as it stands in the event log: past tense, frozen, with who did it and when."""

from datetime import datetime
from typing import Any, ClassVar

import msgspec

from modelward.kernel.refs import Digest


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened. A capability subclasses it; the class name is the event's name.

    The first field of a subclass names the subject: what the event is about.
    """

    known: ClassVar[dict[str, type["Happening"]]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # msgspec makes the class twice while it adds slots; the later one stands.
        Happening.known[cls.__name__] = cls


def name_of(happening: Happening) -> str:
    """The name of an event: the class name."""
    return type(happening).__name__


def subject_of(happening: Happening) -> str:
    """What an event is about: its first field."""
    return str(getattr(happening, happening.__struct_fields__[0]))


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the event log.

    ``hash`` is the SHA-256 over ``previous`` and the canonical JSON of all other fields, so that no entry can be
    changed, moved or taken out without the later ones showing it.
    """

    sequence: int
    id: str
    at: datetime
    actor: str
    name: str
    subject: str
    detail: dict[str, Any]
    previous: Digest
    hash: Digest
