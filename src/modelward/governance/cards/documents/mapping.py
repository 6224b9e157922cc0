"""Small steps that the readers of several formats take. Pure."""

from typing import Any

from modelward.governance.cards.documents.dropping import Dropped, fitting
from modelward.governance.cards.entities import Content

ARTIFACTS_MAX = 15
_CUSTOM = "additional_information.custom_details."


def set_at(content: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at a dotted path; the objects on the way are made. The keys of custom details may hold dots."""
    if path.startswith(_CUSTOM):
        details = content.setdefault("additional_information", {}).setdefault("custom_details", {})
        details[path.removeprefix(_CUSTOM)] = value
        return
    *steps, last = path.split(".")
    here = content
    for step in steps:
        here = here.setdefault(step, {})
        if not isinstance(here, dict):
            return
    here[last] = value


def custom_of(content: Content, name: str, value: Any, dropped: list[Dropped]) -> None:
    """Keep something that a card has no field for as a custom detail."""
    text = fitting(value, 1024, f"$.{name}", dropped)
    if text:
        content.setdefault("additional_information", {}).setdefault("custom_details", {})[name] = text


def joined(listed: list[Any], path: str, dropped: list[Dropped]) -> str:
    """Texts of a list, one to a line; what is no text is told."""
    texts = []
    for place, each in enumerate(listed):
        text = each.get("description") if isinstance(each, dict) else each
        if isinstance(text, str):
            texts.append(text)
        else:
            dropped.append(Dropped(path=f"{path}[{place}]", why="It is no text."))
    return "\n".join(texts)


def named_rows(listed: Any) -> list[dict[str, Any]]:
    """The objects of a list; of anything else, none."""
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def nested(value: Any, *steps: str) -> Any:
    """The value some steps down, else None."""
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def artifacts_of(hashes: list[dict[str, Any]]) -> list[str]:
    """SHA-256 hashes as the digests by which a card names its artifacts."""
    found = [f"sha256:{each['content']}" for each in hashes if each.get("alg") == "SHA-256" and each.get("content")]
    return [each for each in found if len(each) <= 1024][:ARTIFACTS_MAX]
