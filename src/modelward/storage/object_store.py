"""The object store outside whose buckets the administrator has listed: read and written by name, and no other bucket ever.

Who asks may what is judged above; here stands which buckets there are at all, so that the server's own credentials open
nothing that was not meant. Keys are taken literally. Nothing else in Modelward speaks to this store.
"""

import contextlib
import logging
import os
import re
import time
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from modelward.kernel.errors import Invalid, NotAllowed, NotFound, Unavailable
from modelward.storage.blobs import CHUNK_BYTES

log = logging.getLogger("modelward.objects")
CONNECT_SECONDS_MAX, READ_SECONDS_MAX, PROBE_SECONDS_MAX = 5, 60, 5
HURRY_SECONDS_MAX = 30
ATTEMPTS_MAX = 3
KEY_BYTES_MAX = 1024
READ_ONLY = "read"
# Answers that a mended setting mends, and no patience.
WRONG = frozenset(
    {
        "AuthorizationHeaderMalformed",
        "ExpiredToken",
        "IllegalLocationConstraintException",
        "InvalidAccessKeyId",
        "InvalidBucketName",
        "InvalidToken",
        "NoSuchBucket",
        "PermanentRedirect",
        "SignatureDoesNotMatch",
    }
)
ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
# Sent with a status below 500, although they pass.
PASSING = frozenset(
    {"PreconditionFailed", "RequestTimeout", "RequestTimeTooSkewed", "SlowDown", "Throttling", "ThrottlingException"}
)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class BucketNotListed(NotAllowed):
    """The bucket is not one that Modelward may use: who runs the server lists them in the setting s3_buckets."""


class KeyNotTaken(Invalid):
    """An object of the store outside cannot have this key."""


class StoreRefuses(NotAllowed):
    """The object store refuses this to the credentials that the server has."""


class ObjectAbsent(NotFound):
    """The object store has no such object, or no such bucket."""


class Seen(NamedTuple):
    """An object as the store describes it: its size in bytes and its etag, which changes with the bytes."""

    size: int
    etag: str


