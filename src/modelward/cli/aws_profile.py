"""Profiles for AWS clients, written into their files beside what others wrote there, which is never touched."""

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from modelward.kernel.errors import Conflict, Invalid

PROFILE = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Services that are served here besides the object store, by the names under which the files know them.
SERVICES = (
    "sagemaker",
    "sagemaker_runtime",
    "sagemaker_metrics",
    "sts",
    "iam",
    "eventbridge",
    "scheduler",
    "cloudwatch_logs",
)
CONFIG = """SchemaVersion: '1.0'
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
      Session:
        DefaultS3Bucket: {bucket}
"""


class Files(NamedTuple):
    """Where AWS clients look."""

    config: Path
    credentials: Path
    sagemaker: Path

    @classmethod
    def of(cls, environment: Mapping[str, str], profile: str) -> "Files":
        """The files that the environment names, or those of the home folder."""
        home = Path(environment.get("HOME") or Path.home()) / ".aws"
        config = Path(environment.get("AWS_CONFIG_FILE") or home / "config").expanduser()
        credentials = Path(environment.get("AWS_SHARED_CREDENTIALS_FILE") or home / "credentials").expanduser()
        return cls(config, credentials, config.parent / f"{profile}-sagemaker.yaml")


class Profile(NamedTuple):
    """What a client needs to know."""

    name: str
    url: str
    region: str
    bucket: str
    key: str
    secret: str
    s3_url: str | None
    """The object store that clients use instead of ours; empty for the one of AWS, None for ours."""


def checked_profile(name: str) -> str:
    """The name, if a profile may have it.

    Raises:
        Invalid: it may not.
    """
    if not PROFILE.fullmatch(name):
        raise Invalid(f"{name!r} cannot be the name of a profile.", field="--profile")
    return name


def config_text(profile: Profile) -> str:
    """The profile for the config file."""
    head = f"[profile {profile.name}]\nregion = {profile.region}\n"
    if profile.s3_url is None:
        return f"{head}endpoint_url = {profile.url}\n"
    services = "".join(f"{name} =\n  endpoint_url = {profile.url}\n" for name in SERVICES)
    elsewhere = f"s3 =\n  endpoint_url = {profile.s3_url}\n" if profile.s3_url else ""
    return f"{head}services = {profile.name}\n\n[services {profile.name}]\n{services}{elsewhere}"


def credentials_text(profile: Profile) -> str:
    """The key pair for the credentials file."""
    return f"[{profile.name}]\naws_access_key_id = {profile.key}\naws_secret_access_key = {profile.secret}\n"


def sagemaker_text(profile: Profile) -> str:
    """The settings for the Python SDK: no telemetry, and a bucket that it need not ask AWS for."""
    return CONFIG.format(bucket=profile.bucket)


def known_key(files: Files, name: str) -> tuple[str, str] | None:
    """The key pair that stands in our own block of the credentials file."""
    text = _block(_read(files.credentials), name)
    key = re.search(r"^aws_access_key_id = (\S+)$", text or "", re.MULTILINE)
    secret = re.search(r"^aws_secret_access_key = (\S+)$", text or "", re.MULTILINE)
    return (key[1], secret[1]) if key and secret else None


def check_free(files: Files, name: str) -> None:
    """Whether the profile may be written.

    Raises:
        Conflict: somebody else has written one of this name.
    """
    for file, sections in ((files.config, (f"profile {name}", f"services {name}")), (files.credentials, (name,))):
        foreign = _without(_read(file), name)
        for section in sections:
            if re.search(rf"^\s*\[\s*{re.escape(section)}\s*\]", foreign, re.MULTILINE):
                raise Conflict(
                    f"{file} has a section [{section}] that Modelward did not write.",
                    field="--profile",
                    hint="Choose another name with --profile; what others wrote is never changed.",
                )


def write(files: Files, profile: Profile) -> None:
    """Write the profile in place of the one written before.

    Raises:
        Conflict: somebody else has written one of this name.
    """
    check_free(files, profile.name)
    _put(files.credentials, profile.name, credentials_text(profile))
    _put(files.config, profile.name, config_text(profile))
    _replace(files.sagemaker, sagemaker_text(profile), mode=0o644)


def _marks(name: str) -> tuple[str, str]:
    return f"# modelward: begin {name}\n", f"# modelward: end {name}\n"


def _block(text: str, name: str) -> str | None:
    begin, end = _marks(name)
    _, found, rest = text.partition(begin)
    inner, closed, _ = rest.partition(end)
    return inner if found and closed else None


def _without(text: str, name: str) -> str:
    begin, end = _marks(name)
    inner = _block(text, name)
    return text if inner is None else text.replace(f"{begin}{inner}{end}", "", 1)


def _put(file: Path, name: str, block: str) -> None:
    begin, end = _marks(name)
    kept = _without(_read(file), name).rstrip("\n")
    text = f"{kept}\n\n{begin}{block}{end}" if kept else f"{begin}{block}{end}"
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
    _replace(file, text, mode=mode)


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as problem:
        raise Invalid(f"{file} cannot be read: {problem}.", field=str(file)) from problem


def _replace(file: Path, text: str, *, mode: int) -> None:
    target = file.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=target.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as written:
            written.write(text)
            written.flush()
            os.fsync(written.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, target)
    except OSError as problem:
        raise Invalid(f"{file} cannot be written: {problem.strerror}.", field=str(file)) from problem
