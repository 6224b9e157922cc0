"""Checks and converts requests by botocore's service models. What is compiled once is kept.

A request gets every rule of the model: required members, types, lengths, ranges, patterns, enums.
"""

import base64
import binascii
import math
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache, lru_cache
from typing import Any

import regex
from botocore.model import Shape

from modelward.interfaces.aws import native_names
from modelward.interfaces.aws.errors import AwsError, validation
from modelward.interfaces.aws.service_models import service_model

Problems = list[str]
Check = Callable[[Any, str, Problems], Any]
PATTERN_SECONDS_MAX = 0.2
PROBLEMS_MAX = 10
SHOWN_MAX = 200
# Names come again and again; what is longer is seldom the same twice.
REMEMBERED_CHARACTERS_MAX = 128
INTEGERS = {"integer": 1 << 31, "long": 1 << 63, "short": 1 << 15, "byte": 1 << 7}
EPOCH_MAX = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


@cache
def request_check(service: str, operation: str) -> Callable[[Any], dict[str, Any]]:
    """What turns the decoded body of a request into what a handler takes."""
    shape = service_model(service).operation_model(operation).input_shape
    check = _Checks(operation if service == "sagemaker" else "").request(shape) if shape else None

    def run(body: Any) -> dict[str, Any]:
        if not isinstance(body, dict):
            raise _malformed("The body is not a structure.")
        if check is None:
            return {}
        problems: Problems = []
        value = check(body, "", problems)
        if problems:
            raise _told(problems)
        assert isinstance(value, dict)
        return value

    return run


def _told(problems: Problems) -> AwsError:
    count = len(problems)
    return validation(f"{count} validation error{'s' if count > 1 else ''} detected: {'; '.join(problems)}")


def _malformed(message: str) -> AwsError:
    return AwsError("SerializationException", message)


def _at(path: str) -> str:
    return f" at '{path[:SHOWN_MAX]}'" if path else ""


def _join(path: str, name: str) -> str:
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name


def _failed(value: Any, path: str, rule: str) -> str:
    shown = str(value)
    shown = shown if len(shown) <= SHOWN_MAX else shown[:SHOWN_MAX] + "..."
    return f"Value '{shown}'{_at(path)} failed to satisfy constraint: {rule}"


class _Checks:
    """Makes the checks of the shapes of requests; a shape that holds itself is met once."""

    def __init__(self, operation: str = "") -> None:
        """Make checks for an operation; without one, names keep AWS's own rule everywhere."""
        self._operation = operation
        self._made: dict[str, Check] = {}

    def request(self, shape: Any) -> Check:
        """The check of a whole request, in which names may refer to what was named natively."""
        members = [(name, self._named(name, member)) for name, member in shape.members.items()]
        return _structure_check(shape, members)

    def _named(self, name: str, member: Any) -> Check:
        rule = native_names.rule_of(self._operation, name, member) if self._operation else None
        return self.of(member) if rule is None else _text_check(rule, frozenset())

    def of(self, shape: Shape) -> Check:
        """The check of a shape."""
        key = f"{shape.name}/{shape.type_name}/{shape.metadata.get('required')}"
        if key not in self._made:
            self._made[key] = lambda value, path, problems: self._made[key](value, path, problems)
            self._made[key] = getattr(self, f"_{shape.type_name}", self._text)(shape)
        return self._made[key]

    def _structure(self, shape: Any) -> Check:
        return _structure_check(shape, [(name, self.of(member)) for name, member in shape.members.items()])

    def _list(self, shape: Any) -> Check:
        of_member, bound = self.of(shape.member), _size_rule(shape.metadata)

        def check(value: Any, path: str, problems: Problems) -> Any:
            if not isinstance(value, list):
                raise _malformed(f"A list is expected{_at(path)}.")
            if not bound(len(value), value, path, problems):
                return value
            return [
                of_member(each, f"{path}.{number}.member", problems)
                for number, each in enumerate(value, 1)
                if each is not None
            ]

        return check

    def _map(self, shape: Any) -> Check:
        of_key, of_value, bound = self.of(shape.key), self.of(shape.value), _size_rule(shape.metadata)

        def check(value: Any, path: str, problems: Problems) -> Any:
            if not isinstance(value, dict):
                raise _malformed(f"A map is expected{_at(path)}.")
            if not bound(len(value), value, path, problems):
                return value
            return {
                of_key(name, f"{path}.key", problems): of_value(each, f"{path}.{name[:80]}.member", problems)
                for name, each in value.items()
                if each is not None
            }

        return check

    def _string(self, shape: Any) -> Check:
        rule = native_names.REFERRING.get(shape.name) if self._operation else None
        return _text_check(rule or shape.metadata, frozenset(shape.enum), ", ".join(shape.enum))

    _text = _string

    def _integer(self, shape: Any) -> Check:
        limit, bound = INTEGERS[shape.type_name], _range_rule(shape.metadata)

        def check(value: Any, path: str, problems: Problems) -> Any:
            if isinstance(value, float) and value.is_integer() and abs(value) < limit:
                value = int(value)
            if not isinstance(value, int) or isinstance(value, bool) or not -limit <= value < limit:
                raise _malformed(f"A whole number of type {shape.type_name} is expected{_at(path)}.")
            bound(value, path, problems)
            return value

        return check

    _long = _short = _byte = _integer

    def _float(self, shape: Any) -> Check:
        bound = _range_rule(shape.metadata)

        def check(value: Any, path: str, problems: Problems) -> Any:
            if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
                raise _malformed(f"A number is expected{_at(path)}.")
            bound(value, path, problems)
            return value

        return check

    _double = _float

    def _boolean(self, _shape: Any) -> Check:
        def check(value: Any, path: str, _problems: Problems) -> Any:
            if not isinstance(value, bool):
                raise _malformed(f"true or false is expected{_at(path)}.")
            return value

        return check

    def _timestamp(self, _shape: Any) -> Check:
        return lambda value, path, _problems: read_moment(value, path)

    def _blob(self, shape: Any) -> Check:
        bound = _size_rule(shape.metadata, noun="length")

        def check(value: Any, path: str, problems: Problems) -> Any:
            if isinstance(value, str):
                try:
                    value = base64.b64decode(value, validate=True)
                except (binascii.Error, ValueError) as problem:
                    raise _malformed(f"Base64 is expected{_at(path)}.") from problem
            if not isinstance(value, bytes):
                raise _malformed(f"Base64 is expected{_at(path)}.")
            bound(len(value), "(bytes)", path, problems)
            return value

        return check


