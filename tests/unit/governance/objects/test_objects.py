"""Buckets and objects on each database: names, order, parts, and what the event log tells."""

import pytest
from msgspec.structs import replace

from modelward.governance.objects import rules, use_cases
from modelward.governance.objects.entities import Piece
from modelward.kernel.errors import Invalid, NotAllowed
from modelward.kernel.refs import Digest
from modelward.storage import event_log
from support.workshops import ANA

PIECE = Piece("sha256:" + "0" * 64, 3)
NOBODY_MUCH = replace(ANA, permissions=frozenset({"self.read"}))
MEBIBYTES = 5 << 20


def put(work, key, bucket="drawer"):
    return use_cases.store_object(work, bucket=bucket, key=key, pieces=[PIECE], etag="e", headers={"content-type": "x"})


@pytest.fixture
def filled(workshop):
    def fill(work):
        use_cases.make_bucket(work, name="drawer")
        for key in ("a/1", "a/2", "a/b/3", "B", "_", "é", "\uffee", "\U0001f9a0", "zz"):
            put(work, key)

    workshop.write(ANA, fill)
    return workshop


def keys(workshop, **options):
    found = workshop.read(ANA, lambda work: use_cases.list_objects(work, bucket="drawer", **options))
    return [each.key for each in found.objects], found.prefixes, found.next_from


def test_keys_come_in_the_order_of_their_bytes_on_every_database(filled):
    assert keys(filled)[0] == ["B", "_", "a/1", "a/2", "a/b/3", "zz", "é", "\uffee", "\U0001f9a0"]


def test_a_delimiter_gathers_what_lies_below(filled):
    assert keys(filled, prefix="a", delimiter="/") == ([], ["a/"], None)
    assert keys(filled, prefix="a/", delimiter="/") == (["a/1", "a/2"], ["a/b/"], None)
    assert keys(filled, prefix="a/", delimiter="/", limit=2) == (["a/1", "a/2"], [], "a/2")
    assert keys(filled, prefix="a/", delimiter="/", limit=2, after="a/2") == ([], ["a/b/"], None)


def test_an_object_replaces_one_of_the_same_key_and_the_log_tells_both(filled):
    filled.write(ANA, lambda work: put(work, "zz"))

    assert keys(filled)[0].count("zz") == 1
    names = filled.database.read(
        lambda connection: [row.name for row in connection.execute(event_log.event.select()).all()]
    )
    assert names.count("ObjectStored") == 10


def test_a_bucket_that_holds_something_stays(filled):
    with pytest.raises(use_cases.BucketNotEmpty, match="Remove them first"):
        filled.write(ANA, lambda work: use_cases.remove_bucket(work, "drawer"))

    filled.write(ANA, lambda work: use_cases.remove_objects(work, bucket="drawer", keys=[*keys(filled)[0], "never"]))
    filled.write(ANA, lambda work: use_cases.remove_bucket(work, "drawer"))

    assert filled.read(ANA, use_cases.list_buckets) == []


@pytest.mark.parametrize("name", ["", "ab", "Ab1", "a_b", "a..b", "127.0.0.1", "-ab", "a" * 64, "a/b", "a\x00b"])
def test_a_bucket_has_a_name_that_fits_into_an_address(workshop, name):
    with pytest.raises(rules.BucketNameInvalid, match="is not the name of a bucket"):
        workshop.write(ANA, lambda work: use_cases.make_bucket(work, name=name))


@pytest.mark.parametrize("key", ["", "k" * 1025, "\x00", "ü" * 513, "\ud800"])
def test_a_key_has_one_to_1024_bytes(filled, key):
    with pytest.raises(rules.KeyInvalid):
        filled.write(ANA, lambda work: put(work, key))


def test_without_the_permission_nothing_is_seen_or_changed(filled):
    for act in (use_cases.list_buckets, lambda work: use_cases.get_bucket(work, "drawer"), lambda work: put(work, "x")):
        with pytest.raises(NotAllowed):
            filled.write(NOBODY_MUCH, act)


def part(work, upload, number, size=MEBIBYTES, etag="0" * 32):
    return use_cases.store_part(
        work, upload=upload, number=number, digest=Digest("sha256:" + "1" * 64), size=size, etag=etag, checksums={}
    )


@pytest.fixture
def upload(filled):
    begun = filled.write(ANA, lambda work: use_cases.begin_upload(work, bucket="drawer", key="big", headers={}))
    return "drawer", "big", begun.id


def finish(workshop, upload, named):
    return workshop.write(ANA, lambda work: use_cases.finish_upload(work, upload=upload, named=named))


def test_an_object_of_parts_has_them_in_order_and_its_etag_counts_them(filled, upload):
    for number in (2, 1, 2):
        filled.write(ANA, lambda work, number=number: part(work, upload, number, size=MEBIBYTES + number))

    made = finish(filled, upload, [(1, "0" * 32), (2, '"' + "0" * 32 + '"')])

    assert [piece.size for piece in made.pieces] == [MEBIBYTES + 1, MEBIBYTES + 2]
    assert made.etag.endswith("-2")
    with pytest.raises(use_cases.UploadMissing):
        finish(filled, upload, [(1, "0" * 32)])


@pytest.mark.parametrize(
    ("named", "error"),
    [
        ([], rules.PartsInvalid),
        ([(2, "0" * 32), (1, "0" * 32)], rules.PartsInvalid),
        ([(1, "0" * 32), (1, "0" * 32)], rules.PartsInvalid),
        ([(1, "1" * 32)], rules.PartsInvalid),
        ([(9, "0" * 32)], rules.PartsInvalid),
        ([(1, "0" * 32), (2, "0" * 32)], rules.PartTooSmall),
    ],
)
def test_parts_that_do_not_fit_make_no_object_and_lose_none(filled, upload, named, error):
    filled.write(ANA, lambda work: (part(work, upload, 1, size=5), part(work, upload, 2)))

    with pytest.raises(error):
        finish(filled, upload, named)

    assert len(filled.read(ANA, lambda work: use_cases.list_parts(work, upload=upload))) == 2


@pytest.mark.parametrize("number", [0, -1, 10_001])
def test_parts_are_numbered_from_one_to_ten_thousand(filled, upload, number):
    with pytest.raises(Invalid, match="part number"):
        filled.write(ANA, lambda work: part(work, upload, number))


def test_an_upload_belongs_to_its_key(filled, upload):
    with pytest.raises(use_cases.UploadMissing):
        filled.write(ANA, lambda work: part(work, ("drawer", "other", upload[2]), 1))
