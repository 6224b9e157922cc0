"""Buckets and objects as boto3 uses them: what goes in comes out, and what is damaged on the way leaves nothing."""

import base64
import hashlib
import io
import itertools
import urllib.request
import zlib

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from modelward.governance.objects import use_cases
from modelward.governance.objects.entities import Piece
from support.workshops import ANA

MEBIBYTE = 1 << 20
COUNT = itertools.count()


@pytest.fixture(scope="module")
def s3(aws):
    client = aws.client("s3")
    client.create_bucket(Bucket="drawer")
    return client


def code_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def test_an_object_comes_back_with_all_that_was_said_of_it(s3):
    s3.put_object(
        Bucket="drawer",
        Key="a/b//c d+ü.txt",
        Body=b"hello",
        ContentType="text/plain",
        Metadata={"who": "ana"},
        CacheControl="no-store",
    )

    found = s3.get_object(Bucket="drawer", Key="a/b//c d+ü.txt")

    assert found["Body"].read() == b"hello"
    assert (found["ContentType"], found["Metadata"], found["CacheControl"]) == (
        "text/plain",
        {"who": "ana"},
        "no-store",
    )
    assert found["ETag"] == f'"{hashlib.md5(b"hello").hexdigest()}"'


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_every_checksum_is_checked_and_told_again(s3, algorithm):
    s3.put_object(Bucket="drawer", Key="summed", Body=b"x" * 100_000, ChecksumAlgorithm=algorithm)

    found = s3.get_object(Bucket="drawer", Key="summed", ChecksumMode="ENABLED")

    assert len(found["Body"].read()) == 100_000
    assert found[f"Checksum{algorithm}"]


