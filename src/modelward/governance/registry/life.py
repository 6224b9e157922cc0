"""What happens to a version after it was registered: stages, metadata, tags, withdrawal. Approval is decided in reviews."""

from typing import Any

import msgspec
from msgspec.structs import replace

from modelward.governance.access.permissions import Permission, require
from modelward.governance.registry import life_store, rules
from modelward.governance.registry.entities import (
    ApprovalStatus,
    Model,
    ModelDescribed,
    ModelWithdrawn,
    Stage,
    Version,
    VersionDescribed,
    VersionStaged,
    VersionWithdrawn,
)
from modelward.governance.registry.use_cases import get_model, get_version
from modelward.kernel.browsing import Browse, Found
from modelward.kernel.errors import Conflict, Invalid, NotFound
from modelward.kernel.refs import ModelRef, VersionRef
from modelward.storage.work import Work

METADATA_MAX = 50
STAGE_CHARACTERS_MAX = 63
POLICY_CHARACTERS_MAX = 20_480


class VersionGone(Conflict):
    """The version was withdrawn."""


class VersionInUse(Conflict):
    """The version cannot be withdrawn as it stands."""


class ModelInUse(Conflict):
    """The model has versions that were not withdrawn."""


def stage_version(work: Work, ref: VersionRef, *, stage: Stage) -> Version:
    """Say which stage of its life a version has reached; the stages are words of the house.

    Raises:
        VersionGone: it was withdrawn.
        Invalid: the stage or its status is empty or too long.
    """
    require(work, Permission.VERSION_STAGE, on=ref)
    for field, text in (("stage", stage.name), ("status", stage.status)):
        if not 0 < len(text) <= STAGE_CHARACTERS_MAX:
            raise Invalid(f"{field} must have 1 to {STAGE_CHARACTERS_MAX} characters.", field=field)
    rules.check_text(stage.note, field="note")
    found = _in_use(work, ref)
    if found.stage == stage:
        return found
    changed = replace(found, stage=stage)
    life_store.put_version(work, changed)
    work.record(VersionStaged(version=ref, before=found.stage, after=stage))
    return changed


def annotate_version(work: Work, ref: VersionRef, *, put: dict[str, str], remove: list[str] | None = None) -> Version:
    """Put metadata on a version and take some off; what is not named stays.

    Raises:
        VersionGone: it was withdrawn.
        Invalid: a key or value breaks its rule, or there would be too many.
    """
    require(work, Permission.VERSION_REGISTER, on=ref)
    found = _in_use(work, ref)
    rules.check_tags(put)
    after = {key: value for key, value in {**found.metadata, **put}.items() if key not in set(remove or [])}
    if len(after) > METADATA_MAX:
        raise Invalid(f"{ref} would have {len(after)} metadata; at most {METADATA_MAX} are kept.", field="metadata")
    return _describe(work, found, replace(found, metadata=after), "metadata")


def tag_version(work: Work, ref: VersionRef, *, tags: dict[str, str]) -> Version:
    """Give a version these tags and no others."""
    require(work, Permission.VERSION_REGISTER, on=ref)
    found = _in_use(work, ref)
    rules.check_tags(tags)
    return _describe(work, found, replace(found, tags=tags), "tags")


def _describe(work: Work, before: Version, after: Version, what: str) -> Version:
    if before == after:
        return before
    life_store.put_version(work, after)
    work.record(VersionDescribed(version=after.ref, changed=[what]))
    return after


def _in_use(work: Work, ref: VersionRef) -> Version:
    found = get_version(work, ref)
    if found.withdrawn_at is not None:
        raise VersionGone(f"{ref} was withdrawn.", field="version")
    return found


def withdraw_version(work: Work, ref: VersionRef, *, reason: str = "") -> Version:
    """Withdraw a version: it leaves all lists. What is known of it stays, and its number is not given again.

    Raises:
        VersionInUse: it is approved; an approval is taken back first.
    """
    require(work, Permission.VERSION_REGISTER, on=ref)
    rules.check_text(reason, field="reason")
    found = _in_use(work, ref)
    if found.status is ApprovalStatus.APPROVED:
        raise VersionInUse(f"{ref} is approved, so it is kept.", field="version", hint="Have it rejected first.")
    gone = replace(found, withdrawn_at=work.now)
    life_store.put_version(work, gone)
    work.record(VersionWithdrawn(version=ref, reason=reason))
    return gone


