"""The content of a card as plain objects: sections and fields are attributes, and a wrong one is told where it is set."""

import difflib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, MutableSequence, Sequence
from enum import Enum
from typing import Any

from modelward.kernel.errors import Invalid

Schema = Mapping[str, Any]


class Section(Mapping[str, Any]):
    """A part of a card's content. Setting an attribute checks it against the schema; what is not there reads as None.

    Lists behave as lists: ``card.evaluation_details.append({...})``; they are checked when the card is saved.
    """

    __slots__ = ("_fields", "_path", "_root", "_schema")

    def __init__(self, fields: dict[str, Any], *, schema: Schema, root: Schema, path: str = "$") -> None:
        for name, value in (("_fields", fields), ("_schema", schema), ("_root", root), ("_path", path)):
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        self._known(name)
        return self[name] if name in self._fields or self._is_section(name) else self._empty(name)

    def __getitem__(self, name: str) -> Any:
        if self._is_section(name):
            # Kept, so that what is set in it is not lost; an empty one is left out again when the card is saved.
            inner = self._fields.setdefault(name, {})
            return Section(inner, schema=self._schema_of(name), root=self._root, path=f"{self._path}.{name}")
        value = self._fields[name]
        if isinstance(value, list):
            return Items(value, schema=self._schema_of(name), root=self._root, path=f"{self._path}.{name}")
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        self._known(name)
        if value is None:
            self._fields.pop(name, None)
            return
        plain = to_plain(value)
        check(plain, self._schema_of(name), root=self._root, path=f"{self._path}.{name}")
        self._fields[name] = plain

    def __delattr__(self, name: str) -> None:
        self._fields.pop(name, None)

    __delitem__ = __delattr__

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        return to_plain(other) == self._fields if isinstance(other, Mapping) else NotImplemented

    def __hash__(self) -> int:
        raise TypeError("A section can be changed, so it cannot be a key.")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._names()]

    def __repr__(self) -> str:
        return f"<{self._path} {self._fields!r}>"

    def to_dict(self) -> dict[str, Any]:
        """A copy as plain dicts and lists, without empty sections."""
        return without_empty(to_plain(self._fields))

    def _names(self) -> list[str]:
        return list(self._schema.get("properties", {}))

    def _known(self, name: str) -> None:
        names = self._names()
        if name in names or (not names and self._schema.get("type") == "object") or self._is_open():
            return
        near = difflib.get_close_matches(name, names, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise AttributeError(f"{self._path} of a card has no field {name!r}; it has {', '.join(names)}.{hint}")

    def _is_open(self) -> bool:
        return self._schema.get("additionalProperties", True) is not False and not self._names()

    def _schema_of(self, name: str) -> Schema:
        found = self._schema.get("properties", {}).get(name)
        if found is None:
            found = self._schema.get("additionalProperties", {})
        return found if isinstance(found, Mapping) else {}

    def _is_section(self, name: str) -> bool:
        return self._schema_of(name).get("type") == "object" and isinstance(self._fields.get(name, {}), dict)

    def _empty(self, name: str) -> Any:
        if self._schema_of(name).get("type") != "array":
            return None
        # A list that is asked for may be appended to, so it becomes part of the content.
        self._fields[name] = []
        return self[name]


class Items(MutableSequence[Any]):
    """A list in a card's content. What is a mapping in it reads and is set by attributes, as a section is."""

    __slots__ = ("_path", "_root", "_schema", "_values")

    def __init__(self, values: list[Any], *, schema: Schema, root: Schema, path: str) -> None:
        self._values, self._schema, self._root, self._path = values, schema, root, path

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self._values)))]
        value = self._values[place]
        if isinstance(value, dict):
            return Section(value, schema=self._of_one(), root=self._root, path=f"{self._path}[{place}]")
        if isinstance(value, list):
            return Items(value, schema=self._of_one(), root=self._root, path=f"{self._path}[{place}]")
        return value

    def __setitem__(self, place: Any, value: Any) -> None:
        self._values[place] = to_plain(value)

    def __delitem__(self, place: Any) -> None:
        del self._values[place]

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return to_plain(other) == self._values if isinstance(other, Sequence) else NotImplemented

    def __hash__(self) -> int:
        raise TypeError("A list can be changed, so it cannot be a key.")

    def __repr__(self) -> str:
        return repr(self._values)

    def insert(self, index: int, value: Any) -> None:
        """Put a value before the place ``index``."""
        self._values.insert(index, to_plain(value))

    def extend(self, values: Iterable[Any]) -> None:
        """Put several values at the end."""
        self._values.extend(to_plain(list(values)))

    def _of_one(self) -> Schema:
        inner = self._schema.get("items", {})
        if isinstance(inner, Mapping) and "$ref" in inner:
            inner = self._root.get("definitions", {}).get(str(inner["$ref"]).rpartition("/")[2], {})
        return inner if isinstance(inner, Mapping) else {}


def to_plain(value: Any) -> Any:
    """Plain dicts and lists of sections, records and whatever else reads like them."""
    if isinstance(value, Mapping):
        return {str(key): to_plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | Items):
        return [to_plain(each) for each in value]
    if isinstance(value, Enum):
        return value.value
    # A number, an array or a tensor of NumPy, pandas or PyTorch.
    return value.tolist() if callable(getattr(value, "tolist", None)) else value


def without_empty(fields: dict[str, Any]) -> dict[str, Any]:
    """Without the sections and lists that hold nothing, at any depth."""
    kept: dict[str, Any] = {}
    for name, value in fields.items():
        plain = without_empty(value) if isinstance(value, dict) else value
        if plain not in ({}, []):
            kept[name] = plain
    return kept


def check(value: Any, schema: Schema, *, root: Schema, path: str) -> None:
    """Hold a value against a part of the schema.

    Raises:
        Invalid: it breaks a rule; the message names the path, the value and the rule.
    """
    # Imported late: a client that edits no card does not pay for it.
    import jsonschema_rs

    check_plain(value, path)
    whole = {**schema, "definitions": root.get("definitions", {})}
    for problem in jsonschema_rs.validator_for(whole).iter_errors(value):
        place = path + "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in problem.instance_path)
        rule = _cut(problem.message)
        if isinstance(problem.kind, jsonschema_rs.ValidationErrorKind.Enum):
            rule = f"{_cut(json.dumps(problem.instance))} is not one of {', '.join(map(str, problem.kind.options))}"
        raise Invalid(f"{place}: {rule}.", field=place)


def check_plain(value: Any, path: str) -> None:
    """Hold a value to what JSON can say.

    Raises:
        Invalid: it, or something in it, is a number that is not finite, or of another kind.
    """
    if isinstance(value, dict):
        for name, each in value.items():
            check_plain(each, f"{path}.{name}")
    elif isinstance(value, list):
        for place, each in enumerate(value):
            check_plain(each, f"{path}[{place}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise Invalid(f"{path}: {value} is no finite number.", field=path, hint="Say it in words, or leave it out.")
    elif value is not None and not isinstance(value, str | bool | int | float):
        kind, shown = type(value).__name__, _cut(repr(value))
        raise Invalid(f"{path}: {shown} is a {kind}; a card holds text, numbers, true and false.", field=path)


def _cut(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:200]} ... {text[-80:]}"