class ObjectStore:
    """The listed buckets of one object store."""

    def __init__(self, listed: dict[str, bool], *, endpoint: str = "", region: str = "") -> None:
        """Get ready to use buckets; nothing is sent yet.

        Args:
            listed: the names, and whether each may be written.
            endpoint: the address of the store; empty: where AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL lead, else AWS.
            region: its region; empty: that of the environment, else us-east-1.

        Credentials are found as AWS clients find them: environment, profile, role of the machine.

        Raises:
            Invalid: a package is missing, or the environment names a profile that is not there.
        """
        try:
            from botocore import session
            from botocore.exceptions import BotoCoreError
        except ModuleNotFoundError as problem:
            raise Invalid(
                "s3_buckets needs a package that is not installed here.",
                field="s3_buckets",
                hint="pip install 'modelward[aws]'",
            ) from problem
        self.listed, self._endpoint = dict(listed), endpoint
        self._session = session.Session()
        try:
            known = self._session.get_config_variable("region")
            self.region: str = region or known or os.environ.get("AWS_REGION") or "us-east-1"
            self._client = self._connect(CONNECT_SECONDS_MAX, READ_SECONDS_MAX, ATTEMPTS_MAX)
            self._hasty = self._connect(PROBE_SECONDS_MAX, PROBE_SECONDS_MAX, 1)
        except (BotoCoreError, ValueError) as problem:
            raise Invalid(
                f"The object store of s3_buckets cannot be used: {problem}", field="s3_buckets", hint=_MEND
            ) from problem
        self.endpoint: str = str(self._client.meta.endpoint_url)

    def _connect(self, connect: float, read: float, attempts: int) -> Any:
        from botocore.config import Config

        config = Config(
            connect_timeout=connect,
            read_timeout=read,
            retries={"mode": "standard", "total_max_attempts": attempts},
            # Path style is what stores other than AWS understand; the digest of the body is signed in place of newer
            # checksums, which some of them do not know.
            s3={"addressing_style": "auto" if self._is_aws() else "path", "payload_signing_enabled": True},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return self._session.create_client(
            "s3", region_name=self.region, endpoint_url=self._endpoint or None, config=config
        )

    def _is_aws(self) -> bool:
        named = self._endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        return not named

    @property
    def address(self) -> str:
        """Where clients find the store; empty for that of AWS, which they know."""
        return "" if self._is_aws() else self.endpoint

    @property
    def config(self) -> Any:
        """How requests are signed and sent."""
        return self._client.meta.config

    def credentials(self) -> Any:
        """The credentials as they are now; those of a role change from hour to hour.

        Raises:
            StoreRefuses: there are none.
            Unavailable: they cannot be had at the moment.
        """
        from botocore.exceptions import BotoCoreError

        try:
            found = self._session.get_credentials()
            if found is not None:
                return found.get_frozen_credentials()
        except BotoCoreError as problem:
            raise Unavailable(f"The credentials for the object store cannot be had: {problem}") from problem
        raise StoreRefuses("The server has no credentials for the object store.")

    def lists(self, bucket: str) -> bool:
        """Whether a bucket is one of the listed."""
        return bucket in self.listed

    def check_may(self, bucket: str, *, write: bool) -> None:
        """See that a bucket may be used so.

        Raises:
            BucketNotListed: it is not listed, or for reading only.
        """
        if bucket not in self.listed:
            raise BucketNotListed(f"The bucket {bucket[:80]} is not listed in s3_buckets.", field="bucket")
        if write and not self.listed[bucket]:
            raise BucketNotListed(f"The bucket {bucket} is listed in s3_buckets for reading only.", field="bucket")

    def check_place(self, bucket: str, key: str, *, write: bool) -> None:
        """See that an object may be used so; its key is a name, and steps in it could lead into another bucket.

        Raises:
            BucketNotListed: the bucket is not listed, or for reading only.
            KeyNotTaken: the key is empty or too long, or a part of it is ``.`` or ``..``.
        """
        self.check_may(bucket, write=write)
        if not 0 < len(key.encode("utf-8", "surrogatepass")) <= KEY_BYTES_MAX:
            raise KeyNotTaken(f"A key has 1 to {KEY_BYTES_MAX} bytes, not as in {key[:80]!r}.", field="key")
        if any(part in (".", "..") for part in key.split("/")) or any(each < " " or each == "\x7f" for each in key):
            raise KeyNotTaken(f"{key[:80]!r} has a part . or .., or a control character.", field="key")

    def put(self, bucket: str, key: str, file: IO[bytes], *, kind: str) -> Seen:
        """Store the bytes of a file, in place of what had the key; all of them or none.

        Raises:
            BucketNotListed: the bucket may not be written.
            ObjectAbsent: the store has no such bucket.
            StoreRefuses: the store does not let the server do it.
            Unavailable: it does not answer as it should; trying again may help.
        """
        self.check_place(bucket, key, write=True)
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        with _in_our_words(bucket, key):
            told = self._client.put_object(Bucket=bucket, Key=key, Body=file, ContentLength=size, ContentType=kind)
        return Seen(size, str(told.get("ETag", "")))

    def look(self, bucket: str, key: str, *, hurry: bool = False) -> Seen:
        """Describe an object; errors as with ``put``. In a ``hurry`` a store that is slow is not waited for."""
        self.check_place(bucket, key, write=False)
        with _in_our_words(bucket, key):
            told = (self._hasty if hurry else self._client).head_object(Bucket=bucket, Key=key)
        return Seen(int(told["ContentLength"]), str(told.get("ETag", "")))

    def open(self, bucket: str, key: str, *, as_seen: Seen | None = None, hurry: bool = False) -> Iterator[bytes]:
        """Yield the bytes of an object in pieces; errors as with ``put``.

        With ``as_seen`` they are those that were described, or the store's answer is an error. In a ``hurry`` it ends with
        Unavailable after half a minute.
        """
        self.check_place(bucket, key, write=False)
        until = time.monotonic() + HURRY_SECONDS_MAX
        condition = {"IfMatch": as_seen.etag} if as_seen and as_seen.etag else {}
        with _in_our_words(bucket, key):
            told = (self._hasty if hurry else self._client).get_object(Bucket=bucket, Key=key, **condition)
            with contextlib.closing(told["Body"]) as body:
                for piece in body.iter_chunks(CHUNK_BYTES):
                    yield piece
                    if hurry and time.monotonic() > until:
                        raise Unavailable(f"The object store takes too long for s3://{bucket}/{key}.")

    def check(self) -> None:
        """See that the buckets are there. A store that does not answer now may do so later, so it is not refused.

        Raises:
            Invalid: a bucket is not there, or the credentials are wrong or missing.
        """
        for bucket in self.listed:
            trouble = self.trouble_with(bucket)
            if trouble and trouble.lasting:
                raise Invalid(
                    f"The bucket {bucket} of s3_buckets cannot be used: {trouble.told}.", field="s3_buckets", hint=_MEND
                )
            if trouble:
                log.warning("The bucket %s of s3_buckets could not be looked at: %s", bucket, trouble.told)
            if trouble and trouble.away:
                return

    def trouble_with(self, bucket: str) -> "Trouble | None":
        """What is wrong with a bucket, found by listing one key of it; None when all is well."""
        from botocore.exceptions import (
            BotoCoreError,
            ClientError,
            NoCredentialsError,
            PartialCredentialsError,
            ProfileNotFound,
        )

        try:
            self._hasty.list_objects_v2(Bucket=bucket, MaxKeys=1)
        except ClientError as problem:
            code = str(problem.response.get("Error", {}).get("Code", ""))
            return Trouble(code in WRONG, f"the object store answers {code}")
        except (NoCredentialsError, PartialCredentialsError, ProfileNotFound) as problem:
            return Trouble(True, f"{problem}".rstrip("."))
        except BotoCoreError as problem:
            return Trouble(False, f"{problem}".rstrip("."), away=True)
        return None


class Trouble(NamedTuple):
    """What is wrong, whether it stays so until somebody mends a setting, and whether the store does not answer at all."""

    lasting: bool
    told: str
    away: bool = False


_MEND = "Make the bucket, or mend s3_buckets, s3_endpoint, s3_region or the credentials (AWS_* or AWS_PROFILE)."


@contextlib.contextmanager
def _in_our_words(bucket: str, key: str) -> Iterator[None]:
    """Errors of the store as ours. What the store says of signatures and keys stays out of them."""
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    what = f"s3://{bucket}/{key}"
    try:
        yield
    except ClientError as problem:
        code = str(problem.response.get("Error", {}).get("Code", ""))
        status = int(problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
        if code == "NoSuchBucket":
            raise ObjectAbsent(f"The object store has no bucket {bucket}.", field="bucket") from problem
        if code in ABSENT:
            raise ObjectAbsent(f"The object store has no object {what}.", field="key") from problem
        if status >= 500 or code in PASSING:
            raise Unavailable(f"The object store answered {code or status} for {what}.") from problem
        raise StoreRefuses(f"The object store answered {code or status} for {what}.") from problem
    except (BotoCoreError, HTTPError, OSError) as problem:
        raise Unavailable(f"The object store could not be reached for {what}: {problem}") from problem


def parse_listed(text: str) -> dict[str, bool]:
    """Read a list of buckets with commas between; ``name:read`` is a bucket for reading only.

    Raises:
        Invalid: a name is none, or stands there twice.
    """
    found: dict[str, bool] = {}
    for each in filter(None, (part.strip() for part in text.split(","))):
        name, _, mark = each.removeprefix("s3://").rstrip("/").partition(":")
        if not _BUCKET.fullmatch(name) or ".." in name or mark not in ("", READ_ONLY):
            raise Invalid(
                f"{each[:100]!r} is not a bucket: write its name, or name:read where it is only to be read.",
                field="s3_buckets",
            )
        if name in found:
            raise Invalid(f"The bucket {name} is listed twice.", field="s3_buckets")
        found[name] = mark != READ_ONLY
    return found


def open_object_store(buckets: str, *, endpoint: str, region: str, store: str = "") -> ObjectStore | None:
    """Open the store whose buckets are listed, and look at them; None where none is listed.

    Raises:
        Invalid: the list, the endpoint, a bucket or the credentials are wrong; or a bucket holds Modelward's own blobs.
    """
    listed = parse_listed(buckets)
    if not listed:
        if endpoint or region:
            raise Invalid(
                "s3_endpoint and s3_region say where the buckets of s3_buckets are, and none is listed.",
                field="s3_buckets",
            )
        return None
    own = store.removeprefix("s3://").partition("/")[0] if store.startswith("s3://") else ""
    if own in listed:
        raise Invalid(
            f"The bucket {own} holds the blobs of Modelward itself (setting store), which nobody else may write to.",
            field="s3_buckets",
            hint="List another bucket.",
        )
    opened = ObjectStore(listed, endpoint=endpoint, region=region)
    opened.check()
    return opened
