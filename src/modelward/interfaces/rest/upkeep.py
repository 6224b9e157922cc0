"""Upkeep over REST: stored bytes that nothing refers to."""

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.upkeep import use_cases
from modelward.governance.upkeep.entities import Collection, Unreferenced
from modelward.interfaces.rest.operations import Operations
from modelward.storage.work import Work

upkeep = Operations("upkeep")


class CollectBlobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``take_over``: why the store is to be that of this installation alone from now on; empty: it is not asked."""

    take_over: str = ""


@upkeep.operation("GET", "/blobs/unreferenced", permission=Permission.BLOB_COLLECT, slow=True)
def look_for_unreferenced(work: Work) -> Unreferenced:
    """Count the stored bytes that nothing refers to; nothing is deleted."""
    return use_cases.look_for_unreferenced(work)


@upkeep.operation("POST", "/blobs/collections", permission=Permission.BLOB_COLLECT, status=202)
def request_collection(work: Work, body: CollectBlobs) -> Collection:
    """Ask that the stored bytes to which nothing has referred for some days be deleted now."""
    return use_cases.request_collection(work, take_over=body.take_over)
