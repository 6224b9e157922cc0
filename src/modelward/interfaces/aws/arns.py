"""Amazon resource names and S3 addresses: made, read, checked. No I/O."""

import re
from typing import NamedTuple, Self

from modelward.interfaces.aws.errors import AwsError, validation

REGION = re.compile(r"[a-z]{2}(?:-[a-z]{1,12}){1,3}-[0-9]{1,2}")
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):(?P<account>[0-9]{12})?:(?P<rest>.+)",
    re.DOTALL,
)


def partition_of(region: str) -> str:
    """The partition that a region belongs to."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


class Arn(NamedTuple):
    """The name of a resource: ``arn:aws:sagemaker:us-east-1:123456789012:model-card/fraud``."""

    partition: str
    service: str
    region: str
    account: str
    kind: str
    name: str

    @classmethod
    def parse(cls, text: str, *, field: str = "arn") -> Self:
        """Read an ARN; ``name`` keeps everything after the first slash (``group/3``).

        Raises:
            AwsError: ValidationException, the text is no ARN.
        """
        found = _ARN.fullmatch(text)
        if found is None:
            raise validation(f"{text[:200]!r} at '{field}' is not an ARN.")
        kind, _, name = found["rest"].partition("/")
        return cls(found["partition"], found["service"], found["region"], found["account"] or "", kind, name)

    def __str__(self) -> str:
        rest = f"{self.kind}/{self.name}" if self.name else self.kind
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{rest}"


def make_arn(service: str, region: str, account: str, kind: str, name: str) -> str:
    """The ARN of a resource in a region."""
    return f"arn:{partition_of(region)}:{service}:{region}:{account}:{kind}/{name}"


def is_arn(text: str) -> bool:
    """Whether a text is written as an ARN."""
    return text.startswith("arn:")


def name_in(name_or_arn: str, *, kind: str, field: str) -> str:
    """The name in a member that takes a name or an ARN of one kind; a plain name passes as it is.

    Raises:
        AwsError: ValidationException, it is an ARN of something else.
    """
    if not is_arn(name_or_arn):
        return name_or_arn
    arn = Arn.parse(name_or_arn, field=field)
    if arn.kind != kind:
        raise validation(f"{name_or_arn[:200]!r} at '{field}' is the ARN of a {arn.kind}, not of a {kind}.")
    return arn.name


class S3Uri(NamedTuple):
    """The address of an object or of all below a prefix. The key is taken literally, double slashes included."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, text: str, *, field: str = "S3Uri") -> Self:
        """Read ``s3://bucket/key``.

        Raises:
            AwsError: ValidationException, the text has another form.
        """
        bucket, _, key = text.removeprefix("s3://").partition("/")
        if not text.startswith("s3://") or not bucket:
            raise validation(f"{text[:200]!r} at '{field}' is not an S3 address: write it as s3://bucket/key.")
        return cls(bucket, key)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


__all__ = ["Arn", "AwsError", "S3Uri", "is_arn", "make_arn", "name_in", "partition_of"]
