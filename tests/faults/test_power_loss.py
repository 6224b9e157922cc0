"""A power cut at any moment loses no acknowledged write and leaves no half operation.

The simulation is trusted because it condemns SQLite without the flush (``synchronous`` NORMAL and OFF), and a store that
acknowledges before its commit.
"""

import os
import random
import shutil

import pytest

from faults.recording import Disk, record
from modelward.governance.registry import store as registry
from modelward.kernel.refs import Digest
from modelward.storage import event_log
from modelward.storage.blobs import BlobDamaged, BlobMissing, FolderBlobs
from modelward.storage.database import Database
from support.needs import missing

IMAGES = int(os.environ.get("MODELWARD_POWER_IMAGES", "640"))
CONTROL_IMAGES = 120
SHARES = 4
BEGIN = """
import os, random, sys
from pathlib import Path
import modelward.storage.database as storage
from modelward.governance.access.entities import SYSTEM
from modelward.governance.registry import use_cases
from modelward.kernel.errors import Invalid
from modelward.kernel.refs import ModelRef
from modelward.storage.blobs import FolderBlobs
from modelward.storage.migrations import upgrade
from modelward.storage.work import Workshop

folder, synchronous, early = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "early"
prepare = storage._prepare_sqlite_writer
storage._prepare_sqlite_writer = lambda raw, record: (prepare(raw, record), raw.execute(f"PRAGMA synchronous={synchronous}"))
database = storage.Database.in_folder(folder)
workshop = Workshop(database=database, blobs=FolderBlobs(folder / "blobs"))
"""
SETUP = """
upgrade(database)
workshop.write(SYSTEM, lambda work: use_cases.register_model(work, name="fraud"))
database.close()
"""
# Rounds of one to six units that share a transaction, among them units that fail and units with an artifact, and
# checkpoints as often as possible.
WORK = """
def ack(text):
    os.write(1, f"ack {text}\\n".encode())

def version(round, unit, digest):
    def task(work):
        if digest:
            use_cases.store_artifact(work, digest=digest, bytes=100, name="model")
        kept = use_cases.register_version(work, ModelRef("fraud"), artifact=digest, description="x" * chance.randint(0, 3000))
        if unit == 4:
            raise Invalid("This unit fails.")
        return kept
    return task

chance = random.Random(1)
database.write(lambda connection: connection.exec_driver_sql("PRAGMA wal_autocheckpoint=40"))
for round in range(45):
    waiting = []
    for unit in range(chance.randint(1, 6)):
        digest = workshop.blobs.put(f"model {round} {unit}".encode() * 9)[0] if unit == 0 and round % 4 == 0 else None
        waiting.append(workshop.submit(SYSTEM, version(round, unit, digest)))
        if early:
            ack(f"early {round} {unit}")
    for future in waiting:
        if not future.exception():
            ack(future.result().ref)
database.close()
"""


@pytest.fixture(scope="session")
def recordings(tmp_path_factory):
    """What a process wrote that registered versions, by setting: recorded once, when first asked for."""
    if shutil.which("strace") is None:
        missing("strace")
    made = {}

    def recording(synchronous="FULL", *, early="", work=WORK):
        if (synchronous, early) not in made:
            folder = tmp_path_factory.mktemp("power") / "store"
            folder.mkdir()
            record(BEGIN + SETUP, folder, synchronous, "")
            made[synchronous, early] = (Disk.of(folder), record(BEGIN + work, folder, synchronous, early))
        return made[synchronous, early]

    return recording


def judge(folder, acked):
    """What is wrong with a store after a power cut; nothing: it kept all that it had acknowledged, and nothing by half."""
    database = Database.in_folder(folder)
    try:
        return database.read(lambda connection: list(_faults(connection, FolderBlobs(folder / "blobs"), acked)))
    except Exception as problem:  # noqa: BLE001 - whatever it is, it is a fault
        return [f"It cannot be read: {type(problem).__name__}: {problem}"[:200]]
    finally:
        database.close()


def _faults(connection, blobs, acked):
    if (verdict := connection.exec_driver_sql("PRAGMA integrity_check").scalar()) != "ok":
        yield f"SQLite: {verdict}"
    if breaks := event_log.verify(connection).breaks:
        yield f"The chain is broken: {breaks[0].problem}"
    versions = connection.execute(registry.version.select().order_by(registry.version.c.number)).all()
    if lost := set(acked) - {row.ref for row in versions}:
        yield f"Lost though acknowledged: {sorted(lost)}"
    counted = connection.scalar(registry.model.select().with_only_columns(registry.model.c.versions))
    if [row.number for row in versions] != list(range(1, counted + 1)):
        yield f"The numbers have gaps: {[row.number for row in versions]} of {counted}."
    told = [each.subject for each in event_log.read(connection, names=["VersionRegistered"], limit=10_000)]
    if sorted(told) != sorted(row.ref for row in versions):
        yield "Versions and events do not agree."
    for digest in (Digest(row.artifact) for row in versions if row.artifact):
        try:
            blobs.get(digest)
        except (BlobMissing, BlobDamaged) as problem:
            yield f"An artifact is gone: {problem}"


def condemned(recording, folder, *, images, seed):
    """Cut the power at random moments and list what was wrong after each."""
    begun, calls = recording
    chance = random.Random(seed)
    points = sorted(chance.randrange(1, len(calls) + 1) for _ in range(images))
    disk, done, found = begun_again(begun), 0, []
    for point in points:
        for call in calls[done:point]:
            disk.run(call)
        done = point
        disk.after_power_cut(folder, chance)
        acked = [each.decode() for each in disk.acked]
        faults = judge(folder, [each for each in acked if "@" in each] + early_ones(acked))
        found += [f"after call {point}: {each}" for each in faults]
    return found


def begun_again(disk):
    from copy import deepcopy

    return deepcopy(disk)


def early_ones(acked):
    # The n-th unit handed in and told of too early, those that fail left out, is the n-th version.
    handed_in = [each for each in acked if each.startswith("early") and not each.endswith(" 4")]
    return [f"fraud@{number}" for number in range(1, len(handed_in) + 1)]


@pytest.mark.faults
@pytest.mark.parametrize("share", range(SHARES))
def test_a_power_cut_loses_no_acknowledged_write_and_leaves_no_half_operation(recordings, tmp_path, share):
    found = condemned(recordings(), tmp_path / "image", images=IMAGES // SHARES, seed=1000 + share)

    assert found == []


@pytest.mark.faults
@pytest.mark.parametrize("setting", ["NORMAL", "OFF"])
def test_the_simulation_condemns_a_store_that_does_not_flush_its_commits(recordings, tmp_path, setting):
    found = condemned(recordings(setting), tmp_path / "image", images=CONTROL_IMAGES, seed=1)

    assert [
        each for each in found if "Lost though acknowledged" in each or "cannot be read" in each or "SQLite:" in each
    ]


@pytest.mark.faults
def test_the_simulation_condemns_a_store_that_acknowledges_before_the_commit(recordings, tmp_path):
    found = condemned(recordings(early="early"), tmp_path / "image", images=CONTROL_IMAGES, seed=2)

    assert [each for each in found if "Lost though acknowledged" in each]


@pytest.mark.faults
def test_the_recording_saw_flushes_checkpoints_artifacts_and_acknowledgements(recordings):
    _, calls = recordings()
    kinds = {each.kind for each in calls}

    assert {"write", "sync", "rename", "ack", "create", "unlink"} <= kinds
    assert any(each.kind == "write" and each.path == "modelward.db" for each in calls), "no checkpoint was recorded"
    assert sum(each.kind == "ack" for each in calls) > 100
