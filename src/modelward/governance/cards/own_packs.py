"""What one can do with control packs: see them, write one's own, change and retire it. Those that come with Modelward stay."""

from datetime import datetime
from typing import Any

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import control_packs, pack_store, rules
from modelward.governance.cards.control_packs import Pack, PackEntry, PackMissing, PackVersion
from modelward.governance.cards.keeping import CardChanged
from modelward.governance.cards.pack_store import KeptPack
from modelward.kernel import codec
from modelward.kernel.errors import Conflict, Invalid
from modelward.kernel.events import Happening
from modelward.kernel.refs import Digest, checked_name
from modelward.storage.work import Work

TEXT_CHARACTERS_MAX = 500_000


class PackBuiltIn(Conflict):
    """A control pack that comes with Modelward cannot be changed."""


class PackRetired(Conflict):
    """This control pack was retired."""


class CardPackKept(Happening, frozen=True, kw_only=True):
    """A control pack of one's own was written or changed: it has a new version."""

    pack: str
    number: int
    digest: Digest
    title: str
    controls: int
    note: str = ""


class CardPackRetired(Happening, frozen=True, kw_only=True):
    """A control pack of one's own was retired: cards are no longer measured by it. What was is kept."""

    pack: str
    number: int
    reason: str = ""


def list_packs(work: Work, *, retired: bool = False) -> list[PackEntry]:
    """The control packs that count: those that come with Modelward, then one's own; with ``retired`` also those."""
    require(work, Permission.CARD_READ)
    built_in = [_built_in(each) for each in control_packs.packs().values()]
    own = [_version(each) for each in pack_store.list_newest(work) if retired or not each.retired]
    return [_entry(each) for each in [*built_in, *own]]


def get_pack(work: Work, id: str, *, number: int | None = None) -> PackVersion:
    """A control pack with its controls: its newest version, or one by number. It may be retired.

    Raises:
        PackMissing: there is no such pack or version.
    """
    require(work, Permission.CARD_READ)
    shipped = control_packs.packs().get(id)
    if shipped is not None and number in (None, 0):
        return _built_in(shipped)
    found = pack_store.find(work, id, number=number) if shipped is None else None
    if found is None:
        raise _missing(work, id, number)
    return _version(found)


def list_pack_versions(work: Work, id: str) -> list[PackEntry]:
    """All versions of a control pack, the newest first, without their controls.

    Raises:
        PackMissing: there is no such pack.
    """
    first = get_pack(work, id)
    kept = [first] if first.built_in else [_version(each) for each in pack_store.list_versions(work, id)]
    return [_entry(each) for each in kept]


def find_in_force(work: Work, id: str, *, at: datetime | None = None) -> PackVersion:
    """The version of a pack that counts now, or counted at a moment. A card of a day before the pack was written is
    measured by the first version.

    Raises:
        PackMissing: there is no such pack.
        PackRetired: it counts, or counted, no longer.
    """
    found = get_pack(work, id)
    if at is not None and not found.built_in:
        kept = pack_store.find(work, id, at=at) or pack_store.find(work, id, number=1)
        assert kept is not None, "a pack has a first version"
        found = _version(kept)
    if found.retired:
        on = f" on {found.at:%Y-%m-%d}" if found.at else ""
        why = f": {found.note}" if found.note else ""
        raise PackRetired(f"The control pack {id} was retired{on} by {found.by}{why}", field="pack")
    return found


def put_pack(work: Work, id: str, *, told: dict[str, Any], note: str = "", expected: int | None = None) -> PackVersion:
    """Write a control pack of one's own, or the next version of it; the same once more changes nothing. A retired pack
    counts again. ``expected`` is the number of the version that was seen; 0: there is none.

    Raises:
        Invalid: it is no pack; the message names the path in it.
        PackBuiltIn: the name is that of a pack that comes with Modelward.
        CardChanged: the pack has another version than the expected one.
    """
    require(work, Permission.CARD_GOVERN, on=id)
    _check_own(checked_name(id))
    rules.check_note(note)
    if told.get("id", id) != id:
        raise Invalid(f"The pack says that it is {str(told['id'])[:80]!r}, it is to be {id}.", field="pack.id")
    pack = control_packs.read(id, told)
    control_packs.check_own(pack)
    text = codec.canonical(pack).decode()
    if len(text) > TEXT_CHARACTERS_MAX:
        raise Invalid(f"The pack has {len(text)} characters; at most {TEXT_CHARACTERS_MAX} are kept.", field="pack")
    last = pack_store.find(work, id)
    present = last.number if last else 0
    if expected is not None and expected != present:
        raise CardChanged(f"{id} has version {present} by now; you saw {expected}.", field="number")
    digest = control_packs.digest_of(pack)
    if last is not None and last.digest == digest and not last.retired:
        return _version(last)
    new = _keep(work, id, present + 1, digest=digest, text=text, note=note)
    work.record(
        CardPackKept(pack=id, number=new.number, digest=digest, title=pack.title, controls=len(pack.control), note=note)
    )
    return _version(new)


def retire_pack(work: Work, id: str, *, reason: str = "") -> PackVersion:
    """Let a control pack of one's own count no longer; its versions and what was said of its controls are kept.

    Raises:
        PackBuiltIn: it comes with Modelward.
        PackMissing: there is no such pack.
    """
    require(work, Permission.CARD_GOVERN, on=id)
    _check_own(id)
    rules.check_note(reason, field="reason")
    last = pack_store.find(work, id)
    if last is None:
        raise _missing(work, id, None)
    if last.retired:
        return _version(last)
    new = _keep(work, id, last.number + 1, digest=last.digest, text=last.text, note=reason, retired=True)
    work.record(CardPackRetired(pack=id, number=new.number, reason=reason))
    return _version(new)


def _keep(work: Work, id: str, number: int, *, digest: Digest, text: str, note: str, retired: bool = False) -> KeptPack:
    new = KeptPack(
        pack=id, number=number, digest=digest, text=text, retired=retired, note=note, at=work.now, by=work.actor.id
    )
    pack_store.add(work, new)
    return new


def _check_own(id: str) -> None:
    if id in control_packs.packs():
        raise PackBuiltIn(
            f"The control pack {id} comes with Modelward and cannot be changed.",
            field="pack",
            hint="Write one of your own under another name; it may begin as a copy.",
        )


def _missing(work: Work, id: str, number: int | None) -> PackMissing:
    if number is not None:
        return PackMissing(f"The control pack {id[:80]!r} has no version {number}.", field="number")
    known = ", ".join(each.id for each in list_packs(work))
    return PackMissing(f"There is no control pack {id[:80]!r}; there are {known}.", field="pack")


def _built_in(pack: Pack) -> PackVersion:
    return _version_of(pack, digest=control_packs.digest_of(pack))


def _version(kept: KeptPack) -> PackVersion:
    return _version_of(
        codec.decode(kept.text, Pack, field=f"pack {kept.pack}"),
        number=kept.number,
        built_in=False,
        retired=kept.retired,
        digest=kept.digest,
        at=kept.at,
        by=kept.by,
        note=kept.note,
    )


def _version_of(pack: Pack, **known: Any) -> PackVersion:
    return PackVersion(
        id=pack.id, title=pack.title, source=pack.source, controls=len(pack.control), control=pack.control, **known
    )


def _entry(version: PackVersion) -> PackEntry:
    fields = {name: getattr(version, name) for name in PackEntry.__struct_fields__}
    return PackEntry(**fields)
