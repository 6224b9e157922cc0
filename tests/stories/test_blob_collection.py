"""Bytes that nothing refers to are deleted after a while, and no others ever: on both databases and both kinds of store."""

import contextlib
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from modelward.governance.access.entities import SYSTEM
from modelward.governance.monitoring.entities import BaselineConstraintsChanged
from modelward.governance.upkeep import collecting, use_cases
from modelward.jobs import queue
from modelward.kernel.errors import Invalid, NotAllowed
from modelward.kernel.refs import BaselineRef
from modelward.storage.blobs import FolderBlobs, digest_of
from modelward.storage.mentions import digests_mentioned
from support.houses import visitor_of

DAYS = 7
LONG_AGO = timedelta(days=DAYS, hours=1)


@pytest.fixture(params=["sqlite-folder", "sqlite-bucket", "postgres-folder", "postgres-bucket"])
def visitor(request, tmp_path):
    with contextlib.ExitStack() as opened:
        chosen = {}
        if "postgres" in request.param:
            chosen["database_url"] = opened.enter_context(request.getfixturevalue("postgres_databases").lend())
        if "bucket" in request.param:
            chosen["store"] = request.getfixturevalue("bucket")
        yield opened.enter_context(visitor_of(tmp_path / "data", **chosen))


@pytest.fixture
def quiet(visitor):
    """A house whose own worker does not run."""
    visitor.house.worker.stop()
    return visitor


def age(visitor, *, by=LONG_AGO):
    """Let time pass: the clock of the house runs ahead of the store by that much."""
    shop = visitor.house.workshop
    now = shop.clock
    shop.clock = lambda: now() + by


def leave_idle(visitor):
    """Let a collection note what is idle now, and then the days of grace go by."""
    assert collect(visitor).blobs == 0
    age(visitor)


def collect(visitor, *, take_over=""):
    shop = visitor.house.workshop
    shop.write(SYSTEM, lambda work: use_cases.request_collection(work, take_over=take_over))
    return collecting.collect(shop, claimed(shop), pause=0.01)


def claimed(shop):
    jobs = shop.database.write(
        lambda c: queue.claim(c, owner="w", now=shop.clock(), limit=100, lease=timedelta(minutes=5))
    )
    return next(job for job in jobs if job.kind == use_cases.COLLECTION_JOB)


def blobs(visitor):
    return visitor.house.workshop.blobs


def test_only_what_nothing_refers_to_goes_and_only_after_the_days_of_grace(quiet):
    client = quiet.client()
    client.cards.create("kept")
    client.cards.attachments.add("kept", b"of use", name="a.txt")
    taken_off = client.cards.attachments.add("kept", b"taken off", name="b.txt")
    client.cards.attachments.remove(taken_off.id)
    orphan, _ = blobs(quiet).put(b"refused")

    assert collect(quiet).blobs == 0
    told = client.blobs.unreferenced()
    assert (told.blobs, told.blobs_unreferenced, told.blobs_due) == (3, 2, 0)
    age(quiet)
    assert client.blobs.unreferenced().blobs_due == 2
    done = collect(quiet)

    assert (done.blobs, done.bytes, done.blobs_left) == (2, len(b"refused") + len(b"taken off"), 0)
    assert not blobs(quiet).exists(orphan)
    assert not blobs(quiet).exists(digest_of(b"taken off"))
    assert blobs(quiet).get(digest_of(b"of use")) == b"of use"
    [deleted] = client.events.list(name="BlobsDeleted")
    assert set(deleted.detail["blobs"]) == {orphan, digest_of(b"taken off")}
    assert collect(quiet).blobs == 0


def test_what_any_row_mentions_stays(quiet):
    """A house where much has happened: each blob that a row refers to is there after everything old was collected."""
    client = quiet.client()
    client.models.register("fraud")
    ref = client.versions.register("fraud", artifact=b"bytes of a model").ref
    client.cards.create("of-fraud", version=ref)
    client.cards.import_report(
        "of-fraud", {"binary_classification_metrics": {"auc": {"value": 0.9}}}, title="Vendor test"
    )
    shop = quiet.house.workshop
    before = {each.digest for each in blobs(quiet).kept()}
    mentioned = shop.read(SYSTEM, lambda work: digests_mentioned(work.connection, apart={"event": None}))
    leave_idle(quiet)

    collect(quiet)

    assert {each.digest for each in blobs(quiet).kept()} == {each for each in before if each.hex in mentioned} == before


def test_bytes_that_are_put_again_are_new_again(quiet):
    store = blobs(quiet)
    digest, _ = store.put(b"again")
    if isinstance(store, FolderBlobs):
        os.utime(store.path(digest), (1, 1))
        store.put(b"again")
        assert collect(quiet).blobs == 0
    assert store.remove([digest], put_before=time.time() - 60) == []
    assert store.exists(digest)


