"""Bytes by their digest, in a folder and in a bucket: the same laws."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelward.kernel.errors import Invalid, Unavailable
from modelward.kernel.refs import Digest
from modelward.storage.blobs import BlobDamaged, BlobMissing, BucketBlobs, FolderBlobs, digest_of, open_blobs

BIG = bytes(range(256)) * 12_000


@pytest.fixture(params=["folder", "bucket"])
def blobs(request, tmp_path):
    return open_blobs(str(tmp_path / "blobs") if request.param == "folder" else request.getfixturevalue("bucket"))


def damage(blobs, digest, content):
    """Swap the stored bytes behind the back of the store."""
    if isinstance(blobs, FolderBlobs):
        blobs.path(digest).write_bytes(content)
    else:
        blobs._obstore.put(blobs._store, blobs._key(digest), content)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.integers(1, 50))
def test_bytes_kept_in_any_pieces_come_back_under_their_sha256(blobs, content, piece):
    pieces = [content[start : start + piece] for start in range(0, len(content), piece)]

    digest, size = blobs.put(iter(pieces))

    assert digest == f"sha256:{hashlib.sha256(content).hexdigest()}" == digest_of(content)
    assert size == len(content)
    assert blobs.get(digest) == content


def test_big_bytes_are_read_in_pieces(blobs):
    digest, _ = blobs.put(BIG)

    pieces = list(blobs.open(digest))

    assert b"".join(pieces) == BIG


def test_the_same_bytes_twice_are_one_blob(blobs):
    assert blobs.put(b"model") == blobs.put([b"mo", b"del"])
    assert blobs.exists(digest_of(b"model"))


@pytest.mark.parametrize("content", [b"", b"other", BIG[:-1] + b"!", BIG[:-1], BIG + b"!"])
def test_swapped_bytes_are_never_given_out_whole(blobs, content):
    digest, _ = blobs.put(BIG)
    damage(blobs, digest, content)

    got = []
    with pytest.raises(BlobDamaged, match=str(digest)):
        got.extend(blobs.open(digest))

    assert b"".join(got) != content or not content
    with pytest.raises(BlobDamaged):
        blobs.get(digest)


def test_a_blob_that_was_never_kept_is_missing(blobs):
    digest = digest_of(b"never")

    assert not blobs.exists(digest)
    with pytest.raises(BlobMissing):
        blobs.open(digest)


def test_a_source_that_breaks_off_leaves_nothing(blobs, tmp_path):
    def pieces():
        yield b"half"
        raise RuntimeError("gone")

    with pytest.raises(RuntimeError):
        blobs.put(pieces())

    assert not blobs.exists(digest_of(b"half"))
    assert not [each for each in (tmp_path / "blobs").rglob("*") if each.is_file()]


def test_many_who_keep_the_same_bytes_at_once_all_succeed(blobs):
    together = threading.Barrier(8)

    def keep(_):
        together.wait(20)
        return blobs.put(BIG)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(keep, range(8))) == {(digest_of(BIG), len(BIG))}
    assert blobs.get(digest_of(BIG)) == BIG


def test_a_bucket_that_cannot_be_reached_is_unavailable_not_missing(bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    blobs = BucketBlobs(bucket)

    with pytest.raises(Unavailable):
        blobs.exists(Digest("sha256:" + "0" * 64))


def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path):
    blobs = FolderBlobs(tmp_path / "blobs")
    (tmp_path / "blobs").rmdir()

    with pytest.raises(Unavailable, match="could not be stored"):
        blobs.put(b"model")


def test_a_store_of_an_unknown_kind_is_refused_by_name():
    with pytest.raises(Invalid, match="ftp://"):
        open_blobs("ftp://somewhere")