@pytest.mark.parametrize("size", [0, 1, 8 * MEBIBYTE, 20 * MEBIBYTE + 7])
def test_files_of_every_size_go_up_and_down(s3, size):
    content = bytes(bytearray(range(251)) * (size // 251 + 1))[:size]

    key = f"file-{size}"
    s3.upload_fileobj(io.BytesIO(content), "drawer", key, Config=TransferConfig(max_concurrency=3))
    received = io.BytesIO()
    s3.download_fileobj("drawer", key, received)

    assert received.getvalue() == content
    assert s3.head_object(Bucket="drawer", Key=key)["ContentLength"] == size


@pytest.mark.parametrize(
    ("asked", "first", "behind"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=8388600-8388620", 8388600, 8388621),
        ("bytes=-5", -5, None),
        ("bytes=9000000-", 9000000, None),
    ],
)
def test_a_range_over_parts_is_the_same_as_of_the_whole(s3, asked, first, behind):
    content = bytes(bytearray(range(253)) * 40_000)
    key = f"long-{next(COUNT)}"
    s3.upload_fileobj(io.BytesIO(content), "drawer", key)

    found = s3.get_object(Bucket="drawer", Key=key, Range=asked)

    assert found["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert found["Body"].read() == content[first:behind]


def test_a_range_behind_the_end_is_refused(s3):
    s3.put_object(Bucket="drawer", Key="short", Body=b"abc")

    assert code_of(s3.get_object, Bucket="drawer", Key="short", Range="bytes=3-") == "InvalidRange"


def test_what_is_not_there_is_told_as_clients_expect(aws, s3):
    assert code_of(s3.head_bucket, Bucket="nowhere") == "404"
    assert code_of(s3.head_object, Bucket="drawer", Key="none") == "404"
    assert code_of(s3.get_object, Bucket="drawer", Key="none") == "NoSuchKey"
    assert code_of(s3.get_object, Bucket="nowhere", Key="none") == "NoSuchBucket"
    assert code_of(s3.create_bucket, Bucket="drawer") == "BucketAlreadyOwnedByYou"
    assert code_of(s3.create_bucket, Bucket="Drawer_1") == "InvalidBucketName"
    assert code_of(s3.get_bucket_policy, Bucket="drawer") == "NotImplemented"


def test_a_bucket_has_its_region_and_goes_only_when_it_is_empty(s3):
    s3.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="far", Key="k", Body=b"")

    assert s3.get_bucket_location(Bucket="far")["LocationConstraint"] == "eu-west-1"
    assert "far" in [each["Name"] for each in s3.list_buckets()["Buckets"]]
    assert code_of(s3.delete_bucket, Bucket="far") == "BucketNotEmpty"
    s3.delete_object(Bucket="far", Key="k")
    s3.delete_bucket(Bucket="far")
    assert code_of(s3.head_bucket, Bucket="far") == "404"


def test_copies_and_removals(s3):
    s3.put_object(Bucket="drawer", Key="from", Body=b"abc", Metadata={"a": "1"})

    s3.copy_object(Bucket="drawer", Key="to", CopySource={"Bucket": "drawer", "Key": "from"})
    removed = s3.delete_objects(Bucket="drawer", Delete={"Objects": [{"Key": "from"}, {"Key": "never"}]})

    assert s3.get_object(Bucket="drawer", Key="to")["Body"].read() == b"abc"
    assert s3.head_object(Bucket="drawer", Key="to")["Metadata"] == {"a": "1"}
    assert {each["Key"] for each in removed["Deleted"]} == {"from", "never"}
    assert code_of(s3.head_object, Bucket="drawer", Key="from") == "404"


def test_a_part_copied_from_another_object_is_a_part(s3):
    content = bytes(6 * MEBIBYTE)
    s3.put_object(Bucket="drawer", Key="source", Body=content + b"tail")
    upload = {"Bucket": "drawer", "Key": "joined"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    source = {"Bucket": "drawer", "Key": "source"}
    end = len(content) - 1
    head = s3.upload_part_copy(**upload, PartNumber=1, CopySource=source, CopySourceRange=f"bytes=0-{end}")
    tail = s3.upload_part(**upload, PartNumber=2, Body=b"!")
    parts = [
        {"PartNumber": 1, "ETag": head["CopyPartResult"]["ETag"]},
        {"PartNumber": 2, "ETag": tail["ETag"]},
    ]

    assert [each["PartNumber"] for each in s3.list_parts(**upload)["Parts"]] == [1, 2]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket="drawer", Key="joined")["Body"].read() == content + b"!"


def test_an_upload_that_is_given_up_or_names_wrong_parts_makes_no_object(s3):
    upload = {"Bucket": "drawer", "Key": "unfinished"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    s3.upload_part(**upload, PartNumber=1, Body=b"x")
    wrong = {"Parts": [{"PartNumber": 1, "ETag": '"00"'}]}

    assert code_of(s3.complete_multipart_upload, **upload, MultipartUpload=wrong) == "InvalidPart"
    s3.abort_multipart_upload(**upload)
    assert code_of(s3.list_parts, **upload) == "NoSuchUpload"
    assert code_of(s3.head_object, Bucket="drawer", Key="unfinished") == "404"


def test_presigned_addresses_take_and_give(aws, s3):
    client = aws.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
    put = client.generate_presigned_url("put_object", {"Bucket": "drawer", "Key": "by-address"})
    get = client.generate_presigned_url("get_object", {"Bucket": "drawer", "Key": "by-address"})

    with urllib.request.urlopen(urllib.request.Request(put, data=b"sent", method="PUT")) as answer:
        assert answer.status == 200
    with urllib.request.urlopen(get) as answer:
        assert answer.read() == b"sent"
        assert "sandbox" in answer.headers["content-security-policy"]


def test_crc32c_is_checked(inside):
    right = base64.b64encode(bytes.fromhex("e3069283")).decode()
    inside.send(inside.signed("s3", "PUT", "/summed"))

    def put(value):
        return inside.send(
            inside.signed("s3", "PUT", "/summed/k", body=b"123456789", headers={"x-amz-checksum-crc32c": value})
        )

    assert put(right).headers["x-amz-checksum-crc32c"] == right
    assert b"BadDigest" in put("AAAAAA==").body


# --- bodies that do not fit what was said of them


def test_a_body_that_does_not_match_its_hash_leaves_nothing(inside):
    inside.send(inside.signed("s3", "PUT", "/bent"))
    raw = inside.signed("s3", "PUT", "/bent/x", body=b"what was signed")
    blobs = inside.house.workshop.blobs.folder
    before = sorted(path for path in blobs.rglob("*") if path.is_file())

    for bent in (
        raw._replace(body=b"what was not signed"),
        inside.signed("s3", "PUT", "/bent/x", body=b"a", headers={"Content-MD5": base64.b64encode(bytes(16)).decode()}),
        inside.signed("s3", "PUT", "/bent/x", body=b"b", headers={"x-amz-checksum-crc32": "AAAAAA=="}),
    ):
        reply = inside.send(bent)
        assert reply.status == 400
        assert b"BadDigest" in reply.body or b"XAmzContentSHA256Mismatch" in reply.body

    assert inside.send(inside.signed("s3", "HEAD", "/bent/x")).status == 404
    assert sorted(path for path in blobs.rglob("*") if path.is_file()) == before


def chunked(inside, chunks, *, trailer=True, wrong_sum=False):
    content = b"".join(chunks)
    crc = base64.b64encode(zlib.crc32(content + (b"!" if wrong_sum else b"")).to_bytes(4, "big")).decode()
    body = b"".join(f"{len(each):x}\r\n".encode() + each + b"\r\n" for each in chunks) + b"0\r\n"
    body += f"x-amz-checksum-crc32:{crc}\r\n\r\n".encode() if trailer else b"\r\n"
    headers = {
        "X-Amz-Decoded-Content-Length": str(len(content)),
        "X-Amz-Trailer": "x-amz-checksum-crc32",
        "Content-Encoding": "aws-chunked",
        # The signature does not cover the bytes; with it they are told apart within one second.
        "X-Amz-Meta-Count": str(next(COUNT)),
    }
    return inside.signed("s3", "PUT", "/bent/chunks", body=body, headers=headers, chunked=True)


@settings(max_examples=30)
@given(chunks=st.lists(st.binary(min_size=1, max_size=40), max_size=6))
def test_chunks_are_taken_apart_before_they_are_stored(inside, chunks):
    inside.send(inside.signed("s3", "PUT", "/bent"))

    assert inside.send(chunked(inside, chunks)).status == 200
    found = inside.send(inside.signed("s3", "GET", "/bent/chunks"))

    assert found.body == b"".join(chunks)
    assert "content-encoding" not in found.headers


def test_a_wrong_trailing_checksum_or_a_missing_end_is_refused(inside):
    raw = chunked(inside, [b"abc", b"def"])

    assert b"BadDigest" in inside.send(chunked(inside, [b"abc"], wrong_sum=True)).body
    assert b"BadDigest" in inside.send(chunked(inside, [b"abc"], trailer=False)).body
    for end in range(len(raw.body) - 2):
        assert inside.send(raw._replace(body=raw.body[:end])).status == 400


# --- lists: the same as sorting everything in memory


@settings(max_examples=60, deadline=None)
@given(
    keys=st.sets(st.text("ab/\uffff\U0010ffff", min_size=1, max_size=5), max_size=14),
    prefix=st.text("ab/", max_size=2),
    delimiter=st.sampled_from(["", "/", "b", "a/"]),
    limit=st.integers(1, 5),
)
def test_pages_of_a_list_are_the_whole_in_order(inside, keys, prefix, delimiter, limit):
    workshop = inside.house.workshop
    piece = Piece("sha256:" + "0" * 64, 0)

    def fill(work):
        for each in use_cases.store.objects_from(work, "listed", first="", inclusive=True, before=None, limit=1000):
            use_cases.remove_objects(work, bucket="listed", keys=[each.key])
        if not use_cases.store.find_bucket(work, "listed"):
            use_cases.make_bucket(work, name="listed")
        for key in keys:
            use_cases.store_object(work, bucket="listed", key=key, pieces=[piece], etag="", headers={})

    workshop.write(ANA, fill)
    objects, prefixes, after = [], [], ""
    while after is not None:
        page = workshop.read(
            ANA,
            lambda work, after=after: use_cases.list_objects(
                work, bucket="listed", prefix=prefix, delimiter=delimiter, after=after, limit=limit
            ),
        )
        assert len(page.objects) + len(page.prefixes) <= limit
        objects += [each.key for each in page.objects]
        prefixes += page.prefixes
        after = page.next_from

    below = sorted((key for key in keys if key.startswith(prefix)), key=str.encode)
    cut = {key: key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "") for key in below}
    assert objects == [key for key in below if not cut[key][1]]
    assert prefixes == list(dict.fromkeys(prefix + cut[key][0] + delimiter for key in below if cut[key][1]))
