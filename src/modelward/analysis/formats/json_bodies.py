"""The rows inside a JSON body: columns named by the path of the value, rows by lists. Every dialect reads bodies so.

Values stay as JSON has them; what a dialect makes of a number or a text is its own affair.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from modelward.kernel.errors import Invalid

ELEMENTS_MAX = 10_000

Cells: TypeAlias = list[tuple[str, Any]]
"""One row: names and values. An empty name stands for the place among the columns of the record, ``_c0``, ``_c1``, ..."""


def json_rows(value: Any) -> list[Cells]:
    """The rows of a decoded JSON body.

    A list has one row for each element, and so has the one list of an object, or its lists of objects, if equally long;
    what stands outside of these is repeated in each row. Everything else is one row.

    Raises:
        Invalid: a list inside a row has more than ELEMENTS_MAX elements.
    """
    if isinstance(value, list):
        return [_flat(one, "") for one in value]
    if not isinstance(value, dict):
        return [_flat(value, "")]
    if not any(isinstance(one, dict | list) for one in value.values()):
        return [list(value.items())]
    lists = list(_lists_in(value))
    alone = sum(1 for _ in leaves(value)) == len(lists)
    tables = [each for _, each in lists if alone or all(isinstance(one, dict) for one in each)]
    if not tables or len(tables) != len(lists) or len({len(each) for each in tables}) != 1:
        return [_flat(value, "")]
    # {"instances": [...]}, and {"output": {"predictions": [...]}, "instances": [...]}: one row for each element.
    outside = [(name, one) for name, one in leaves(value) if not isinstance(one, list)]
    rows: list[Cells] = []
    for place in range(len(tables[0])):
        row = list(outside)
        for name, each in lists:
            row += _flat(each[place], "" if isinstance(each[place], dict) else name)
        rows.append(row)
    return rows


def joined(tables: Sequence[Sequence[Cells]], *, sides: tuple[str, str] = ("output", "input")) -> list[dict[str, Any]]:
    """The rows of both bodies of a record, side by side; what the second calls the same as the first is told apart.

    Raises:
        Invalid: the bodies have unequal numbers of rows.
    """
    first, second = sides
    if len({len(table) for table in tables}) > 1:
        raise Invalid(f"its {len(tables[0])} rows of {first} stand against {len(tables[1])} rows of {second}.")
    rows: list[dict[str, Any]] = []
    for parts in zip(*tables, strict=True):
        row: dict[str, Any] = {}
        for part in parts:
            for name, value in part:
                called = name or f"_c{len(row)}"
                row[called if called not in row else f"{second}.{called}"] = value
        rows.append(row)
    return rows


def is_json(text: str, encoding: str) -> bool:
    """Whether a body is read as JSON."""
    return encoding == "JSON" or text.lstrip()[:1] in ("{", "[")


def must_name_once(text: str) -> None:
    """Refuse a JSON text in which an object has a name twice: readers of JSON keep the last value and drop the others.

    Raises:
        Invalid: a name occurs twice; the message tells which.
    """
    json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise Invalid(f"an object names {twice!r} twice.")


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in nested objects that is no object, with its path."""
    for name, one in value.items():
        inside = f"{path}.{name}" if path else str(name)
        if isinstance(one, dict):
            yield from leaves(one, inside)
        else:
            yield inside, one


def _lists_in(value: Any) -> Iterator[tuple[str, list[Any]]]:
    return ((name, one) for name, one in leaves(value) if isinstance(one, list))


def _flat(value: Any, path: str) -> Cells:
    inner: Iterable[tuple[str, Any]]
    if isinstance(value, dict):
        inner = ((f"{path}.{name}" if path else str(name), one) for name, one in value.items())
    elif isinstance(value, list):
        if len(value) > ELEMENTS_MAX:
            raise Invalid(f"a list in a body has {len(value)} elements; at most {ELEMENTS_MAX} become columns.")
        inner = ((f"{path}[{place}]" if path else "", one) for place, one in enumerate(value))
    else:
        return [(path, value)]
    return [cell for name, one in inner for cell in _flat(one, name)]
