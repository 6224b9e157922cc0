"""Nobody acts without a signature that fits: botocore signs, Modelward checks, and whatever is bent is refused."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from modelward.governance.access import key_pairs
from modelward.governance.access import use_cases as access
from modelward.governance.access.entities import SYSTEM
from modelward.governance.access.permissions import Persona
from modelward.interfaces.aws import sigv4
from support.aws_inside import HOST

LIST = b'{"MaxResults": 5}'
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n"), max_size=12)


def code(reply):
    return json.loads(reply.body)["__type"]


def changed(raw, **headers):
    """The request with other headers; None takes one away."""
    given_names = {name.replace("_", "-") for name in headers}
    kept = [(name, value) for name, value in raw.headers if name not in given_names]
    added = [(name.replace("_", "-"), value) for name, value in headers.items() if value is not None]
    return raw._replace(headers=kept + added)


def test_a_request_that_botocore_signs_is_let_in(inside):
    assert inside.send(inside.json("ListModelCards", LIST)).status == 200


@given(
    service=st.sampled_from(["s3", "sagemaker", "scheduler"]),
    path=st.lists(TEXT, max_size=4),
    query=st.lists(st.tuples(TEXT, TEXT), max_size=4),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
    body=st.binary(max_size=50),
)
def test_the_canonical_form_is_that_of_botocore(inside, service, path, query, value, body):
    target = "/" + "/".join(quote(part, safe="-_.~") for part in path)
    asked = "&".join(f"{quote(name, safe='-_.~')}={quote(text, safe='-_.~')}" for name, text in query if name)
    raw = inside.signed(
        service, "PUT", f"{target}?{asked}" if asked else target, body=body, headers={"X-Amz-Meta-A": value}
    )
    request = sigv4.Request(raw.method, raw.path, raw.query, dict(raw.headers))

    claim = sigv4.read_claim(request)
    hashed = request.headers.get("x-amz-content-sha256") or sigv4.hashlib.sha256(body).hexdigest()

    sigv4.check_headers(claim, request)
    sigv4.check_signature(claim, request, secret=inside.credentials.secret_key, body_hash=hashed)


@pytest.mark.parametrize(
    ("bend", "refused"),
    [
        (lambda raw: raw._replace(body=b'{"MaxResults": 6}'), "InvalidSignatureException"),
        (lambda raw: raw._replace(method="PUT"), "InvalidSignatureException"),
        (lambda raw: raw._replace(path="/x"), "InvalidSignatureException"),
        (lambda raw: raw._replace(query="a=b"), "InvalidSignatureException"),
        (lambda raw: changed(raw, host="evil.example"), "InvalidSignatureException"),
        (lambda raw: changed(raw, x_amz_target="SageMaker.DeleteModelCard"), "InvalidSignatureException"),
        (lambda raw: changed(raw, x_amz_date=None), "IncompleteSignatureException"),
        (lambda raw: changed(raw, x_amz_security_token="x"), "InvalidSignatureException"),
        (lambda raw: changed(raw, authorization=None), "MissingAuthenticationTokenException"),
        (lambda raw: changed(raw, authorization="Bearer x"), "IncompleteSignatureException"),
        (lambda raw: changed(raw, authorization="AWS4-HMAC-SHA256 "), "IncompleteSignatureException"),
        (lambda raw: changed(raw, authorization="AWS AKMW:sig"), "IncompleteSignatureException"),
    ],
)
def test_a_request_that_was_bent_after_it_was_signed_is_refused(inside, bend, refused):
    reply = inside.send(bend(inside.json("ListModelCards", LIST)))

    assert (reply.status, code(reply)) == (400, refused)


@pytest.mark.parametrize("place", range(64))
def test_no_digit_of_a_signature_may_be_another(inside, place):
    raw = inside.json("ListModelCards", LIST)
    given_value = dict(raw.headers)["authorization"]
    head, _, signature = given_value.rpartition("=")
    other = "0" if signature[place] != "0" else "1"

    reply = inside.send(changed(raw, authorization=f"{head}={signature[:place]}{other}{signature[place + 1 :]}"))

    assert code(reply) == "InvalidSignatureException"


def test_a_signature_of_another_secret_or_an_unknown_key_is_refused(inside):
    right = inside.credentials
    forged = inside.send(inside.json("ListModelCards", LIST, credentials=Credentials(right.access_key, "x" * 40)))
    unknown = inside.send(inside.json("ListModelCards", LIST, credentials=Credentials("AKMW" + "A" * 16, "x" * 40)))

    assert (code(forged), code(unknown)) == ("InvalidSignatureException", "UnrecognizedClientException")


@pytest.mark.parametrize(
    ("minutes", "status"), [(-16, 400), (-14, 200), (14, 200), (16, 400)], ids=lambda value: str(value)
)
def test_a_signature_counts_for_a_quarter_of_an_hour(inside, minutes, status):
    at = datetime.now(UTC) + timedelta(minutes=minutes)

    assert inside.send(inside.json("ListModelCards", LIST, at=at)).status == status


def test_a_signature_for_another_service_does_not_open_this_one(inside):
    told = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "SageMaker.ListModelCards"}

    reply = inside.send(inside.signed("events", "POST", "/", body=LIST, headers=told))

    assert (reply.status, code(reply)) == (400, "InvalidSignatureException")


def presigned(inside, method, target, *, seconds, at=None):
    request = AWSRequest(method, f"http://{HOST}{target}", headers={"Host": HOST})
    signer = S3SigV4QueryAuth(inside.credentials, "s3", "us-east-1", expires=seconds)
    signer.add_auth(request)
    path, _, query = request.url.removeprefix(f"http://{HOST}").partition("?")
    from support.aws_inside import Raw

    return Raw(method, path, query, [("host", HOST)], b"")


def test_a_presigned_address_opens_what_it_names_and_nothing_else(inside):
    inside.send(inside.signed("s3", "PUT", "/drawer"))
    inside.send(inside.signed("s3", "PUT", "/drawer/a", body=b"what is in it"))
    inside.send(inside.signed("s3", "PUT", "/drawer/b", body=b"other"))
    raw = presigned(inside, "GET", "/drawer/a", seconds=60)

    assert inside.send(raw).body == b"what is in it"
    assert inside.send(raw).body == b"what is in it"
    assert inside.send(raw._replace(path="/drawer/b")).status == 403
    assert inside.send(raw._replace(method="DELETE")).status == 403
    assert inside.send(raw._replace(query=raw.query.replace("Expires=60", "Expires=6000"))).status == 403


def test_a_presigned_address_ends(inside, monkeypatch):
    raw = presigned(inside, "GET", "/drawer/a", seconds=60)
    monkeypatch.setattr(inside.house.workshop, "clock", lambda: datetime.now(UTC) + timedelta(seconds=62))

    reply = inside.send(raw)

    assert (reply.status, b"Request has expired" in reply.body) == (403, True)


def make_pair(inside, person):
    made = inside.house.workshop.write(SYSTEM, lambda work: key_pairs.make_key_pair(work, person=person))
    return made.key.id, Credentials(made.key.id, made.secret)


def test_a_key_pair_carries_the_permissions_of_its_holder_and_ends_at_once_with_a_change(inside):
    write = inside.house.workshop.write
    write(SYSTEM, lambda work: access.add_person(work, id="ana", persona=Persona.AUDITOR))
    id, pair = make_pair(inside, "ana")
    body = json.dumps({"ModelCardName": "c", "Content": "{}", "ModelCardStatus": "Draft"}).encode()

    assert inside.send(inside.json("ListModelCards", LIST, credentials=pair)).status == 200
    refused = inside.send(inside.json("CreateModelCard", body, credentials=pair))
    assert code(refused) == "AccessDeniedException"
    assert "user/ana is not authorized to perform: sagemaker:CreateModelCard" in json.loads(refused.body)["message"]

    write(SYSTEM, lambda work: key_pairs.revoke_key_pair(work, id=id))
    assert code(inside.send(inside.json("ListModelCards", LIST, credentials=pair))) == "UnrecognizedClientException"


def test_a_disabled_person_signs_nothing_any_more(inside):
    write = inside.house.workshop.write
    write(SYSTEM, lambda work: access.add_person(work, id="ben", persona=Persona.AUDITOR))
    _, pair = make_pair(inside, "ben")
    assert inside.send(inside.json("ListModelCards", LIST, credentials=pair)).status == 200

    write(SYSTEM, lambda work: access.disable_person(work, id="ben"))

    assert code(inside.send(inside.json("ListModelCards", LIST, credentials=pair))) == "UnrecognizedClientException"


def test_an_operation_that_is_not_served_is_refused_without_making_clients_wait(inside):
    reply = inside.send(inside.json("CreateDomain", b"{}"))

    assert (reply.status, code(reply)) == (400, "UnknownOperationException")


def test_the_signatures_of_chunks_are_those_of_the_published_example():
    at = datetime(2013, 5, 24, tzinfo=UTC)
    seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
    claim = sigv4.Claim(
        "AKIAIOSFODNN7EXAMPLE", at, "20130524T000000Z", "20130524", "us-east-1", "s3", (), seed, False, 0
    )
    published = [
        (b"a" * 65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (b"a" * 1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (b"", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    ]
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

    signer = sigv4.ChunkSigner(claim, secret=secret)
    for chunk, signature in published:
        signer.check_chunk(sigv4.hashlib.sha256(chunk).hexdigest(), signature)

    bent = sigv4.ChunkSigner(claim, secret=secret)
    with pytest.raises(sigv4.Unproven, match="chunk"):
        bent.check_chunk(sigv4.hashlib.sha256(b"b").hexdigest(), published[0][1])
