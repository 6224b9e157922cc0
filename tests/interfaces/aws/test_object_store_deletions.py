"""What is sent on to a listed bucket is what was judged here: keys alone are removed, and the server's own affairs stay its own."""

import base64
import contextlib
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from modelward.governance.access.entities import SYSTEM
from modelward.storage import event_log
from support import buckets
from support.aws_inside import Inside
from support.outside import Outside

HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'
ACCOUNT = b"arn:aws:iam::999988887777:role/modelward"


class Listening:
    """A store that keeps what it is asked, and answers what a test wants, byte for byte."""

    def __init__(self):
        self.asked, self.answer = [], (200, {}, b"<ListBucketResult/>", 0)
        kept = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                kept.asked.append((self.command, self.path, headers, body))
                status, told, sent, missing = kept.answer
                self.send_response(status)
                for name, value in {**told, "content-length": str(len(sent) + missing)}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(sent)
                self.close_connection = True

            do_POST = do_PUT = do_HEAD = do_GET

            def log_message(self, *told):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def store():
    made = Listening()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def house(store, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in buckets.ENVIRONMENT.items():
            patch.setenv(name, value)
        patch.setattr("modelward.interfaces.aws.once.SAME_SECOND", 0.0)
        opened = Inside(tmp_path_factory.mktemp("listening") / "house", s3_buckets="drawer", s3_endpoint=store.address)
        opened.send(opened.signed("s3", "PUT", "/own"))
        yield opened
        opened.close()


@pytest.fixture(autouse=True)
def silence(store):
    store.asked.clear()
    store.answer = (200, {}, b"<DeleteResult/>", 0)


def remove(house, inner, *, bucket="drawer", headers=None, body=None):
    body = b"<Delete>" + inner + b"</Delete>" if body is None else body
    return house.send(house.signed("s3", "POST", f"/{bucket}?delete", body=body, headers=headers))


def test_a_removal_is_written_anew_with_the_keys_that_were_judged_and_logged(house, store):
    sums = {"x-amz-checksum-sha256": "", "x-amz-sdk-checksum-algorithm": "SHA256", "x-amz-checksum-algorithm": "SHA256"}
    inner = b"<Quiet>true</Quiet> <Object> <Key>a &amp; b</Key></Object><Object><Key>\xc3\xbc//c</Key></Object>"
    digest = hashlib.sha256(b"<Delete>" + inner + b"</Delete>").digest()
    sums["x-amz-checksum-sha256"] = base64.b64encode(digest).decode()

    reply = remove(house, inner, headers=sums)

    assert reply.status == 200, reply
    [(method, path, headers, body)] = store.asked
    assert (method, path.rstrip("=")) == ("POST", "/drawer?delete")
    written = "<Quiet>true</Quiet><Object><Key>a &amp; b</Key></Object><Object><Key>ü//c</Key></Object></Delete>"
    assert body.decode().endswith(written)
    assert headers["content-md5"] == base64.b64encode(hashlib.md5(body).digest()).decode()
    assert not [name for name in headers if "checksum" in name]
    [event] = house.house.workshop.read(SYSTEM, lambda work: event_log.read(work.connection, limit=1))
    assert (event.name, event.detail["keys"]) == ("ObjectsChangedOutside", ["a & b", "ü//c"])


@pytest.mark.parametrize("bucket", ["drawer", "own"])
@pytest.mark.parametrize(
    ("inner", "code"),
    [
        (b"<Object><Key>a</Key><VersionId>1</VersionId></Object>", b"NotImplemented"),
        (b"<Object><Key>b</Key></Object><Object><VersionId/><Key>a</Key></Object>", b"NotImplemented"),
        (b"<Object><Key>a</Key><ETag>x</ETag></Object>", b"NotImplemented"),
        (b"<Object><Key>a</Key><Key>b</Key></Object>", b"MalformedXML"),
        (b"<Object><Key>a<Key>b</Key></Key></Object>", b"MalformedXML"),
        (b"<Object><Key>a</Key><Foreign/></Object>", b"MalformedXML"),
        (b"<Object><Key>a</Key></Object><Foreign/>", b"MalformedXML"),
        (b"<Object><Key>a</Key></Object><Quiet>true</Quiet><Quiet>false</Quiet>", b"MalformedXML"),
        (b"<Object><Key/></Object>", b"MalformedXML"),
        (b"<Object><Key>a</Key></Object>" * 1001, b"MalformedXML"),
    ],
)
def test_a_removal_that_could_be_read_otherwise_removes_nothing(house, store, bucket, inner, code):
    reply = remove(house, inner, bucket=bucket)

    assert (reply.status, code in reply.body, store.asked) == (400, True, []), reply


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_no_encoding_hides_a_type_declaration(house, store, encoding):
    text = "<!DOCTYPE Delete [<!ENTITY b 'c'>]><Delete><Object><Key>&b;</Key></Object></Delete>"
    for bucket in ("drawer", "own"):
        reply = remove(house, b"", bucket=bucket, body=text.encode(encoding))
        assert (b"MalformedXML" in reply.body, store.asked) == (True, [])


@pytest.mark.parametrize("key", ["../cellar/secret", "a/../../cellar", ".", "a&#10;b", "a&#13;b", "a\x7fb", "k" * 1025])
def test_no_key_of_a_batch_leads_out_of_its_bucket(house, store, key):
    reply = remove(house, f"<Object><Key>fine</Key></Object><Object><Key>{key}</Key></Object>".encode())

    assert (reply.status, b"InvalidArgument" in reply.body, store.asked) == (400, True, []), reply


def test_what_a_store_says_of_the_servers_account_stays_with_the_server(house, store):
    error = b"<Error><Code>%s</Code><Message>User: " + ACCOUNT + b" may not.</Message></Error>"
    for code in (b"KMS.DisabledException", b"KMSInvalidStateException"):
        store.answer = (400, {}, error % code, 0)
        reply = house.send(house.signed("s3", "GET", "/drawer/a"))
        assert (reply.status, code in reply.body, ACCOUNT in reply.body) == (400, True, False)
    told = b"<DeleteResult><Deleted><Key>b</Key></Deleted><Error><Key>a</Key><Code>AccessDenied</Code><Message>"
    store.answer = (200, {}, told + ACCOUNT + b"</Message></Error></DeleteResult>", 0)
    reply = remove(house, b"<Object><Key>a</Key></Object><Object><Key>b</Key></Object>")
    assert (reply.status, b"<Key>a</Key><Code>AccessDenied" in reply.body, ACCOUNT in reply.body) == (200, True, False)
    assert b"<Deleted><Key>b</Key></Deleted>" in reply.body
    store.answer = (200, {"x-amz-server-side-encryption-aws-kms-key-id": ACCOUNT.decode()}, b"x", 0)
    assert ACCOUNT.decode() not in str(house.send(house.signed("s3", "GET", "/drawer/a")).headers)


@pytest.mark.parametrize(
    "name",
    [
        "x-amz-server-side-encryption-aws-kms-key-id",
        "x-amz-server-side-encryption-context",
        "x-amz-server-side-encryption-customer-key",
        "x-amz-copy-source-server-side-encryption-customer-key",
    ],
)
def test_nobody_chooses_the_key_that_encrypts(house, store, name):
    for method in ("GET", "PUT"):
        reply = house.send(house.signed("s3", method, "/drawer/a", body=b"", headers={name: "x"}))
        assert (reply.status, b"NotImplemented" in reply.body, store.asked) == (400, True, [])


@pytest.mark.parametrize("bucket", ["drawer", "own"])
def test_a_copy_of_a_version_is_refused_and_not_made_of_another(house, store, bucket):
    for source, code in [(f"{bucket}/a?versionId=1", b"NotImplemented"), (f"{bucket}/%ff", b"InvalidArgument")]:
        for target in (f"/{bucket}/b", f"/{bucket}/b?partNumber=1&uploadId=x"):
            reply = house.send(house.signed("s3", "PUT", target, headers={"x-amz-copy-source": source}))
            assert (reply.status, code in reply.body, store.asked) == (400, True, []), reply


def test_the_one_version_of_an_object_of_our_own_can_be_named(house):
    house.send(house.signed("s3", "PUT", "/own/a", body=b"a"))
    for version in ("", "null"):
        asked = {"x-amz-copy-source": f"own/a?versionId={version}"}
        assert house.send(house.signed("s3", "PUT", "/own/b", headers=asked)).status == 200


def test_a_store_that_breaks_off_before_the_first_byte_is_told_as_unavailable(house, store):
    store.answer = (200, {}, b"", 100)

    reply = house.send(house.signed("s3", "GET", "/drawer/a"))

    assert (reply.status, b"ServiceUnavailable" in reply.body) == (503, True)


def test_a_store_that_breaks_off_later_breaks_the_one_answer_off(house, store):
    store.answer = (200, {}, b"x" * (3 << 20), 100)

    with pytest.raises(Exception, match="broke off") as told:
        house.send(house.signed("s3", "GET", "/drawer/a"))
    assert "Two answers" not in str(told.value)


def test_versions_in_a_real_bucket_outlive_every_removal(tmp_path, monkeypatch):
    for name, value in buckets.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with buckets.object_store() as address, contextlib.ExitStack() as closing:
        outside = Outside(address)
        outside.s3.create_bucket(Bucket="drawer")
        outside.s3.put_bucket_versioning(Bucket="drawer", VersioningConfiguration={"Status": "Enabled"})
        version = outside.s3.put_object(Bucket="drawer", Key="a", Body=b"kept")["VersionId"]
        inside = Inside(tmp_path / "house", s3_buckets="drawer", s3_endpoint=address)
        closing.callback(inside.close)

        named = remove(inside, f"<Object><Key>a</Key><VersionId>{version}</VersionId></Object>".encode())
        plain = remove(inside, b"<Object><Key>a</Key></Object>")

        assert (named.status, plain.status, b"<Key>a</Key>" in plain.body) == (400, 200, True)
        assert outside.s3.get_object(Bucket="drawer", Key="a", VersionId=version)["Body"].read() == b"kept"
        assert outside.keys("drawer") == []