def test_a_put_and_a_removal_of_the_same_bytes_never_leave_whoever_put_them_without(quiet):
    """Many rounds of one who puts and one who removes what is old at the same moment: what was put last is there."""
    store = blobs(quiet)
    if not isinstance(store, FolderBlobs):
        pytest.skip("the age of an object cannot be set from outside; the gate is the same")
    digest, ends = digest_of(b"raced"), threading.Event()

    def removes():
        while not ends.is_set():
            store.remove([digest], put_before=time.time() - 3600)

    with ThreadPoolExecutor(3) as pool:
        removers = [pool.submit(removes) for _ in range(2)]
        try:
            for _ in range(150):
                store.put(b"raced")
                assert store.exists(digest)
                if store.path(digest).exists():
                    os.utime(store.path(digest), (1, 1))
        finally:
            ends.set()
        [each.result() for each in removers]


def test_nothing_is_removed_while_somebody_puts(quiet):
    store = blobs(quiet)
    digest, _ = store.put(b"orphan")
    with store._gate.putting():
        assert store.remove([digest], put_before=time.time() + 60) is None
    assert [each.digest for each in store.remove([digest], put_before=time.time() + 60)] == [digest]


def test_an_upload_that_was_stored_and_not_yet_noted_survives_a_collection(quiet):
    """The bytes of a new version lie there as an old orphan; they are put, collected at once, and then noted."""
    client, store = quiet.client(), blobs(quiet)
    old, _ = store.put(b"model of old")
    if isinstance(store, FolderBlobs):
        os.utime(store.path(old), (1, 1))
    real = store.put

    def put_and_collect(chunks):
        answer = real(chunks)
        collect(quiet)
        return answer

    store.put = put_and_collect
    client.models.register("fraud")
    client.versions.register("fraud", artifact=b"model of old")
    store.put = real

    assert store.get(digest_of(b"model of old")) == b"model of old"


def test_a_crash_at_any_point_loses_no_blob_in_use_and_the_next_run_goes_on(quiet, monkeypatch):
    client, shop = quiet.client(), quiet.house.workshop
    client.cards.create("kept")
    client.cards.attachments.add("kept", b"of use", name="a.txt")
    orphans = [blobs(quiet).put(f"orphan {n}".encode())[0] for n in range(5)]
    leave_idle(quiet)
    monkeypatch.setattr(collecting, "DELETED_AT_ONCE", 2)
    shop.write(SYSTEM, use_cases.request_collection)
    job = claimed(shop)
    real, calls = shop.write, []

    def crashing(actor, task):
        calls.append(task)
        # The first notes what is idle, the second tells of two that are gone.
        if len(calls) == 3:
            raise RuntimeError("killed")
        return real(actor, task)

    monkeypatch.setattr(shop, "write", crashing)
    with pytest.raises(RuntimeError):
        collecting.collect(shop, job, pause=0.01)
    monkeypatch.setattr(shop, "write", real)

    done = collecting.collect(shop, job, pause=0.01)

    assert done.blobs == 1
    assert not any(blobs(quiet).exists(each) for each in orphans)
    assert blobs(quiet).exists(digest_of(b"of use"))


def test_bytes_are_kept_for_the_days_of_grace_after_the_last_reference_went_however_old_they_are(quiet):
    client = quiet.client()
    client.cards.create("kept")
    taken_off = client.cards.attachments.add("kept", b"put long ago", name="a.txt")
    leave_idle(quiet)
    client.cards.attachments.remove(taken_off.id)

    assert client.blobs.unreferenced().blobs_due == 0
    assert collect(quiet).blobs == 0
    age(quiet, by=timedelta(days=DAYS - 1))
    assert collect(quiet).blobs == 0
    age(quiet, by=timedelta(days=1, hours=1))
    assert collect(quiet).blobs == 1


def test_what_was_referred_to_again_begins_its_days_of_grace_anew(quiet):
    client = quiet.client()
    client.cards.create("kept")
    for _ in range(2):
        again = client.cards.attachments.add("kept", b"off and on", name="a.txt")
        assert collect(quiet).blobs == 0
        age(quiet)
        client.cards.attachments.remove(again.id)
        assert collect(quiet).blobs == 0
    age(quiet)
    assert collect(quiet).blobs == 1


