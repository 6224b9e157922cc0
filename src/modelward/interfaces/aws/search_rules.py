"""What a search expression says of a record: filters by dotted path, nested filters, sub-expressions. Pure.

A path leads through structures and into each element of a list on its way; a filter holds where any value at its end
keeps it. All filters of a nested one hold in the same element.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from modelward.interfaces.aws.errors import validation

Record = Mapping[str, Any]
DEPTH_MAX = 10
# SQLite takes a thousand conditions in a row, of which a filter may make three, and so many values in all.
FILTERS_MAX = 250
VALUES_MAX = 2000
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": lambda found, wanted: found > wanted,
    "GreaterThanOrEqualTo": lambda found, wanted: found >= wanted,
    "LessThan": lambda found, wanted: found < wanted,
    "LessThanOrEqualTo": lambda found, wanted: found <= wanted,
}
# Members whose entries people name, and how a tag is told beside the list of them.
ENTRIES = frozenset({"CustomerMetadataProperties", "HyperParameters", "Environment"})
TAG = "Tags."
NEEDS_NO_VALUE = ("Exists", "NotExists")


def check(expression: Mapping[str, Any], *, depth: int = 0) -> None:
    """Refuse an expression that cannot be judged.

    Raises:
        AwsError: ValidationException, a filter lacks its value, Contains is used twice for a property, it is too deep,
            or it has more filters or values than a database takes in one question.
    """
    if not depth:
        _check_size(expression)
    if depth > DEPTH_MAX:
        raise validation(f"A search expression may hold others {DEPTH_MAX} levels deep.")
    _check_filters(expression.get("Filters", []))
    for nested in expression.get("NestedFilters", []):
        _check_filters(nested["Filters"])
    for inner in expression.get("SubExpressions", []):
        check(inner, depth=depth + 1)


def _check_size(expression: Mapping[str, Any]) -> None:
    filters, level = [], [expression]
    for _ in range(DEPTH_MAX + 1):
        for each in level:
            filters += each.get("Filters", [])
            filters += [one for nested in each.get("NestedFilters", []) for one in nested["Filters"]]
        level = [inner for each in level for inner in each.get("SubExpressions", [])]
    if len(filters) > FILTERS_MAX:
        raise validation(f"A search expression may have {FILTERS_MAX} filters in all, not {len(filters)}.")
    values = sum(each.get("Value", "").count(",") + 1 for each in filters if each.get("Operator") == "In")
    if values > VALUES_MAX:
        raise validation(f"The filters of a search expression may list {VALUES_MAX} values in all, not {values}.")


def _check_filters(filters: list[dict[str, Any]]) -> None:
    containing = set()
    for each in filters:
        operator = each.get("Operator", "Equals")
        if operator not in NEEDS_NO_VALUE and "Value" not in each:
            raise validation(f"The filter on {each['Name']!r} with the operator {operator} needs a Value.")
        if operator == "Contains" and each["Name"] in containing:
            raise validation(f"Contains may be used only once for {each['Name']!r}.")
        if operator == "Contains":
            containing.add(each["Name"])


def holds(record: Record, expression: Mapping[str, Any]) -> bool:
    """Whether a record is what an expression asks for; an empty one asks for everything."""
    found = [*_judged(record, expression)]
    if not found:
        return True
    return any(found) if expression.get("Operator", "And") == "Or" else all(found)


def _judged(record: Record, expression: Mapping[str, Any]) -> Iterator[bool]:
    for each in expression.get("Filters", []):
        yield keeps(values_at(record, each["Name"]), each)
    for nested in expression.get("NestedFilters", []):
        elements = [one for one in values_at(record, nested["NestedPropertyName"]) if isinstance(one, Mapping)]
        yield any(all(_in_element(one, nested, each) for each in nested["Filters"]) for one in elements)
    for inner in expression.get("SubExpressions", []):
        yield holds(record, inner)


def _in_element(element: Record, nested: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    # The name of a filter is written from the root of the record, or from the element.
    name = given["Name"].removeprefix(nested["NestedPropertyName"] + ".")
    return keeps(values_at(element, name), given)


def values_at(record: Any, path: str, *, exactly: bool = False) -> list[Any]:
    """The values that a dotted path leads to. Names of members are compared without regard to capitals, those of entries
    that people named, such as tags, ``exactly``.
    """
    if isinstance(record, list | tuple):
        return [value for each in record for value in values_at(each, path, exactly=exactly)]
    if not isinstance(record, Mapping):
        return []
    found: list[Any] = []
    for key, value in record.items():
        if value is None:
            continue
        if _same(key, path, exactly=exactly):
            found.extend(value if isinstance(value, list | tuple) else [value])
        elif _same(key + ".", path[: len(key) + 1], exactly=exactly):
            found.extend(values_at(value, path[len(key) + 1 :], exactly=exactly or key in ENTRIES))
    return found


def _same(key: str, path: str, *, exactly: bool) -> bool:
    if key.startswith(TAG):
        return key[len(TAG) :] == path[len(TAG) :] and path.lower().startswith(TAG.lower())
    return key == path if exactly else key.lower() == path.lower()


def wanted_of(operator: str, value: str) -> list[str]:
    """The values that a filter names: several of In, else one."""
    return [each.strip() for each in value.split(",")] if operator == "In" else [value]


def keeps(found: list[Any], given: Mapping[str, Any]) -> bool:
    """Whether the values of a record keep a filter."""
    operator = given.get("Operator", "Equals")
    if operator == "Exists":
        return bool(found)
    if operator == "NotExists":
        return not found
    wanted = given["Value"]
    if operator == "NotEquals":
        return not any(_equal(each, wanted) for each in found)
    if operator == "In":
        return any(_equal(each, one) for one in wanted_of("In", wanted) for each in found)
    if operator == "Contains":
        return any(wanted.lower() in _text(each).lower() for each in found)
    if operator == "Equals":
        return any(_equal(each, wanted) for each in found)
    return any(_compared(COMPARED[operator], each, wanted) for each in found)


def _equal(found: Any, wanted: str) -> bool:
    if isinstance(found, bool):
        return wanted.lower() == str(found).lower()
    if isinstance(found, int | float | datetime):
        return _compared(lambda one, other: one == other, found, wanted)
    return _text(found) == wanted


def _compared(rule: Callable[[Any, Any], bool], found: Any, wanted: str) -> bool:
    """Numbers are compared as numbers, moments as moments; what cannot be is not kept."""
    try:
        if isinstance(found, datetime):
            moment = datetime.fromisoformat(wanted)
            return rule(found, moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        if isinstance(found, int | float):
            return rule(float(found), float(wanted))
        return rule(float(found), float(wanted))
    except (TypeError, ValueError):
        return isinstance(found, str) and rule(found, wanted)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def sort_key(record: Record, path: str) -> tuple[int, str]:
    """What a record is sorted by: absent values first, then numbers and moments, then texts; as texts of equal order."""
    found = values_at(record, path)
    if not found:
        return (0, "")
    value = found[0]
    if isinstance(value, datetime):
        return (1, value.astimezone(UTC).isoformat(timespec="microseconds"))
    if isinstance(value, int | float):
        return (1, _ordered(float(value)))
    return (2, _text(value))


def _ordered(number: float) -> str:
    """A number as text whose order is that of the numbers."""
    bits = int(struct.unpack(">Q", struct.pack(">d", number))[0])
    return f"{bits ^ ((1 << 64) - 1) if bits >> 63 else bits | (1 << 63):020d}"


def demanded(expression: Mapping[str, Any], name: str) -> str | None:
    """The value that a property must have for the expression to hold; None where others may do too."""
    if expression.get("Operator", "And") == "Or":
        return None
    for each in expression.get("Filters", []):
        if each["Name"].lower() == name.lower() and each.get("Operator", "Equals") == "Equals":
            value: str = each["Value"]
            return value
    for inner in expression.get("SubExpressions", []):
        if (found := demanded(inner, name)) is not None:
            return found
    return None
