"""Upkeep over REST: stored bytes that nothing refers to."""

from modelward.governance.access.permissions import Permission
from modelward.governance.upkeep import use_cases
from modelward.governance.upkeep.entities import Collection, Unreferenced
from modelward.interfaces.rest.operations import Operations
from modelward.storage.work import Work

upkeep = Operations("upkeep")


@upkeep.operation("GET", "/blobs/unreferenced", permission=Permission.BLOB_COLLECT, slow=True)
def look_for_unreferenced(work: Work) -> Unreferenced:
    """Count the stored bytes that nothing refers to; nothing is deleted."""
    return use_cases.look_for_unreferenced(work)


@upkeep.operation("POST", "/blobs/collections", permission=Permission.BLOB_COLLECT, status=202)
def request_collection(work: Work) -> Collection:
    """Ask that the stored bytes to which nothing has referred for some days be deleted now."""
    return use_cases.request_collection(work)