def withdraw_model(work: Work, name: ModelRef, *, reason: str = "") -> Model:
    """Withdraw a model that has no version in use; its name may be registered again.

    Raises:
        ModelInUse: it has versions that were not withdrawn.
    """
    require(work, Permission.MODEL_WRITE, on=name)
    rules.check_text(reason, field="reason")
    found = get_known_model(work, name)
    if life_store.has_versions_in_use(work, name):
        raise ModelInUse(f"{name} has versions.", field="model", hint="Withdraw them first.")
    life_store.withdraw_model(work, name)
    work.record(ModelWithdrawn(model=name, reason=reason))
    return replace(found, withdrawn_at=work.now)


def get_known_model(work: Work, name: ModelRef) -> Model:
    """A model that was not withdrawn.

    Raises:
        NotFound: there is none.
    """
    found = get_model(work, name)
    if found.withdrawn_at is not None:
        raise NotFound(f"The model {name} was withdrawn.", field="model")
    return found


def get_known_version(work: Work, ref: VersionRef) -> Version:
    """A version that was not withdrawn.

    Raises:
        NotFound: there is none.
    """
    found = get_version(work, ref)
    if found.withdrawn_at is not None:
        raise NotFound(f"The version {ref} was withdrawn.", field="version")
    return found


def browse_models(work: Work, browse: Browse, *, single: bool | None = None) -> Found[Model]:
    """Models by name and age; single ones, others, or both."""
    require(work, Permission.MODEL_READ)
    return life_store.browse_models(work, browse, single=single)


def browse_versions(
    work: Work,
    browse: Browse,
    *,
    of: ModelRef | None = None,
    statuses: list[ApprovalStatus] | None = None,
    single: bool | None = None,
) -> Found[Version]:
    """Versions by name, number and age; of one model or of all."""
    require(work, Permission.MODEL_READ)
    return life_store.browse_versions(work, browse, of=of, statuses=statuses, single=single)


def read_particulars(work: Work, thing: ModelRef | VersionRef) -> dict[str, Any]:
    """What an outside interface told of a model or version and wants back word for word; empty where none did."""
    require(work, Permission.MODEL_READ, on=thing)
    if isinstance(thing, VersionRef):
        return life_store.find_version_particulars(work, thing)
    return life_store.find_model_particulars(work, thing)


def list_particulars(work: Work, refs: list[VersionRef]) -> dict[str, dict[str, Any]]:
    """What outside interfaces told of several versions."""
    require(work, Permission.MODEL_READ)
    return life_store.list_version_particulars(work, refs)


def keep_version_particulars(work: Work, ref: VersionRef, particulars: dict[str, Any], *, changed: list[str]) -> None:
    """Keep what an outside interface tells of a version; ``changed`` are the names of what is new, for the event."""
    require(work, Permission.VERSION_REGISTER, on=ref)
    life_store.put_version_particulars(work, ref, particulars)
    if changed:
        life_store.put_version(work, _in_use(work, ref))
        work.record(VersionDescribed(version=ref, changed=sorted(changed)))


def keep_model_particulars(work: Work, name: ModelRef, particulars: dict[str, Any], *, single: bool = False) -> None:
    """Keep what an outside interface tells of a model just registered."""
    require(work, Permission.MODEL_WRITE, on=name)
    life_store.put_model_particulars(work, name, particulars, single=single)


def get_policy(work: Work, name: ModelRef) -> str:
    """The resource policy that was put on a model.

    Raises:
        NotFound: it has none.
    """
    get_known_model(work, name)
    found = life_store.find_policy(work, name)
    if found is None:
        raise NotFound(f"No policy was put on {name}.", field="policy")
    return found


def put_policy(work: Work, name: ModelRef, policy: str | None) -> None:
    """Keep a resource policy with a model, or take it off (None). It is kept for tools that ask for it and opens nothing:
    who may do what is decided by personas.

    Raises:
        Invalid: it is no JSON object, or too long.
    """
    require(work, Permission.ACCESS_MANAGE, on=name)
    get_known_model(work, name)
    if policy is not None:
        _check_policy(policy)
    life_store.put_policy(work, name, policy)
    work.record(ModelDescribed(model=name, changed=["policy"]))


def _check_policy(policy: str) -> None:
    if len(policy) > POLICY_CHARACTERS_MAX:
        raise Invalid(f"The policy has {len(policy)} characters; at most {POLICY_CHARACTERS_MAX}.", field="policy")
    try:
        content = msgspec.json.decode(policy)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as problem:
        raise Invalid(f"The policy is not JSON: {problem}", field="policy") from problem
    if not isinstance(content, dict):
        raise Invalid("The policy must be a JSON object.", field="policy")
