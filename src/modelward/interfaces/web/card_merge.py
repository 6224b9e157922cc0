"""Two who edited a card at once: what each changed, where they clash, and a content with both. Pure."""

from typing import Any

import msgspec

from modelward.governance.cards import rules
from modelward.governance.cards.entities import Content
from modelward.governance.cards.paths import covers
from modelward.interfaces.web.card_schema import title_at


class Clash(msgspec.Struct, frozen=True, kw_only=True):
    """A field that both changed."""

    path: str
    title: str


def patch_of(before: Any, after: Any) -> Any:
    """The JSON merge patch that leads from one content to another; lists are replaced whole."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        if key not in before:
            patch[key] = value
        elif value != before[key] or type(value) is not type(before[key]):
            patch[key] = patch_of(before[key], value)
    return patch


def merged(base: Content, mine: Content, theirs: Content) -> Content:
    """Their content with my changes on top."""
    found: Content = rules.merged(theirs, patch_of(base, mine))
    return found


def clashes(base: Content, mine: Content, theirs: Content) -> list[Clash]:
    """The fields that both changed, differently."""
    my_paths = _changed(base, mine)
    their_paths = _changed(base, theirs)
    both = [path for path in my_paths if any(covers(path, other) or covers(other, path) for other in their_paths)]
    differ = {each.path for each in rules.difference(theirs, mine)}
    return [
        Clash(path=path, title=title_at(path))
        for path in both
        if any(covers(path, other) or covers(other, path) for other in differ)
    ]


def _changed(before: Content, after: Content) -> list[str]:
    # A list is one field here: rows that moved cannot be told from rows that changed.
    return list(dict.fromkeys(each.path.split("[")[0] for each in rules.difference(before, after)))
