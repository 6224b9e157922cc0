"""The settings, from the command line, the environment (MODELWARD_*) and modelward.toml; nobody else reads these."""

import os
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
    policy: Path | None = None
    """The approval policy (TOML); None: policy.toml in the data folder, else the one that comes with Modelward."""
    hosts: str = ""
    """Further host names under which the server is reached, with commas between."""
    outbound_allow: str = ""
    """Addresses or networks of private or loopback kind that the server may call, with commas between."""
    worker_slots: int = 2
    """How many jobs run at the same time in this process."""
    work: bool = True
    """Whether `modelward serve` also runs jobs (only with PostgreSQL can it be turned off)."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise Invalid(f"The port is {self.port}; it must be from 0 to 65535.", field="port")
        _check_address(self.database_url)
        if not 1 <= self.worker_slots <= 64:
            raise Invalid(f"worker_slots is {self.worker_slots}; it must be from 1 to 64.", field="worker_slots")

    @property
    def is_local(self) -> bool:
        """Whether the server listens on the loopback only."""
        return self.host in ("127.0.0.1", "::1", "localhost")

    @property
    def uses_postgres(self) -> bool:
        """Whether the database is PostgreSQL, so that several processes may serve and work."""
        return bool(self.database_url) and not self.database_url.startswith("sqlite")


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
