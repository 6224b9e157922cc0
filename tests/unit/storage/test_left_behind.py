"""What killed processes leave half written is removed at the next start, and what may still be written to is not."""

import os
import time

import pytest

from modelward.interfaces.rest import uploads
from modelward.kernel.errors import Invalid
from modelward.storage.blobs import LEFT_BEHIND_SECONDS, FolderBlobs, open_blobs
from support.houses import visitor_of

NOW = time.time()


def left(folder, name, age):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"half")
    os.utime(path, (NOW - age, NOW - age))
    return path


def test_who_is_alone_removes_all_that_is_half_written_and_nothing_else(tmp_path):
    blobs = FolderBlobs(tmp_path)
    digest, _ = blobs.put(b"whole")
    left(tmp_path, "incoming-1", 0)

    assert blobs.sweep(alone=True, now=NOW) == 1

    assert blobs.get(digest) == b"whole"
    assert list(tmp_path.glob("incoming-*")) == []


def test_beside_others_only_what_is_a_day_old_is_removed(tmp_path):
    young, old = left(tmp_path, "incoming-1", 60), left(tmp_path, "incoming-2", LEFT_BEHIND_SECONDS + 60)

    assert FolderBlobs(tmp_path).sweep(alone=False, now=NOW) == 1

    assert (young.exists(), old.exists()) == (True, False)


def test_an_upload_of_yesterday_is_removed_and_one_of_today_or_of_others_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads.tempfile, "gettempdir", lambda: str(tmp_path))
    old = left(tmp_path, uploads.PREFIX + "old", LEFT_BEHIND_SECONDS + 60)
    young, other = left(tmp_path, uploads.PREFIX + "young", 60), left(tmp_path, "other", LEFT_BEHIND_SECONDS + 60)

    assert uploads.sweep_left_behind(now=NOW) == 1

    assert (old.exists(), young.exists(), other.exists()) == (False, True, True)


def test_a_house_sweeps_when_it_starts(tmp_path):
    path = left(tmp_path / "data" / "blobs", "incoming-1", 0)

    with visitor_of(tmp_path / "data"):
        assert not path.exists()


def test_a_bucket_that_is_not_there_is_refused_at_the_start(bucket, tmp_path):
    with (
        pytest.raises(Invalid, match="NoSuchBucket") as caught,
        visitor_of(tmp_path / "data", store="s3://no-such-bucket/x"),
    ):
        pass

    assert caught.value.field == "store"
    open_blobs(bucket)


def test_a_bucket_that_does_not_answer_now_is_not_refused(bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    open_blobs(bucket)
