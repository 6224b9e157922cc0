"""AWS requests made of everything but good will: each operation with parts made from its own shapes, bent.

Whatever comes, the answer is no 5xx and no silence; a refusal has the form of its language; what was bent after it was
signed is carried out by nobody. `MODELWARD_HOSTILE_REQUESTS` sets how many are sent.
"""

import json
import os
import random
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from modelward.interfaces.aws.registry import all_operations
from modelward.interfaces.aws.service_models import service_model
from support.aws_inside import Inside, Raw

SEED = 20130524
# Read when the file is loaded: within a test the settings of the product are taken out of the environment.
REQUESTS = int(os.environ.get("MODELWARD_HOSTILE_REQUESTS", "1500"))
SECONDS_MAX = 10.0
TEXTS = [
    "", " ", "x" * 300, "x" * 70_000, "<script>", "\"'`;--", "../../etc/passwd", "..", "/", "%00", "\x00", "\x07", "\u202e",
    "\U0001f9a0", "\ufeff", "a\nb", "NaN", "-1", "1e400", "null", "arn:aws:sagemaker:us-east-1:123456789012:model-card/x",
    "arn:aws:sagemaker:::", "s3://", "s3://b", "s3://drawer/k", "2026-01-01", "{}", "[]", "{" * 900, "AAAA", "\ud7ff", "a-" * 40 + "!",
    "card", "group", "drawer",
]  # fmt: skip
NUMBERS = [0, 1, -1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**40, 0.5, -0.0, 1e308, 1, 2, 100]
OTHERS = [None, True, False, [], {}, [None], [[]], {"": None}]
HEADERS = [
    "host", "x-amz-date", "authorization", "x-amz-target", "content-type", "x-amz-content-sha256", "content-length", "range",
    "x-amz-checksum-crc32", "content-md5", "x-amz-copy-source", "if-match", "if-none-match", "if-modified-since", "expect",
    "x-amz-meta-a", "x-amz-decoded-content-length", "x-amz-trailer", "transfer-encoding", "x-amz-security-token", "x-amz-acl",
    "x-amz-metadata-directive", "amz-sdk-invocation-id", "content-encoding", "sec-fetch-dest", "x-amz-copy-source-range",
]  # fmt: skip
VALUES = [
    "", "x", "0", "-1", "99999999999999999999", "bytes=0-", "bytes=-0", "bytes=5-1", "bytes=a-b", "*", "\"*\"", "/drawer/a", "drawer",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "UNSIGNED-PAYLOAD", "e" * 64, "REPLACE",
    "aws-chunked", "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=" + "0" * 64, "20260101T000000Z",
    "99999999T999999Z", "SageMaker.", ".", "SageMaker.CreateModelCard.x", "Sat, 99 Foo 9999 00:00:00 GMT", "ü", "application/xml", "script",
]  # fmt: skip
QUERIES = [
    "", "list-type=2", "list-type=2&max-keys=-1", "list-type=2&continuation-token=%21", "uploads", "uploadId=x", "delete", "location",
    "partNumber=1&uploadId=x", "partNumber=x&uploadId=", "acl", "versioning", "x-id=PutObject", "a=%ff", "a=b&a=c", "max-keys=0",
    "prefix=%00", "delimiter=%2F&list-type=2", "encoding-type=url", "encoding-type=x", "X-Amz-Signature=", "X-Amz-Algorithm=x",
    "X-Amz-Signature=0&X-Amz-Credential=a%2F20260101%2Fr%2Fs3%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires=1&X-Amz-SignedHeaders=host&X-Amz-Algorithm=AWS4-HMAC-SHA256",
]  # fmt: skip
BODIES = [
    b"", b"{", b"null", b"[]", b"\xff\xfe", b"{}", b"[" * 5000, b'{"a":' * 2000, b"5\r\nhello\r\n0\r\n\r\n", b"ffffffffffffffff\r\n",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]><Delete>&b;</Delete>", b"<Delete><Object><Key>a</Key></Object></Delete>", b"<Delete/>", b"<a" * 999,
    b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>",
    b"Action=GetRole&RoleName=x", b"Action=GetRole", b"Action=ListUsers", b"Action=", b"&" * 3000, b"Action=GetCallerIdentity&x=%ff",
]  # fmt: skip
PATHS = [
    "/",
    "//",
    "/..",
    "/%00",
    "/%ff",
    "/drawer",
    "/drawer/a",
    "/drawer/" + "k" * 1100,
    "/drawer//a%2F..",
    "/%zz",
    "/\xff",
    "/schedules/x",
]


