"""The YAML in front of a README: plain values only, no tags, no aliases. Pure."""

import re
from datetime import date
from typing import Any

import yaml

from modelward.governance.cards.documents.dropping import DEPTH_MAX
from modelward.kernel.errors import Invalid

_FRONT = re.compile(r"\A\ufeff?\s*---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)


class _Loader(yaml.SafeLoader):
    """Refuses aliases: a few hundred of them can stand for a text without end."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node, unless it is an alias or lies too deep."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise yaml.YAMLError(f"it is nested more than {DEPTH_MAX} deep")
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def read_front_matter(data: bytes) -> tuple[dict[str, Any], str]:
    """The YAML object in front of a text (empty where there is none), and the text.

    Raises:
        Invalid: it is not UTF-8, or the YAML is none.
    """
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as problem:
        raise Invalid(f"The document is not UTF-8: {problem.reason}.", field="document") from problem
    found = _FRONT.match(text)
    if found is None:
        return {}, text
    try:
        header = _parsed(found[1])
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as problem:
        told = " ".join(str(problem).split())[:300]
        raise Invalid(f"The YAML in front of the document cannot be read: {told}.", field="document") from problem
    if header is None:
        header = {}
    if not isinstance(header, dict):
        raise Invalid("The YAML in front of the document is no object.", field="document")
    return _plain(header), text[found.end() :]


def _parsed(text: str) -> Any:
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def write_front_matter(header: dict[str, Any]) -> str:
    """An object as YAML, keys in their order."""
    return yaml.dump(header, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=4096)


class _Dumper(yaml.SafeDumper):
    """Writes equal lists twice instead of pointing from one to the other."""

    def ignore_aliases(self, data: Any) -> bool:
        """Always."""
        return True


def _text(dumper: _Dumper, text: str) -> Any:
    # Only between double quotes are the rarer line separators and control characters told by their numbers.
    style = None if all(each.isprintable() or each == "\n" for each in text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
