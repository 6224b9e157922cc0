"""The content of a card as AWS clients send it: JSON in a text, which may hold NaN, and is kept word for word."""

import json
import math
from typing import Any, NamedTuple

import msgspec

from modelward.governance.cards.entities import Card, Content
from modelward.interfaces.aws.errors import validation
from modelward.kernel import codec

INTEGER_BITS_MAX = 63
METADATA_PATHS = {
    "model_overview": ("model_id", "model_name"),
    "intended_uses": ("risk_rating",),
    "model_package_details": ("model_package_group_name", "model_package_arn"),
}

ABOUT = ("model_id", "model_name", "model_version")


class Sent(NamedTuple):
    """A content that was sent: what it says, the text to give back, and what had to be changed to be JSON."""

    content: Content
    text: str
    changed: list[str]


def read_content(text: str, *, field: str = "Content", lenient: bool = False) -> Sent:
    """Read a content. Numbers that JSON does not know (NaN, Infinity) become texts in metrics and are left out elsewhere;
    only then the text is written anew. In test mode (``lenient``) a text that is no JSON is kept as one that says nothing.

    Raises:
        AwsError: ValidationException, it is no JSON object.
    """
    try:
        # Python's own reader, since it is the one that takes NaN; the clients write with its counterpart.
        content = json.loads(text)
    except (ValueError, RecursionError) as problem:
        if lenient:
            return Sent({}, text, [])
        raise validation(f"{field} is not valid JSON: {problem}") from problem
    if not isinstance(content, dict):
        raise validation(f"{field} must be a JSON object.")
    changed: list[str] = []
    cleaned = _cleaned(content, "$", changed, field)
    return Sent(cleaned, json.dumps(cleaned, ensure_ascii=False) if changed else text, changed)


_LEFT_OUT: Any = object()


def _cleaned(value: Any, path: str, changed: list[str], field: str) -> Any:
    if isinstance(value, dict):
        if value.get("type") == "number" and _is_odd(value.get("value")):
            changed.append(path)
            return {**value, "type": "string", "value": str(value["value"])}
        kept = {key: _cleaned(each, f"{path}.{key}", changed, field) for key, each in value.items()}
        if "name" in value and kept.get("value") is _LEFT_OUT:
            return _LEFT_OUT
        return {key: each for key, each in kept.items() if each is not _LEFT_OUT}
    if isinstance(value, list):
        kept_items = [_cleaned(each, f"{path}[{place}]", changed, field) for place, each in enumerate(value)]
        pairs = zip(value, kept_items, strict=True)
        # A point of which one number is missing is no point.
        return [one for was, one in pairs if one is not _LEFT_OUT and not (_is_point(was) and len(one) < len(was))]
    if _is_odd(value):
        changed.append(path)
        return _LEFT_OUT
    if isinstance(value, int) and value.bit_length() > INTEGER_BITS_MAX:
        raise validation(f"{field} holds a whole number of more than 64 bits at {path}.")
    return value


def _is_odd(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _is_point(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(each, int | float) for each in value)


def about_the_same(current: Content, sent: Content) -> Content:
    """A content within a package, which does not say what it is about, with what the card says of that."""
    before, overview = current.get("model_overview", {}), sent.get("model_overview", {})
    kept = {key: before[key] for key in ABOUT if key in before and key not in overview}
    return {**sent, "model_overview": {**kept, **overview}} if kept else sent


def metadata_only(content: Content) -> Content:
    """What of a content is told to who asks for the metadata only."""
    kept = {
        section: {field: content[section][field] for field in fields if field in content.get(section, {})}
        for section, fields in METADATA_PATHS.items()
    }
    return {section: fields for section, fields in kept.items() if fields}


def plain_text(kept: str) -> str:
    """A content that nobody outside sent, as it is told: the text that is kept, written as all of ours are."""
    return codec.encode(msgspec.json.decode(kept)).decode()


def indexed(card: Card) -> dict[str, Any]:
    """What a search finds a card by, beside what it is called and when it was changed."""
    kind, _, subject = (card.subject or "").partition(" ")
    return {
        "ModelId": subject if kind in ("package", "model") else None,
        "RiskRating": card.risk_rating.value,
        "ModelPackageGroupName": card.of_model,
    }