def test_constraints_that_were_replaced_stay(quiet):
    """No row names them any more; the event that tells of the change does, and reports were judged by them."""
    replaced, _ = blobs(quiet).put(b"constraints of old")
    changed, _ = blobs(quiet).put(b"new constraints")
    happened = BaselineConstraintsChanged(
        baseline=BaselineRef("usual"), version=2, constraints=changed, constraints_before=replaced, note=""
    )
    quiet.house.workshop.write(SYSTEM, lambda work: work.record(happened))
    leave_idle(quiet)

    assert collect(quiet).blobs == 0
    assert blobs(quiet).get(replaced) == b"constraints of old"


@pytest.fixture
def second(quiet, tmp_path_factory):
    """Another installation that keeps its blobs in the same store."""
    store = quiet.house.settings.store or str(quiet.house.home.folder / "blobs")
    with visitor_of(tmp_path_factory.mktemp("other") / "data", store=store) as other:
        other.house.worker.stop()
        yield other


def test_in_a_store_that_two_installations_signed_neither_deletes(quiet, second):
    """Also what only the other one refers to is there, whichever of them looks first."""
    second.client().cards.create("of-the-second")
    second.client().cards.attachments.add("of-the-second", b"of the second", name="a.txt")
    orphan, _ = blobs(quiet).put(b"of the first house")
    for each in (quiet, second):
        leave_idle(each)
        done = collect(each)
        assert (done.blobs, "another installation" in done.reason, "--take-over" in done.reason) == (0, True, True)
        assert each.client().blobs.unreferenced().refusal == done.reason

    assert blobs(quiet).exists(orphan)
    assert blobs(quiet).get(digest_of(b"of the second")) == b"of the second"


def test_who_takes_a_store_over_says_why_and_waits_the_days_of_grace_again(quiet, second):
    orphan, _ = blobs(quiet).put(b"orphan")
    leave_idle(quiet)
    with pytest.raises(Invalid, match="must say why"):
        collect(quiet, take_over=" ")

    taken = collect(quiet, take_over="the other one was shut down")

    assert (taken.blobs, "Nothing is deleted for 7 days" in taken.reason) == (0, True)
    [asked] = [each for each in quiet.client().events.list(name="BlobCollectionRequested") if each.detail["take_over"]]
    assert asked.detail["take_over"] == "the other one was shut down"
    age(quiet)
    assert collect(quiet).blobs == 1
    assert not blobs(quiet).exists(orphan)


def test_another_installation_that_lives_on_signs_again_after_it_was_struck_out(quiet, second):
    orphan, _ = blobs(quiet).put(b"orphan")
    leave_idle(quiet)
    collect(quiet, take_over="I thought it was gone")
    collect(second)
    age(quiet)

    assert "another installation" in collect(quiet).reason
    assert blobs(quiet).exists(orphan)


def test_a_database_that_does_not_know_what_the_store_has_seen_deletes_nothing(quiet):
    """A copy of the database, or one that was brought back from a backup: the store has seen later events."""
    orphan, _ = blobs(quiet).put(b"orphan")
    leave_idle(quiet)
    mark = quiet.house.workshop.read(SYSTEM, use_cases.mark_of)
    seen = blobs(quiet).signatures.head(mark)
    for other in (f"1000000 {'a' * 64}", f"{seen.split()[0]} {'b' * 64}", "torn"):
        blobs(quiet).signatures.note_head(mark, other)
        done = collect(quiet)
        assert (done.blobs, "does not know" in done.reason) == (0, True)
        assert blobs(quiet).signatures.head(mark) == other

    collect(quiet, take_over="the backup is the one to go on with")
    assert collect(quiet).blobs == 0
    age(quiet)
    assert collect(quiet).blobs == 1
    assert not blobs(quiet).exists(orphan)


def test_who_asks_needs_the_permission_and_gets_an_answer(visitor):
    client = visitor.client()
    ana = client.as_(visitor.new_token("ana", "data-scientist"))
    with pytest.raises(NotAllowed, match="lacks the permission"):
        ana.blobs.collect()

    done = client.blobs.collect(seconds_max=30)

    assert (done.blobs, done.bytes, done.reason) == (0, 0, "")


def test_a_setting_turns_it_off(tmp_path):
    with visitor_of(tmp_path) as visitor:
        assert visitor.client().get("/schedules/collect-blobs").next_at
    with visitor_of(tmp_path, blob_grace_days=0) as visitor:
        with pytest.raises(Invalid, match="nothing is ever collected"):
            visitor.client().blobs.collect()
        told = visitor.ask("GET", "/api/v1/schedules/collect-blobs")
        assert told.status == 404


def test_the_tables_and_columns_left_aside_exist(quiet):
    def check(work):
        known = {name: sa.inspect(work.connection).get_columns(name) for name in use_cases.APART}
        assert "removed_at" in {each["name"] for each in known["card_attachment"]}
        assert "state" in {each["name"] for each in known["job"]}

    quiet.house.workshop.read(SYSTEM, check)