def _structure_check(shape: Any, members: list[tuple[str, Check]]) -> Check:
    required = frozenset(shape.required_members)
    one_of = bool(getattr(shape, "is_tagged_union", False))

    def check(value: Any, path: str, problems: Problems) -> Any:
        if not isinstance(value, dict):
            raise _malformed(f"A structure is expected{_at(path)}.")
        kept = {}
        for name, of_member in members:
            given = value.get(name)
            if given is not None:
                kept[name] = of_member(given, _join(path, name), problems)
            elif name in required and len(problems) < PROBLEMS_MAX:
                problems.append(
                    f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
                )
        if one_of and len(kept) != 1 and len(problems) < PROBLEMS_MAX:
            problems.append(_failed("", path, "Exactly one member must be set"))
        return kept

    return check


def _text_check(rule: dict[str, Any], enum: frozenset[str], told: str = "") -> Check:
    bound, written = _size_rule(rule, noun="length"), rule.get("pattern")
    pattern = _pattern(written)

    def check(value: Any, path: str, problems: Problems) -> Any:
        if not isinstance(value, str):
            raise _malformed(f"A text is expected{_at(path)}.")
        if enum and value not in enum and len(problems) < PROBLEMS_MAX:
            problems.append(_failed(value, path, f"Member must satisfy enum value set: [{told}]"))
        fits = bound(len(value), value, path, problems)
        if "\x00" in value and len(problems) < PROBLEMS_MAX:
            problems.append(_failed(value.replace("\x00", "\\u0000"), path, "Member must not hold the character NUL"))
        if fits and pattern and not _matches(pattern, value) and len(problems) < PROBLEMS_MAX:
            problems.append(_failed(value, path, f"Member must satisfy regular expression pattern: {written}"))
        return value

    return check


def read_moment(value: Any, path: str) -> datetime:
    """A moment written as seconds since 1970, as ISO 8601 or as in HTTP headers.

    Raises:
        AwsError: SerializationException, it is none of these.
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and -62e9 < value < EPOCH_MAX:
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            text = value.strip()
            if text[:1].isdigit() and text[4:5] == "-":
                found = datetime.fromisoformat(text)
            elif text.replace(".", "", 1).lstrip("-").isdecimal() and -62e9 < float(text) < EPOCH_MAX:
                found = datetime.fromtimestamp(float(text), UTC)
            else:
                found = parsedate_to_datetime(text)
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError, TypeError, IndexError):
        pass
    raise _malformed(f"A point in time is expected{_at(path)}.")


def _size_rule(metadata: dict[str, Any], noun: str = "length") -> Callable[[int, Any, str, Problems], bool]:
    least, most = metadata.get("min"), metadata.get("max")

    def check(size: int, value: Any, path: str, problems: Problems) -> bool:
        if least is not None and size < least:
            rule = f"Member must have {noun} greater than or equal to {least}"
        elif most is not None and size > most:
            rule = f"Member must have {noun} less than or equal to {most}"
        else:
            return True
        if len(problems) < PROBLEMS_MAX:
            problems.append(_failed(value, path, rule))
        return False

    return check


def _range_rule(metadata: dict[str, Any]) -> Callable[[float, str, Problems], None]:
    least, most = metadata.get("min"), metadata.get("max")

    def check(value: float, path: str, problems: Problems) -> None:
        if least is not None and value < least and len(problems) < PROBLEMS_MAX:
            problems.append(_failed(value, path, f"Member must have value greater than or equal to {least}"))
        elif most is not None and value > most and len(problems) < PROBLEMS_MAX:
            problems.append(_failed(value, path, f"Member must have value less than or equal to {most}"))

    return check


@cache
def _pattern(written: str | None) -> "regex.Pattern[str] | None":
    # Two thirds of the patterns in the models let everything pass.
    if not written or written in (".*", "[\\s\\S]*", "[\\S\\s]*", "^[\\s\\S]*$"):
        return None
    # Java writes what lies beyond 16 bits as pairs.
    written = written.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
    try:
        return regex.compile(written, regex.V0)
    except regex.error:
        return None


def _matches(pattern: "regex.Pattern[str]", value: str) -> bool:
    return _matches_anew(pattern, value) if len(value) > REMEMBERED_CHARACTERS_MAX else _remembered(pattern, value)


def _matches_anew(pattern: "regex.Pattern[str]", value: str) -> bool:
    try:
        return pattern.fullmatch(value, timeout=PATTERN_SECONDS_MAX) is not None
    except TimeoutError:
        return False


_remembered = lru_cache(maxsize=4096)(_matches_anew)
