"""The check of `modelward doctor` that looks at the listed buckets of another object store. It writes nothing there."""

from modelward.cli.checked import Checked, failed, passed, undecided
from modelward.kernel.errors import Invalid
from modelward.settings import Settings
from modelward.storage.object_store import ObjectStore, parse_listed

NAME = "s3 buckets"
NEXT = "Mend s3_buckets, s3_endpoint, s3_region or the credentials; the server needs the same ones in its environment."


def look_at_buckets(settings: Settings) -> Checked | None:
    """Whether each listed bucket is there and lets itself be listed; None where none is listed."""
    try:
        listed = parse_listed(settings.s3_buckets)
        store = ObjectStore(listed, endpoint=settings.s3_endpoint, region=settings.s3_region) if listed else None
    except Invalid as problem:
        return failed(NAME, str(problem), next=NEXT)
    if store is None:
        return None
    found = {bucket: store.trouble_with(bucket) for bucket in listed}
    lasting = {bucket: trouble.told for bucket, trouble in found.items() if trouble and trouble.lasting}
    passing = {bucket: trouble.told for bucket, trouble in found.items() if trouble and not trouble.lasting}
    if lasting:
        return failed(NAME, _listed(lasting), next=NEXT)
    if passing:
        return undecided(
            NAME, _listed(passing), next="See that the store runs and that the server may list the bucket."
        )
    return passed(NAME, f"{store.endpoint} has {', '.join(listed)}.")


def _listed(troubles: dict[str, str]) -> str:
    return " ".join(f"{bucket}: {told}." for bucket, told in troubles.items())
