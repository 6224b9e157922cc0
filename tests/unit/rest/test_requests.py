"""Requests that are wrong: refused with one shape of error, never a failure of the server."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelward.interfaces.http import HEADERS
from modelward.kernel.errors import ModelwardError

DEEP = b'{"name": "deep", "tags": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}"


def assert_error(answer, status, field=None):
    assert answer.status == status, answer.body
    assert set(answer.body) == {"error"}
    error = answer.body["error"]
    assert {"code", "message", "request_id"} <= set(error) <= {"code", "message", "request_id", "field", "hint"}
    assert all(isinstance(each, str) and each for each in error.values())
    assert error["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in error["message"]
    if field:
        assert error["field"] == field


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"), (b"not json", "body"), (b"[]", "body"), (b"null", "body"), (b'{"name": 1}', "body"),
        (b'{"name": "a", "other": 1}', "body"), (b'{"name": "a", "tags": {"a": NaN}}', "body"),
        (b'{"name": "a", "name": "b"}', "body.name"), (b'{"name": "a", "tags": {"x": "1", "x": "2"}}', "body.x"),
        (b'{"name": "a", "description": "\\u0000"}', "body"), (DEEP, "body"), (b"\xff\xfe", "body"),
        (b'{"name": "../etc"}', "name"), (b'{"name": "a/b"}', "name"), (b'{"name": ""}', "name"),
        (b'{"name": "a", "description": "' + b"x" * 5000 + b'"}', "description"),
        (b'{"name": "a", "description": "\\u0007"}', "description"),
        (b'{"name": "a", "tags": {"": "x"}}', "tags."),
    ],
)  # fmt: skip
def test_a_body_that_is_not_right_is_refused_and_the_field_is_named(visitor, body, field):
    assert_error(visitor.ask("POST", "/api/v1/models", body), 400, field)


def test_a_backslash_before_u0000_is_text_and_no_nul(visitor):
    body = b'{"name": "backslash", "description": "a \\\\u0000 b"}'

    assert visitor.ask("POST", "/api/v1/models", body).body["description"] == "a \\u0000 b"


def test_a_body_of_ten_megabytes_is_refused(visitor):
    answer = visitor.ask("POST", "/api/v1/models", b'{"name": "' + b"a" * 10_000_000 + b'"}')

    assert_error(answer, 400, "body")
    assert "larger than" in answer.body["error"]["message"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "query.colour"), ("limit=1&limit=2", "query.limit"), ("limit=ten", "query"), ("limit=1.5", "query"),
        ("limit=NaN", "query"), ("limit=", "query"), ("limit=0", "limit"), ("limit=1001", "limit"), ("limit=-1", "limit"),
        ("limit=99999999999999999999999", "limit"), ("cursor=x", "cursor"), ("cursor=W10%3D", "cursor"), ("text=%00", "query.text"),
        ("text=%1b", "query.text"), ("text=a;limit=2&%00=1", "query.\x00"),
    ],
)  # fmt: skip
def test_a_query_parameter_that_is_unknown_twice_given_or_of_a_wrong_type_is_refused(visitor, query, field):
    assert_error(visitor.ask("GET", f"/api/v1/models?{query}", b""), 400, field)


def test_a_query_parameter_where_none_is_known_is_refused(visitor):
    assert_error(visitor.ask("GET", "/api/v1/self?x=1"), 400, "query")


@pytest.mark.parametrize("query", ["before=9223372036854775808", "after=-9223372036854775809", "before=" + "9" * 400])
def test_a_number_too_large_for_the_database_is_the_fault_of_who_asks(visitor, query):
    assert_error(visitor.ask("GET", f"/api/v1/events?{query}"), 400)


def test_a_cursor_of_another_list_is_refused(visitor):
    visitor.client().models.register("cursors")

    assert_error(visitor.ask("GET", "/api/v1/models/cursors/versions?cursor=WyJ4Il0%3D"), 400, "cursor")


@pytest.mark.parametrize(
    "path",
    ["/api/v1/nothing", "/api/v1", "/api", "/api/v2/models", "/api/v1x/models", "/api/v1/models/a/b/c", "/api/v1//models",
     "/api/v1/models/", "/api/v1/./models", "/api/v1/../v1/models", "/api/v1/%2e%2e/v1/models",
     "/api/v1/{}", "/api/v1/%7B%7D", "/api/x/models", "/api/v1/MODELS", "/api/v1/models;x=1", "/api/v1/models%2ffraud"],
)  # fmt: skip
def test_a_path_that_is_not_exactly_one_of_ours_is_not_found(visitor, path):
    assert_error(visitor.ask("GET", path), 404)


@pytest.mark.parametrize(
    "name", ["..", ".", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "a%2fb", "a%5cb", "%00", "a%00", "%c0%af", "%ff",
             "{}", "%7b%7d", "a;b", "%252e%252e", "~", "-a", "a%0d%0ab", "x" * 129]
)  # fmt: skip
def test_a_name_in_a_path_is_decoded_once_and_then_checked(visitor, name):
    assert_error(visitor.ask("GET", f"/api/v1/models/{name}"), 400, "model")
    assert_error(visitor.ask("GET", f"/api/v1/versions/{name}"), 400, "version")


def test_a_version_with_a_number_of_thousands_of_digits_is_refused(visitor):
    assert_error(visitor.ask("GET", "/api/v1/versions/fraud@" + "1" * 5000), 400, "version")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"])
def test_a_method_that_the_address_does_not_know_is_405_and_the_known_ones_are_told(visitor, method):
    answer = visitor.ask(method, "/api/v1/models")

    assert_error(answer, 405)
    assert "GET, POST" in answer.body["error"]["message"]


def test_an_unknown_model_is_not_found(visitor):
    assert_error(visitor.ask("GET", "/api/v1/models/nobody-registered-this"), 404, "model")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/models",
        "/api/v1/models/none",
        "/api/v1/nothing",
        "/healthz",
        "/api/v1/openapi.json",
        "/api/v1/models?x=1",
    ],
)
@pytest.mark.parametrize("token", [None, ""])
def test_every_response_carries_the_security_headers_errors_included(visitor, path, token):
    answer = visitor.ask("GET", path, token=token)

    assert {name.decode(): value.decode() for name, value in HEADERS}.items() <= answer.headers.items()
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "unsafe-eval" not in answer.headers["content-security-policy"]
    assert answer.headers["x-request-id"].startswith("request-")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8321",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "8.8.8.8",
        "[2001:db8::1]:80",
        "",
        "169.254.169.254",
    ],
)
def test_a_host_name_that_is_not_ours_is_refused_so_that_no_other_site_can_speak_for_the_user(visitor, host):
    answer = visitor.ask("GET", "/api/v1/self", host=host)

    assert answer.status == 421
    assert answer.body["error"]["field"] == "Host"
    assert answer.body["error"]["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8321", "[::1]", "[::1]:8321"])
def test_the_names_of_the_loopback_are_served(visitor, host):
    assert visitor.ask("GET", "/api/v1/self", host=host).status == 200


def test_a_failure_of_the_server_tells_no_inner_word_but_a_request_id(visitor, monkeypatch):
    secret = "inner-word-that-must-not-be-shown"
    monkeypatch.setattr(visitor.house.workshop, "read", lambda *_: (_ for _ in ()).throw(RuntimeError(secret)))

    answer = visitor.ask("GET", "/api/v1/models")

    assert_error(answer, 500)
    assert answer.body["error"]["code"] == ModelwardError.__name__
    assert secret not in str(answer)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]), st.text(max_size=30), st.binary(max_size=60))
def test_no_request_whatever_makes_the_server_fail(visitor, method, path, body):
    from urllib.parse import quote

    answer = visitor.ask(method, "/api/v1/" + quote(path, safe="/?&=@%"), body)

    assert answer.status < 500


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "tags", "facts", "owner", "description"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["/models", "/models/fuzz/versions", "/people", "/people/owner/tokens"]), JSON)
def test_no_json_whatever_makes_the_server_fail(visitor, path, body):
    answer = visitor.ask("POST", f"/api/v1{path}", msgspec.json.encode(body))

    assert answer.status < 500
