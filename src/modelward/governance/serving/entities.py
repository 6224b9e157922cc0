"""Endpoints and what happens to them. Frozen; no I/O."""

from datetime import datetime

import msgspec

from modelward.kernel.events import Happening
from modelward.kernel.refs import EndpointRef, VersionRef


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A name under which a version serves.

    ``url`` is where the model answers; empty: it is served elsewhere and its records come by the capture API alone.
    ``capture_share`` of the invocations are kept, in [0, 1]. With ``capture_required`` an invocation that should be
    kept and cannot be is refused. ``version_status`` is the version's approval status as the registry last told it;
    ``unapproved`` says that it is another than approved. After ``approved_until`` evidence under the approval is too old:
    then both read so at once.
    """

    name: EndpointRef
    version: VersionRef
    version_status: str
    unapproved: bool
    url: str = ""
    capture_share: float = 1.0
    capture_required: bool = True
    created_at: datetime
    created_by: str
    removed_at: datetime | None = None
    approved_until: datetime | None = None


class EndpointCreated(Happening, frozen=True, kw_only=True):
    """An endpoint began to serve a version."""

    endpoint: EndpointRef
    version: VersionRef
    version_status: str
    unapproved: bool


class EndpointChanged(Happening, frozen=True, kw_only=True):
    """An endpoint serves another version, or its settings changed; ``changed`` names the fields."""

    endpoint: EndpointRef
    version_before: VersionRef
    version: VersionRef
    version_status: str
    changed: list[str]
    reason: str = ""


class EndpointApprovalNoted(Happening, frozen=True, kw_only=True):
    """The approval status of the version that an endpoint serves has changed."""

    endpoint: EndpointRef
    version: VersionRef
    before: str
    after: str


class EndpointRemoved(Happening, frozen=True, kw_only=True):
    """An endpoint ended; its records and its history stay."""

    endpoint: EndpointRef
    version: VersionRef
    reason: str
