"""A card as JSON: ours, with all that is known of the version; and the content alone, as the hosted service keeps it."""

import json

from modelward.governance.cards.documents.dropping import Dropped, Imported, parsed_object
from modelward.governance.cards.documents.facts import CardFacts
from modelward.governance.cards.entities import Content
from modelward.kernel import codec
from modelward.kernel.errors import Invalid

FORMAT = "modelward-card/1"


def render(facts: CardFacts) -> bytes:
    """Our own JSON. The digest is the SHA-256 of ``content`` written with sorted keys and no blanks."""
    told = codec.plain(facts)
    return json.dumps({"format": FORMAT, **told}, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def render_content(facts: CardFacts) -> bytes:
    """The content alone, word for word, keys in the order of the alphabet."""
    return codec.canonical(facts.content)


def read(data: bytes) -> Imported:
    """Read our own JSON; everything but the content, the model's name and the version's is told as dropped."""
    document = parsed_object(data)
    if document.get("format") != FORMAT:
        raise Invalid(
            f"The document does not say that its format is {FORMAT!r}.",
            field="document.format",
            hint="Import the content alone as aws-json.",
        )
    content = document.get("content")
    if not isinstance(content, dict):
        raise Invalid("The document has no content.", field="document.content")
    kept = {"format", "content", "name"}
    dropped = [
        Dropped(path=f"$.{key}", why="It belongs to the card it was exported from; a new card begins anew.")
        for key, value in document.items()
        if key not in kept and value not in (None, "", [], {})
    ]
    return Imported(content=content, dropped=dropped, name=str(document.get("name", "")))


def read_content(data: bytes) -> Imported:
    """Read the content alone. Numbers that are none (NaN, Infinity) are left out with what they belong to."""
    found: Content = parsed_object(data, nan=True)
    dropped: list[Dropped] = []
    content = _without_nan(found, "$", dropped)
    return Imported(content=content, dropped=dropped, name=str(content.get("model_overview", {}).get("model_name", "")))


def _without_nan(value: object, path: str, dropped: list[Dropped]) -> Content:
    cleaned = _clean(value, path, dropped)
    assert isinstance(cleaned, dict)
    return cleaned


def _clean(value: object, path: str, dropped: list[Dropped]) -> object:
    if isinstance(value, dict):
        if "name" in value and "value" in value and _holds_nan(value["value"]):
            dropped.append(
                Dropped(path=path, why=f"Its value is {value['value']!r}, which is no number in JSON."[:300])
            )
            return _NOTHING
        found = {key: _clean(each, f"{path}.{key}", dropped) for key, each in value.items()}
        return {key: each for key, each in found.items() if each is not _NOTHING}
    if isinstance(value, list):
        cleaned = [_clean(each, f"{path}[{place}]", dropped) for place, each in enumerate(value)]
        return [each for each in cleaned if each is not _NOTHING]
    if _holds_nan(value):
        dropped.append(Dropped(path=path, why=f"{value!r} is no number in JSON."))
        return _NOTHING
    return value


_NOTHING = object()


def _holds_nan(value: object) -> bool:
    if isinstance(value, list):
        return any(_holds_nan(each) for each in value)
    return isinstance(value, float) and (value != value or value in (float("inf"), float("-inf")))