class Bender:
    """Makes requests, all from one seed."""

    def __init__(self, inside: Inside, seed: int) -> None:
        self._inside, self._random = inside, random.Random(seed)
        self._operations = sorted(all_operations())

    def request(self) -> Raw:
        """A request; two in five are bent after they were signed."""
        draw = self._random
        kind = draw.random()
        raw = self._json() if kind < 0.6 else self._objects() if kind < 0.9 else self._form()
        return raw if draw.random() < 0.6 else self._bent(raw)

    def _json(self) -> Raw:
        service, name = self._random.choice(self._operations)
        service, name = (service, name) if service == "sagemaker" else ("sagemaker", "ListModelCards")
        model = service_model(service).operation_model(name)
        value = self._value(model.input_shape, 0) if model.input_shape else {}
        if self._random.random() < 0.3:
            value = self._spoilt(value)
        body = json.dumps(value).encode("utf-8", "replace")
        if self._random.random() < 0.15:
            body = self._torn(body)
        return self._inside.json(name, body, headers=self._more_headers())

    def _value(self, shape, depth, name=""):
        draw = self._random
        if draw.random() < 0.01:
            return draw.choice(OTHERS)
        if shape.type_name == "structure":
            wanted = set(shape.required_members)
            share = draw.choice([0.0, 0.1, 0.5]) if depth < 4 else 0.0
            return {
                name: self._value(member, depth + 1, name)
                for name, member in shape.members.items()
                if name in wanted or draw.random() < share
            }
        if shape.type_name == "list":
            return [self._value(shape.member, depth + 1) for _ in range(draw.choice([0, 1, 1, 2]) if depth < 6 else 0)]
        if shape.type_name == "map":
            return {self._text(): self._value(shape.value, depth + 1) for _ in range(draw.choice([0, 1, 2]))}
        if shape.type_name in ("integer", "long", "float", "double"):
            return draw.choice(NUMBERS)
        if shape.type_name == "boolean":
            return draw.random() < 0.5
        if shape.type_name == "timestamp":
            return draw.choice([0, 1.7e9, -1, 1e18, "2026-01-01T00:00:00Z", "yesterday", 2**63])
        if getattr(shape, "enum", None) and draw.random() < 0.9:
            return draw.choice(shape.enum)
        return self._named(name) if draw.random() < 0.8 else self._text()

    def _named(self, name: str) -> str:
        draw = self._random
        if name.endswith("Arn"):
            kind = draw.choice(
                ["model-card/card", "model-package-group/group", "model-package/group/1", "model/m", "role/r"]
            )
            return f"arn:aws:sagemaker:us-east-1:123456789012:{kind}"
        if name.endswith(("Uri", "Url", "S3OutputPath")):
            return draw.choice(["s3://drawer/k", "s3://drawer/", "https://x/y"])
        if "Content" in name:
            return draw.choice(["{}", '{"intended_uses": {"purpose_of_model": "x"}}', "null"])
        return draw.choice(["card", "group", "m", "x", "model-1", "a" * 36])

    def _text(self) -> str:
        return self._random.choice(TEXTS if self._random.random() < 0.5 else ["card", "group", "model-1", "x", "a" * 8])

    def _spoilt(self, value):
        draw = self._random
        if isinstance(value, dict) and value and draw.random() < 0.9:
            name = draw.choice(list(value))
            return {**value, name: self._spoilt(value[name])}
        return draw.choice([*OTHERS, *NUMBERS, *TEXTS])

    def _torn(self, body: bytes) -> bytes:
        draw = self._random
        torn = bytearray(body)
        for _ in range(draw.choice([1, 1, 3])):
            if torn:
                torn[draw.randrange(len(torn))] = draw.randrange(256)
        return bytes(torn[: draw.randrange(len(torn) + 1)]) if draw.random() < 0.3 else bytes(torn)

    def _objects(self) -> Raw:
        draw = self._random
        query = draw.choice(QUERIES) if draw.random() < 0.6 else ""
        path = draw.choice(PATHS) if draw.random() < 0.5 else draw.choice(["/", "/drawer", "/drawer/a"])
        method = draw.choice(["GET", "GET", "GET", "PUT", "PUT", "HEAD", "POST", "DELETE", "PATCH", "get"])
        target = f"{quote(path, safe='/%?')}?{query}" if query else quote(path, safe="/%?")
        return self._inside.signed("s3", method, target, body=draw.choice(BODIES), headers=self._more_headers())

    def _form(self) -> Raw:
        draw = self._random
        service = draw.choice(["sts", "iam", "scheduler", "lambda", "events", "sagemaker", "nothing"])
        method, path = draw.choice(["GET", "POST", "PUT"]), quote(draw.choice(PATHS), safe="/%?")
        return self._inside.signed(service, method, path, body=draw.choice(BODIES), headers=self._more_headers())

    def _more_headers(self) -> dict[str, str]:
        draw = self._random
        if draw.random() < 0.5:
            return {}
        safe = [value for value in VALUES if value.isascii()]
        return {
            draw.choice([name for name in HEADERS if name != "host"]): draw.choice(safe)
            for _ in range(draw.choice([1, 2]))
        }

    def _bent(self, raw: Raw) -> Raw:
        draw = self._random
        what = draw.choice(["body", "method", "path", "query", "header", "drop", "twice"])
        if what == "body":
            return raw._replace(body=self._torn(raw.body) if raw.body else b"x")
        if what == "method":
            return raw._replace(method=draw.choice(["GET", "PUT", "POST", "DELETE", "X"]))
        if what == "path":
            return raw._replace(path=draw.choice(PATHS))
        if what == "query":
            return raw._replace(query=draw.choice(QUERIES))
        headers = list(raw.headers)
        place = draw.randrange(len(headers))
        if what == "header":
            headers[place] = (headers[place][0], draw.choice(VALUES))
        elif what == "drop":
            del headers[place]
        else:
            headers.append((headers[place][0], draw.choice(VALUES)))
        return raw._replace(headers=headers)


