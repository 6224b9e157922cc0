"""YAML as people write it, read without its traps: no aliases, no tags, no surprising booleans, dates stay text.

YAML 1.1 turns ``no`` into False, ``1:30`` into 90 and ``2024-01-01`` into a date. Here only true, false, null and decimal
numbers are more than text (the core schema of YAML 1.2, chapter 10.3), and a key that stands twice is an error.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml

from modelward.kernel.errors import Invalid

TEXT_BYTES_MAX = 8 << 20
NODES_MAX = 500_000
DEPTH_MAX = 60
_MAP, _SEQUENCE = "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"
_SCALARS = (
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("tag:yaml.org,2002:int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("tag:yaml.org,2002:float", r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
)  # fmt: skip


class _Loader(yaml.SafeLoader):
    """Composes nodes; makes no objects."""

    yaml_implicit_resolvers = {}


for _tag, _form, _first in _SCALARS:
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_form})$"), _first)


class Document(msgspec.Struct, frozen=True):
    """A document of a file: its value, and the line (from 1) at which each path (``$.a.b[0]``) begins."""

    value: Any
    lines: dict[str, int]

    def line_of(self, path: str) -> int:
        """The line of a path, or of the nearest thing around it."""
        while path not in self.lines and path:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path, 1)


def read_documents(content: bytes, *, name: str) -> list[Document]:
    """The documents of a YAML (or JSON) file; empty ones are left out.

    Raises:
        Invalid: it is not UTF-8 or not YAML, is too large or too deep, or uses aliases, tags or a key twice; the message
            has the line.
    """
    if len(content) > TEXT_BYTES_MAX:
        raise Invalid(f"{name} has {len(content):,} bytes; {TEXT_BYTES_MAX:,} are the most.", field=name)
    try:
        text = content.decode("utf-8-sig")
        _refuse_aliases(text, name)
        nodes = list(yaml.compose_all(text, _Loader))
    except UnicodeDecodeError as problem:
        raise Invalid(f"{name} is not UTF-8 (byte {problem.start}).", field=name) from problem
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        raise Invalid(f"{name}, line {line}: {problem.problem or 'this is not YAML'}.", field=name) from problem
    except (yaml.YAMLError, RecursionError) as problem:
        told = "it is nested too deeply" if isinstance(problem, RecursionError) else str(problem).splitlines()[0]
        raise Invalid(f"{name} is not YAML: {told}.", field=name) from problem
    documents = []
    for node in nodes:
        built = _Building(name)
        value = built.value(node, "$", 0)
        if value is not None:
            documents.append(Document(value, built.lines))
    return documents


def _refuse_aliases(text: str, name: str) -> None:
    # Looked for among the events, before anything is composed: an alias can make a small file enormous.
    for count, event in enumerate(yaml.parse(text, _Loader)):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise Invalid(
                f"{name}, line {line}: anchors and aliases are not allowed.", field=name, hint="Write it out."
            )
        if count > 2 * NODES_MAX:
            raise Invalid(f"{name} has more than {NODES_MAX:,} values.", field=name)


class _Building:
    """Makes plain values of nodes and notes their lines."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.lines: dict[str, int] = {}

    def value(self, node: yaml.Node, path: str, depth: int) -> Any:
        self.lines[path] = node.start_mark.line + 1
        if depth > DEPTH_MAX:
            raise self._wrong(node, f"it is nested more than {DEPTH_MAX} deep")
        if isinstance(node, yaml.MappingNode) and node.tag == _MAP:
            return dict(self._entries(node, path, depth))
        if isinstance(node, yaml.SequenceNode) and node.tag == _SEQUENCE:
            return [self.value(each, f"{path}[{place}]", depth + 1) for place, each in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        raise self._wrong(node, f"the tag {node.tag} is not allowed")

    def _entries(self, node: yaml.MappingNode, path: str, depth: int) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._wrong(key_node, "a key must be a text")
            key = str(key_node.value)
            if key in seen:
                raise self._wrong(key_node, f"the key {key[:80]!r} stands here twice")
            if key == "<<" and key_node.style is None:
                raise self._wrong(key_node, "merge keys are not allowed")
            seen.add(key)
            yield key, self.value(value_node, f"{path}.{key}", depth + 1)

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        text, kind = node.value, node.tag.rpartition(":")[2]
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind == "int":
            return int(text) if len(text) <= 300 else text
        if kind == "float":
            return float(text)
        if kind == "str":
            return text
        raise self._wrong(node, f"the tag {node.tag} is not allowed")

    def _wrong(self, node: yaml.Node, why: str) -> Invalid:
        return Invalid(f"{self._name}, line {node.start_mark.line + 1}: {why}.", field=self._name)


def write_document(value: Any) -> str:
    """A value as YAML that people like to read: keys in their order, long texts as blocks."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


class _Dumper(yaml.SafeDumper):
    """Shows texts of several lines as blocks, and writes what looks like a number in quotes."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


for _tag, _form, _first in _SCALARS:
    # Besides what YAML 1.1 takes for something else than text, what the reader above does, such as 0E0.
    _Dumper.add_implicit_resolver(_tag, re.compile(f"^(?:{_form})$"), _first)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    block = "\n" in text and all(line == line.rstrip() for line in text.split("\n"))
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if block else None)


_Dumper.add_representer(str, _text)
