"""Checksums of newer clients, those of whole objects, and what is too large: a wrong one leaves nothing, a limit is told."""

import base64
import random
import zlib
from itertools import pairwise

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from modelward.governance.objects import rules
from modelward.governance.objects.entities import Part
from modelward.interfaces.aws.s3 import crc64
from modelward.interfaces.aws.s3.crc64 import ALL_ONES, POLYNOMIAL, Crc64Nvme
from modelward.kernel.clock import system_clock
from modelward.kernel.refs import Digest

PART = b"0123456789" * 600_000


def summed(*pieces):
    found = Crc64Nvme()
    for piece in pieces:
        found.update(piece)
    return found.digest()


def bit_by_bit(data):
    value = ALL_ONES
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (POLYNOMIAL if value & 1 else 0)
    return (value ^ ALL_ONES).to_bytes(8, "big")


def test_the_checksum_is_that_of_its_published_example():
    assert summed(b"123456789").hex() == "ae8b14860a799888"
    assert summed().hex() == "0" * 16


@given(st.integers(0, 4000), st.integers(0, 2**32), st.lists(st.integers(0, 4000), max_size=4))
@settings(max_examples=60, deadline=None)
def test_the_checksum_is_the_same_however_the_bytes_come(size, seed, cuts):
    data = random.Random(seed).randbytes(size)
    places = [0, *sorted(min(cut, size) for cut in cuts), size]

    assert summed(*(data[a:b] for a, b in pairwise(places))) == bit_by_bit(data)


def test_long_bytes_have_the_checksum_of_their_stretches(monkeypatch):
    data = random.Random(1).randbytes(3 * crc64.BLOCK_BYTES + 12_345)
    at_once = summed(data)
    monkeypatch.setattr(crc64, "BLOCK_BYTES", 4096)

    assert summed(*(data[place : place + 3000] for place in range(0, len(data), 3000))) == at_once
    assert summed(data[:100_001]) == bit_by_bit(data[:100_001])


def test_a_crc64nvme_that_a_client_sends_is_checked_and_told_again(inside):
    right = base64.b64encode(bytes.fromhex("ae8b14860a799888")).decode()
    inside.send(inside.signed("s3", "PUT", "/sums64"))

    def put(value):
        headers = {"x-amz-checksum-crc64nvme": value}
        return inside.send(inside.signed("s3", "PUT", "/sums64/k", body=b"123456789", headers=headers))

    assert put(right).headers["x-amz-checksum-crc64nvme"] == right
    assert b"BadDigest" in put("AAAAAAAAAAA=").body


@pytest.mark.parametrize("kind", ["FULL_OBJECT", "COMPOSITE"])
def test_the_checksum_of_an_object_in_parts_is_checked_when_it_is_complete(aws, kind):
    s3, bucket = aws.client("s3"), f"whole-{kind.lower().replace('_', '-')}"
    s3.create_bucket(Bucket=bucket)
    begun = s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="CRC32", ChecksumType=kind)
    upload = {"Bucket": bucket, "Key": "k", "UploadId": begun["UploadId"]}
    parts = []
    for number, body in enumerate((PART, b"the end"), 1):
        told = s3.upload_part(**upload, PartNumber=number, Body=body, ChecksumAlgorithm="CRC32")
        parts.append({"PartNumber": number, "ETag": told["ETag"], "ChecksumCRC32": told["ChecksumCRC32"]})
    whole = base64.b64encode(zlib.crc32(PART + b"the end").to_bytes(4, "big")).decode()
    of_parts = zlib.crc32(b"".join(base64.b64decode(part["ChecksumCRC32"]) for part in parts))
    right = whole if kind == "FULL_OBJECT" else f"{base64.b64encode(of_parts.to_bytes(4, 'big')).decode()}-2"
    finish = {**upload, "MultipartUpload": {"Parts": parts}, "ChecksumType": kind}

    with pytest.raises(ClientError, match="BadDigest"):
        s3.complete_multipart_upload(**finish, ChecksumCRC32="AAAAAA==" if kind == "FULL_OBJECT" else "AAAAAA==-2")
    s3.complete_multipart_upload(**finish, ChecksumCRC32=right)

    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == PART + b"the end"


def test_what_says_of_itself_that_it_is_too_large_is_refused_before_it_comes(inside):
    inside.send(inside.signed("s3", "PUT", "/larger"))
    raw = inside.signed("s3", "PUT", "/larger/k", body=b"x")
    kept = [(name, value) for name, value in raw.headers if name.lower() != "content-length"]
    bent = raw._replace(headers=[*kept, ("content-length", str((5 << 30) + 1))])

    reply = inside.send(bent)

    assert (reply.status, b"EntityTooLarge" in reply.body, b"in parts" in reply.body) == (400, True, True)


def test_parts_make_no_object_of_more_than_five_tebibytes():
    digest, now = Digest("sha256:" + "0" * 64), system_clock()
    parts = [
        Part(upload="u", number=n, digest=digest, size=5 << 30, etag="e", checksums={}, stored_at=now)
        for n in range(1, 1026)
    ]

    with pytest.raises(rules.ObjectTooLarge, match="an object may have 5497558138880"):
        rules.chosen_parts(parts, [(part.number, "e") for part in parts])
    assert len(rules.chosen_parts(parts[:-1], [(part.number, "e") for part in parts[:-1]])) == 1024


def test_after_a_refusal_the_same_connection_serves_what_comes_next(aws):
    s3 = aws.client("s3")

    for _ in range(3):
        with pytest.raises(ClientError, match="NoSuchBucket"):
            s3.put_object(Bucket="there-is-none", Key="k", Body=b"x" * 100)
        with pytest.raises(ClientError, match="NoSuchBucket"):
            s3.list_objects_v2(Bucket="there-is-none")