def refusal_is_told(reply) -> bool:
    """Whether an error has the form of one of the languages."""
    if not reply.body:
        return True
    if reply.body.startswith(b"{"):
        told = json.loads(reply.body)
        return bool(told.get("__type") and "message" in told) or "error" in told
    if reply.headers.get("content-type", "").startswith("text/html"):
        return True
    return ElementTree.fromstring(reply.body).find(".//{*}Code") is not None


def signed_part(raw: Raw) -> tuple:
    """What a signature covers, as far as every signer signs it."""
    headers = dict(raw.headers)
    named = headers.get("authorization", "").partition("SignedHeaders=")[2].partition(",")[0].split(";")
    return raw.method, raw.path, raw.query, raw.body, [(name, headers.get(name)) for name in named]


@pytest.mark.parametrize("seed", [SEED, *([SEED + 1, SEED + 2, SEED + 3] if REQUESTS >= 20_000 else [])])
def test_whatever_comes_the_answer_is_a_refusal_or_a_success_and_never_a_fault(tmp_path, seed, monkeypatch):
    monkeypatch.setattr("modelward.interfaces.aws.once.SAME_SECOND", 0.0)
    inside = Inside(tmp_path / "house")
    inside.send(inside.signed("s3", "PUT", "/drawer"))
    inside.send(inside.signed("s3", "PUT", "/drawer/a", body=b"a"))
    bender = Bender(inside, seed)
    passed, count = 0, REQUESTS // (4 if REQUESTS >= 20_000 else 1)
    try:
        for _ in range(count):
            raw = bender.request()
            reply = inside.send(raw)
            passed += reply.status < 300

            assert 200 <= reply.status < 500 or b"SlowDown" in reply.body, (raw, reply)
            assert reply.seconds < SECONDS_MAX, (raw, reply)
            if reply.status >= 400:
                assert refusal_is_told(reply), (raw, reply)
    finally:
        inside.close()
    assert passed > count // 50


def test_nothing_that_was_bent_after_it_was_signed_is_carried_out(tmp_path):
    inside = Inside(tmp_path / "house")
    bender = Bender(inside, SEED)
    try:
        for _ in range(REQUESTS // 5):
            raw = bender._json()
            bent = bender._bent(raw)
            if signed_part(bent) == signed_part(raw) and dict(bent.headers) == dict(raw.headers):
                continue
            reply = inside.send(bent)

            if reply.status < 300 and reply.headers.get("x-amzn-requestid"):
                assert signed_part(bent) == signed_part(raw), (raw, bent, reply)
    finally:
        inside.close()
