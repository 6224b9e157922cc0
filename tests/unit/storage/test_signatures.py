"""Whoever uses a store has signed it, before the first bytes at the latest; the moment of a signature stays."""

import pytest

from modelward.storage import signatures
from modelward.storage.blobs import open_blobs

ONE, OTHER = "a" * 64, "b" * 64


@pytest.fixture(params=["folder", "bucket"])
def store(request, tmp_path):
    return str(tmp_path / "blobs") if request.param == "folder" else request.getfixturevalue("bucket")


def test_all_who_signed_are_told_and_a_second_start_does_not_move_the_moment(store):
    open_blobs(store).signatures.begin(ONE)
    first = open_blobs(store).signatures.sign(ONE)
    open_blobs(store).signatures.begin(ONE)
    open_blobs(store).signatures.begin(OTHER)

    assert set(first) == {ONE}
    assert open_blobs(store).signatures.sign(ONE) == {**first, OTHER: pytest.approx(first[ONE], abs=60)}


def test_a_signature_is_no_blob(store):
    blobs = open_blobs(store)
    blobs.signatures.begin(ONE)
    blobs.signatures.note_head(ONE, "7 abc")

    assert list(blobs.kept()) == []
    assert (blobs.signatures.head(ONE), blobs.signatures.head(OTHER)) == ("7 abc", "")


def test_who_could_not_sign_at_the_start_signs_before_the_first_bytes(store, monkeypatch):
    blobs = open_blobs(store)
    with monkeypatch.context() as broken:
        broken.setattr(blobs.signatures, "_write", _refuses)
        blobs.signatures.begin(ONE)
        with pytest.raises(Exception, match="refused"):
            blobs.put(b"bytes")
        assert list(blobs.kept()) == []
    blobs.put(b"bytes")

    assert set(open_blobs(store).signatures._signers()) == {ONE}


def test_who_was_struck_out_and_lives_on_signs_again_the_next_day(store, monkeypatch):
    living, hasty = open_blobs(store), open_blobs(store)
    living.signatures.begin(OTHER)
    hasty.signatures.begin(ONE)
    assert hasty.signatures.take_over(ONE) == [OTHER]
    assert set(hasty.signatures.sign(ONE)) == {ONE}
    monkeypatch.setattr(signatures, "SEEN_SECONDS", 0)

    living.put(b"bytes")

    assert set(hasty.signatures.sign(ONE)) == {ONE, OTHER}


def _refuses(*_, **__):
    raise OSError("refused")
