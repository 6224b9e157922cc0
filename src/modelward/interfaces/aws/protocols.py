"""The languages of AWS clients: JSON in bodies, JSON with the rest in path and headers, forms answered with XML."""

import base64
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

import msgspec

from modelward.interfaces.aws.errors import AwsError
from modelward.interfaces.aws.service_models import service_model

Headers = list[tuple[bytes, bytes]]
FORM_PAIRS_MAX = 1000
# What a missing or wrong signature is called in each language.
UNPROVEN = {
    "json": {
        "missing": "MissingAuthenticationTokenException",
        "incomplete": "IncompleteSignatureException",
        "skewed": "InvalidSignatureException",
        "expired": "InvalidSignatureException",
        "unknown": "UnrecognizedClientException",
        "mismatch": "InvalidSignatureException",
    },
    "query": {
        "missing": "MissingAuthenticationToken",
        "incomplete": "IncompleteSignature",
        "skewed": "SignatureDoesNotMatch",
        "expired": "SignatureDoesNotMatch",
        "unknown": "InvalidClientTokenId",
        "mismatch": "SignatureDoesNotMatch",
    },
    "s3": {
        "missing": "AccessDenied",
        "incomplete": "AuthorizationHeaderMalformed",
        "skewed": "RequestTimeTooSkewed",
        "expired": "AccessDenied",
        "unknown": "InvalidAccessKeyId",
        "mismatch": "SignatureDoesNotMatch",
    },
}


class Reply(NamedTuple):
    """What goes back: status, body, content type and further headers."""

    status: int
    body: bytes
    kind: bytes
    headers: Headers


class Asked(NamedTuple):
    """Which operation a request asks for and in which language, with its input not yet checked."""

    service: str
    operation: str
    language: str
    body: Any


TARGETS = {
    "SageMaker": "sagemaker",
    "AWSEvents": "events",
    "Logs_20140328": "logs",
    "GraniteServiceVersion20100801": "cloudwatch",
    "AmazonSQS": "sqs",
}
# The services of each scope that are asked by path.
BY_PATH = {
    "sagemaker": ("sagemaker-runtime", "sagemaker-metrics"),
    "scheduler": ("scheduler",),
    "lambda": ("lambda",),
}
FORMS = ("sts", "iam")


def ask_json(target: str, body: bytes) -> Asked:
    """Read a request whose operation stands in X-Amz-Target.

    Raises:
        AwsError: UnknownOperationException or SerializationException.
    """
    prefix, _, operation = target.partition(".")
    service = TARGETS.get(prefix)
    if service is None or not operation.isalnum():
        raise unknown_operation(target)
    return Asked(service, operation, "json", _decoded(body))


def _decoded(body: bytes) -> Any:
    if not body.strip():
        return {}
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as problem:
        raise AwsError("SerializationException", "The body is not valid JSON.") from problem


def ask_form(service: str, body: bytes, query: str) -> Asked:
    """Read a request whose operation and parameters stand in a form.

    Raises:
        AwsError: InvalidAction or MalformedQueryString.
    """
    try:
        text = body.decode("utf-8") or query
        pairs = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FORM_PAIRS_MAX))
    except ValueError as problem:
        raise AwsError("MalformedQueryString", "The form cannot be read.") from problem
    operation = pairs.get("Action", "")
    if operation not in service_model(service).operation_names:
        raise AwsError("InvalidAction", f"Could not find operation {operation[:80]} for version {pairs.get('Version')}")
    shape = service_model(service).operation_model(operation).input_shape
    return Asked(service, operation, "query", _from_form(shape, pairs, "") if shape else {})


def _from_form(shape: Any, pairs: dict[str, str], prefix: str) -> dict[str, Any]:
    # Only what is scalar, and lists of it: no operation served in this language takes more.
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        wire = prefix + member.serialization.get("name", name)
        if member.type_name == "list":
            listed = [(key, pairs[key]) for key in pairs if key.startswith(f"{wire}.member.")]
            if listed:
                found[name] = [_scalar(member.member, value) for _, value in sorted(listed)]
        elif wire in pairs:
            found[name] = _scalar(member, pairs[wire])
    return found


def _scalar(shape: Any, text: str) -> Any:
    if shape.type_name in ("integer", "long") and text.lstrip("-").isdecimal() and len(text) < 20:
        return int(text)
    if shape.type_name == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


class _Route(NamedTuple):
    service: str
    operation: str
    method: str
    parts: tuple[str, ...]


_routes: dict[str, list[_Route]] = {}


def _routes_of(scope: str) -> list[_Route]:
    if scope not in _routes:
        found = []
        for service in BY_PATH[scope]:
            model = service_model(service)
            for name in model.operation_names:
                http = model.operation_model(name).http
                parts = tuple(http["requestUri"].partition("?")[0].strip("/").split("/"))
                found.append(_Route(service, name, http["method"], parts))
        _routes[scope] = found
    return _routes[scope]


