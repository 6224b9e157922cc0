"""Deployables and what happens to them. Frozen; no I/O."""

from datetime import datetime

import msgspec

from modelward.kernel.events import Happening
from modelward.kernel.refs import VersionRef


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """One container: its image, where the model's data lie, its environment, and the version it comes from."""

    image: str = ""
    model_data: str = ""
    environment: dict[str, str] = {}
    hostname: str = ""
    version: VersionRef | None = None


class Deployable(msgspec.Struct, frozen=True, kw_only=True):
    """Something ready to be served, under a name. It does not change; another one takes another name."""

    name: str
    containers: list[Container]
    created_at: datetime
    created_by: str


class DeployableMade(Happening, frozen=True, kw_only=True):
    """A deployable was made: containers ready to be served."""

    deployable: str
    versions: list[VersionRef]


class DeployableRemoved(Happening, frozen=True, kw_only=True):
    """A deployable was removed."""

    deployable: str
