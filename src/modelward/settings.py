"""The settings, from the command line, the environment (MODELWARD_*) and modelward.toml; nobody else reads these."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from modelward.kernel.errors import Invalid


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How this installation runs. Each field can be set as MODELWARD_<FIELD> or in modelward.toml."""

    home: Path = Path("modelward-data")
    """The data folder."""
    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = 8321
    """The port to listen on; 0 takes a free one."""
    database_url: str = ""
    """A PostgreSQL database such as postgresql://user@host/name; empty: SQLite in the data folder."""
    store: str = ""
    """Where blobs are kept: a folder or s3://bucket/prefix; empty: in the data folder."""
    s3_buckets: str = ""
    """Buckets of another object store that may be used, with commas between; `name:read` only to read; empty: none."""
    s3_endpoint: str = ""
    """Where the object store of s3_buckets is, such as https://minio.example.com; empty: AWS_ENDPOINT_URL_S3, or AWS.

    Credentials are found as AWS clients find them, in AWS_* or AWS_PROFILE."""
    s3_region: str = ""
    """The region of s3_buckets; empty: that of AWS_DEFAULT_REGION or AWS_REGION, else us-east-1."""
    policy: Path | None = None
    """The approval policy (TOML); None: policy.toml in the data folder, else the one that comes with Modelward."""
    hosts: str = ""
    """Further host names under which the server is reached, with commas between."""
    outbound_allow: str = ""
    """Addresses or networks of private or loopback kind that the server may call, with commas between."""
    public_url: str = ""
    """Where people reach the pages, such as https://models.example.com; documents point there. Empty: host and port."""
    worker_slots: int = 2
    """How many jobs run at the same time in this process."""
    attachment_bytes_max: int = 25 << 20
    """How many bytes a file attached to a card may have."""
    card_characters_max: int = 2_000_000
    """How many characters the content of a card may have as JSON; over the AWS interface 100,000 at most in any case."""
    blob_grace_days: int = 7
    """After how many days stored bytes that nothing refers to are deleted; 0: never."""
    false_alarms_a_month: float = 1.0
    """How many false drift alarms a month a monitor with a schedule may raise if it names no budget of its own; 0: no budget."""
    font_folders: str = ""
    """Folders of fonts for PDF documents, with commas between; asked for characters that the fonts of typst lack."""
    system_fonts: bool = True
    """Whether the fonts of the system are asked after those folders."""
    aws_account: str = "123456789012"
    """The account number, of 12 digits, that clients of the AWS interface see."""
    aws_region: str = "us-east-1"
    """The region that `modelward aws connect` tells clients to use; the server serves every region alike."""
    aws_calls_per_second: int = 0
    """How many calls a second one person or service may make over the AWS interface, whichever of their key pairs they use,
    and twice as many at once; 0: no limit. Each server process counts for itself."""
    aws_test_mode: bool = False
    """For tests of clients only: any key is the owner's, signatures are not checked, a request empties the account.

    Refused unless the server listens on the loopback."""
    key_pairs_file: Path | None = None
    """The file from which the secrets of key pairs are made; None: key-pairs-key in the data folder, made when needed.

    Servers on one PostgreSQL database share it."""
    work: bool = True
    """Whether `modelward serve` also runs jobs (only with PostgreSQL can it be turned off)."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise Invalid(f"The port is {self.port}; it must be from 0 to 65535.", field="port")
        _check_address(self.database_url)
        _check_public_url(self.public_url)
        _check_s3_endpoint(self.s3_endpoint)
        if not 1 <= self.worker_slots <= 64:
            raise Invalid(f"worker_slots is {self.worker_slots}; it must be from 1 to 64.", field="worker_slots")
        if not 1 <= self.attachment_bytes_max <= 4 << 30:
            raise Invalid(
                f"attachment_bytes_max is {self.attachment_bytes_max}; it must be from 1 to {4 << 30}.",
                field="attachment_bytes_max",
            )
        if self.blob_grace_days and not 2 <= self.blob_grace_days <= 3650:
            raise Invalid(
                f"blob_grace_days is {self.blob_grace_days}; it must be 0 or from 2 to 3650.", field="blob_grace_days"
            )
        if not 0 <= self.false_alarms_a_month <= 1000:
            raise Invalid(
                f"false_alarms_a_month is {self.false_alarms_a_month}; it must be from 0 to 1000.",
                field="false_alarms_a_month",
            )
        if not 100_000 <= self.card_characters_max <= 5_000_000:
            raise Invalid(
                f"card_characters_max is {self.card_characters_max}; it must be from 100000 to 5000000.",
                field="card_characters_max",
            )

        _check_aws(self)

    @property
    def is_local(self) -> bool:
        """Whether the server listens on the loopback only."""
        return self.host in ("127.0.0.1", "::1", "localhost")

    @property
    def address(self) -> str:
        """Where people reach the pages; empty when it is not known."""
        if self.public_url:
            return self.public_url.rstrip("/")
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{shown}:{self.port}" if self.port and self.host not in ("0.0.0.0", "::") else ""

    @property
    def uses_postgres(self) -> bool:
        """Whether the database is PostgreSQL, so that several processes may serve and work."""
        return bool(self.database_url) and not self.database_url.startswith("sqlite")


def _check_aws(chosen: Settings) -> None:
    if len(chosen.aws_account) != 12 or not chosen.aws_account.isdecimal() or not chosen.aws_account.isascii():
        raise Invalid(f"aws_account is {chosen.aws_account!r}; it must be 12 digits.", field="aws_account")
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[0-9]", chosen.aws_region) or not 9 <= len(chosen.aws_region) <= 16:
        raise Invalid(
            f"aws_region is {chosen.aws_region!r}; it must look like us-east-1, of 9 to 16 characters.",
            field="aws_region",
        )
    if chosen.aws_calls_per_second < 0:
        raise Invalid(
            f"aws_calls_per_second is {chosen.aws_calls_per_second}; it must be 0 or more.",
            field="aws_calls_per_second",
        )
    if chosen.aws_test_mode and chosen.s3_buckets:
        raise Invalid(
            "aws_test_mode lets everybody in, so it is refused where s3_buckets lists buckets of another object store.",
            field="aws_test_mode",
            hint="Turn one of them off.",
        )
    if chosen.aws_test_mode and not chosen.is_local:
        raise Invalid(
            f"aws_test_mode lets everybody in, so it is refused on {chosen.host}.",
            field="aws_test_mode",
            hint="Listen on 127.0.0.1, or turn it off.",
        )


def _check_public_url(url: str) -> None:
    if not url:
        return
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise Invalid(f"public_url is {url[:200]!r}; it must look like https://models.example.com.", field="public_url")


def _check_s3_endpoint(url: str) -> None:
    if not url:
        return
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.path.strip("/"):
        # What stands before an @ may be a secret, so the address is not shown.
        raise Invalid(
            "s3_endpoint must look like https://minio.example.com, without a path, a user or a password.",
            field="s3_endpoint",
            hint="Credentials belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile.",
        )


def _check_address(url: str) -> None:
    try:
        # The password may stand in it, so no message shows the address.
        fits = not url or bool(urlsplit(url).port or "://" in url)
    except ValueError:
        fits = False
    if not fits:
        raise Invalid(
            "database_url is not the address of a database.",
            field="database_url",
            hint="Write postgresql://user@host:5432/name, and signs such as [ or # in a password as %5B or %23.",
        )


def load(environment: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """Read the settings; what is given here goes before the environment, that before the file.

    Raises:
        Invalid: a setting is unknown or of the wrong kind; the message names it.
    """
    environment = os.environ if environment is None else environment
    fields = {field.name: field for field in msgspec.structs.fields(Settings)}
    from_environment = {
        name: environment[f"MODELWARD_{name.upper()}"] for name in fields if f"MODELWARD_{name.upper()}" in environment
    }
    unknown = sorted(set(given) - set(fields))
    if unknown:
        raise Invalid(f"{unknown[0]!r} is not a setting; known are {', '.join(sorted(fields))}.", field=unknown[0])
    chosen = {**from_environment, **{name: value for name, value in given.items() if value is not None}}
    home = Path(chosen.get("home", Settings().home)).expanduser()
    merged = {**_from_file(home / "modelward.toml", set(fields)), **chosen, "home": home}
    return _convert(merged)


def _from_file(path: Path, known: set[str]) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        content = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as problem:
        raise Invalid(f"{path} cannot be read: {problem}", field=str(path)) from problem
    unknown = sorted(set(content) - known)
    if unknown:
        raise Invalid(
            f"{path} sets {unknown[0]!r}, which is not a setting; known are {', '.join(sorted(known))}.",
            field=unknown[0],
        )
    return content


def _convert(values: dict[str, Any]) -> Settings:
    try:
        return msgspec.convert(
            {name: str(value) if isinstance(value, Path) else value for name, value in values.items()},
            Settings,
            strict=False,
            dec_hook=lambda kind, value: Path(value).expanduser() if kind is Path else value,
        )
    except msgspec.ValidationError as problem:
        raise Invalid(
            f"A setting is not valid: {problem}", hint="See the table of settings in docs/SETTINGS.md."
        ) from problem