def ask_path(scope: str, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Asked:
    """Read a request whose operation is found by its path.

    Raises:
        AwsError: UnknownOperationException or SerializationException.
    """
    given = path.strip("/").split("/")
    for route in _routes_of(scope):
        named = _fits(route.parts, given) if route.method == method else None
        if named is not None:
            return Asked(route.service, route.operation, "rest", _gathered(route, named, query, headers, body))
    raise unknown_operation(f"{method} {path[:80]}")


def _fits(parts: tuple[str, ...], given: list[str]) -> dict[str, str] | None:
    if len(parts) != len(given):
        return None
    named = {}
    for part, text in zip(parts, given, strict=True):
        if part.startswith("{"):
            named[part.strip("{}+")] = unquote(text)
        elif part != text:
            return None
    return named


def _gathered(route: _Route, named: dict[str, str], query: str, headers: dict[str, str], body: bytes) -> Any:
    shape: Any = service_model(route.service).operation_model(route.operation).input_shape
    if shape is None:
        return {}
    asked = dict(parse_qsl(query, keep_blank_values=True))
    payload = shape.serialization.get("payload")
    plain = payload is None or shape.members[payload].type_name in ("structure", "list", "map")
    decoded = _decoded(body) if plain else body
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        place, wire = member.serialization.get("location"), member.serialization.get("name", name)
        source: dict[str, Any]
        if name == payload:
            found[name] = decoded if member.type_name != "string" else body.decode("utf-8", "replace")
            continue
        if place == "uri":
            source = named
        elif place == "querystring":
            source = asked
        elif place == "header":
            source, wire = headers, wire.lower()
        else:
            source = decoded if isinstance(decoded, dict) and payload is None else {}
        if wire in source:
            found[name] = _scalar(member, source[wire]) if place else source[wire]
    return found


def answer(asked: Asked, written: Any, request_id: str) -> Reply:
    """Write an answer in the language of its request."""
    if asked.language == "query":
        model = service_model(asked.service)
        space = model.metadata["xmlNamespace"]
        shape = model.operation_model(asked.operation).output_shape
        inner = _xml(shape, written) if shape else ""
        wrapped = f"<{asked.operation}Result>{inner}</{asked.operation}Result>" if inner else ""
        text = (
            f'<{asked.operation}Response xmlns="{space}">{wrapped}<ResponseMetadata><RequestId>{request_id}</RequestId>'
            f"</ResponseMetadata></{asked.operation}Response>"
        )
        return Reply(200, text.encode(), b"text/xml", [])
    if asked.language == "rest":
        return _rest_answer(asked, written)
    return Reply(200, msgspec.json.encode(written), _json_kind(asked.service), [])


@cache
def _json_kind(service: str) -> bytes:
    version = service_model(service).metadata.get("jsonVersion", "1.1")
    return f"application/x-amz-json-{version}".encode()


def _rest_answer(asked: Asked, written: Any) -> Reply:
    shape: Any = service_model(asked.service).operation_model(asked.operation).output_shape
    http = service_model(asked.service).operation_model(asked.operation).http
    status = int(http.get("responseCode", 200))
    if shape is None:
        return Reply(status, b"{}", b"application/json", [])
    payload = shape.serialization.get("payload")
    headers: Headers = []
    rest: dict[str, Any] = {}
    for name, value in written.items():
        member = shape.members[name]
        if member.serialization.get("location") == "header":
            headers.append((member.serialization["name"].lower().encode(), str(value).encode("latin-1", "replace")))
        elif name != payload:
            rest[member.serialization.get("name", name)] = value
    if payload is None:
        return Reply(status, msgspec.json.encode(rest), b"application/json", headers)
    body = written.get(payload, "")
    if shape.members[payload].type_name == "blob":
        body = base64.b64decode(body)
    kind = next((value for key, value in headers if key == b"content-type"), b"application/octet-stream")
    headers = [pair for pair in headers if pair[0] != b"content-type"]
    return Reply(status, body if isinstance(body, bytes) else msgspec.json.encode(body), kind, headers)


def _xml(shape: Any, value: Any) -> str:
    if shape.type_name == "structure":
        pieces = []
        for name, member in shape.members.items():
            if name in value:
                wire = member.serialization.get("name", name)
                pieces.append(f"<{wire}>{_xml(member, value[name])}</{wire}>")
        return "".join(pieces)
    if shape.type_name == "list":
        return "".join(f"<member>{_xml(shape.member, each)}</member>" for each in value)
    if shape.type_name == "map":
        return "".join(
            f"<entry><key>{escape(name)}</key><value>{_xml(shape.value, each)}</value></entry>"
            for name, each in value.items()
        )
    if shape.type_name == "timestamp":
        from datetime import UTC, datetime

        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return ("true" if value else "false") if isinstance(value, bool) else escape(str(value))


def unknown_operation(what: str) -> AwsError:
    """Nothing of this name is served. Status 400, for clients repeat what is answered with 5xx."""
    return AwsError("UnknownOperationException", f"The operation {what[:120]!r} is not served here.")


def refusal(language: str, problem: AwsError, request_id: str) -> Reply:
    """Write an error in the language of its request."""
    writers: dict[str, Callable[[AwsError, str], Reply]] = {"query": _form_refusal, "s3": _s3_refusal}
    return writers.get(language, _json_refusal)(problem, request_id)


def _json_refusal(problem: AwsError, _request_id: str) -> Reply:
    body = msgspec.json.encode({"__type": problem.code, "message": problem.message})
    header = (b"x-amzn-errortype", problem.code.encode("ascii", "replace"))
    return Reply(problem.status, body, b"application/x-amz-json-1.1", [header])


def _form_refusal(problem: AwsError, request_id: str) -> Reply:
    text = (
        f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{escape(problem.code)}</Code><Message>{_shown(problem.message)}</Message></Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return Reply(problem.status, text.encode(), b"text/xml", [])


def _s3_refusal(problem: AwsError, request_id: str) -> Reply:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(problem.code)}</Code><Message>{_shown(problem.message)}</Message>"
        f"<Resource>{_shown(problem.resource)}</Resource><RequestId>{request_id}</RequestId></Error>"
    )
    return Reply(problem.status, text.encode(), b"application/xml", [])


def _shown(text: str) -> str:
    # XML has no way to write control characters.
    return escape("".join(each if each >= " " and not "\ud800" <= each <= "\udfff" else "?" for each in text))
