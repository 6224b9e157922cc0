"""What of a search the store can answer: filters of AWS clients as conditions on fields of ours. Pure.

What no field of ours says (a member deep in an inference specification) is left to ``search_rules``, which looks at whole
records; then the condition here only tells which records are worth looking at.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from modelward.interfaces.aws import search_rules as rules
from modelward.kernel.browsing import Group, Test
from modelward.kernel.clock import timestamp

ALL = Group()
NEVER = Group(any=True)
TAG = "tags."
ALIKE = ("Equals", "NotEquals", "In")
COMPARED = {"GreaterThan": "above", "GreaterThanOrEqualTo": "from", "LessThan": "below", "LessThanOrEqualTo": "to"}


class Text(NamedTuple):
    """A member that is a text of ours as it stands."""

    field: str
    key: str = ""


class Word(NamedTuple):
    """A member that has one of a few values, each written in its own way here."""

    field: str
    words: Mapping[str, list[str]]


class Arn(NamedTuple):
    """A member that is an ARN: the field of the name, and what stands before it."""

    field: str
    before: str


class About(NamedTuple):
    """A member whose value stands in one field behind one of a few words, and alone in another."""

    field: str
    words: tuple[str, ...]
    alone: str


class Line(NamedTuple):
    """The group of a package: the field of its model where that has a line of versions, and the one that all have."""

    field: str
    any: str


class Package(NamedTuple):
    """The ARN or the name of a package: what stands before ``group/3``, or before the name of a single one."""

    before: str


class Number(NamedTuple):
    """A member that is a number."""

    field: str


class Moment(NamedTuple):
    """A member that is a point in time."""

    field: str


class Same(NamedTuple):
    """A member that is the same in every record."""

    value: str


Member = Text | Word | Arn | About | Line | Package | Number | Moment | Same


class Plan(NamedTuple):
    """The members of a kind of record by their names in small letters, the maps of texts in it, and its orders."""

    members: Mapping[str, Member]
    maps: Mapping[str, str]
    sorts: Mapping[str, str]
    prefix: str = ""


class Asked(NamedTuple):
    """A condition, and whether it says all that the expression says."""

    where: Group
    exact: bool


def condition_of(plan: Plan, expression: Mapping[str, Any]) -> Asked:
    """The condition that a search expression makes, or one that holds at least wherever the expression does."""
    told = [_filter(plan, each) for each in expression.get("Filters", [])]
    told += [_nested(plan, each) for each in expression.get("NestedFilters", [])]
    parts = [Asked(ALL, exact=False) if each is None else Asked(each, exact=True) for each in told]
    parts += [condition_of(plan, inner) for inner in expression.get("SubExpressions", [])]
    exact = all(each.exact for each in parts)
    if not parts:
        return Asked(ALL, exact=True)
    either = expression.get("Operator", "And") == "Or"
    return Asked(Group(parts=tuple(each.where for each in parts), any=either), exact=exact)


def sort_of(plan: Plan, path: str) -> str | None:
    """The order of ours for a member; None where whole records must be compared."""
    return plan.sorts.get(_bare(plan, path).lower())


def _bare(plan: Plan, path: str) -> str:
    return path[len(plan.prefix) :] if plan.prefix and path.lower().startswith(plan.prefix.lower()) else path


def _filter(plan: Plan, given: Mapping[str, Any]) -> Group | None:
    path = _bare(plan, given["Name"])
    member = plan.members.get(path.lower())
    if member is not None:
        return _member(member, given)
    if path.lower().startswith(TAG):
        return _tag(path[len(TAG) :], given)
    for name, field in plan.maps.items():
        if path.lower().startswith(f"{name}.") and _plain_key(path[len(name) + 1 :]):
            return _text(Text(field, path[len(name) + 1 :]), given)
    return None


def _plain_key(key: str) -> bool:
    # The store writes the way to an entry as a text, in which these would mean something else.
    return bool(key) and not set(key) & set('"\\') and key.isprintable()


def _tag(key: str, given: Mapping[str, Any]) -> Group | None:
    if not _plain_key(key):
        return None
    own = Text("tag", key)
    if key.lower() not in ("key", "value"):
        return _text(own, given)
    # A path to the keys or values of all tags, or to a tag that happens to be called so.
    operator = given.get("Operator", "Equals")
    turned = {"NotEquals": "Equals", "NotExists": "Exists"}.get(operator)
    plain = {**given, "Operator": turned or operator}
    both = [_text(own, plain), _text(Text("tag_keys" if key.lower() == "key" else "tag_values"), plain)]
    parts = tuple(each for each in both if each is not None)
    return Group(parts=parts, any=True, negated=turned is not None) if len(parts) == len(both) else None


def _nested(plan: Plan, given: Mapping[str, Any]) -> Group | None:
    """Conditions on one and the same tag: its key, and what its value is."""
    if _bare(plan, given["NestedPropertyName"]).lower() != "tags":
        return None
    keys, values = [], []
    for each in given["Filters"]:
        part = each["Name"].rpartition(".")[2].lower()
        if part == "key" and each.get("Operator", "Equals") == "Equals":
            keys.append(each["Value"])
        elif part == "value" and each.get("Operator", "Equals") in ("Equals", "In", "Contains", "Exists"):
            values.append(each)
        else:
            return None
    if len(set(keys)) != 1 or not _plain_key(keys[0]):
        return None
    parts = [_text(Text("tag", keys[0]), each) for each in values or [{"Operator": "Exists"}]]
    known = tuple(each for each in parts if each is not None)
    return Group(parts=known) if len(known) == len(parts) else None


def _member(member: Member, given: Mapping[str, Any]) -> Group | None:
    if isinstance(member, Text):
        return _text(member, given)
    if isinstance(member, Word):
        return _word(member, given)
    if isinstance(member, Same):
        return ALL if rules.keeps([member.value], given) else NEVER
    operator = given.get("Operator", "Equals")
    if isinstance(member, Package):
        return _package(member, operator, given)
    if isinstance(member, About | Line) and operator not in ALIKE:
        return _text(Text(member.alone if isinstance(member, About) else member.field), given)
    if operator in ("Exists", "NotExists"):
        return _present(member.field, "", operator)
    if isinstance(member, Number | Moment):
        return _measured(member, operator, given["Value"])
    return _named(member, operator, rules.wanted_of(operator, given["Value"])) if operator in ALIKE else None


def _named(member: Arn | About | Line, operator: str, wanted: list[str]) -> Group:
    negated = operator == "NotEquals"
    if isinstance(member, Line):
        same = (Test(field=member.any, rule="equals", values=tuple(wanted)), Test(field=member.field, rule="present"))
        return Group(parts=same, negated=negated)
    if isinstance(member, About):
        return _equals(member.field, [f"{word} {each}" for each in wanted for word in member.words], negated=negated)
    names = [each.removeprefix(member.before) for each in wanted if each.startswith(member.before)]
    return _equals(member.field, names, negated=negated)


def _package(member: Package, operator: str, given: Mapping[str, Any]) -> Group | None:
    if operator in ("Exists", "NotExists"):
        return ALL if operator == "Exists" else NEVER
    if operator not in ALIKE:
        return None
    wanted = [each for each in rules.wanted_of(operator, given["Value"]) if each.startswith(member.before)]
    names = [each.removeprefix(member.before) for each in wanted]
    lined = [each.replace("/", "@") for each in names if each.count("/") == 1 and "@" not in each]
    single = [f"{each}@1" for each in names if "/" not in each]
    in_line = Test(field="model", rule="present")
    parts = (
        Group(parts=(_equals("ref", lined), in_line)),
        Group(parts=(_equals("ref", single), Group(parts=(in_line,), negated=True))),
    )
    return Group(parts=parts, any=True, negated=operator == "NotEquals")


def _present(field: str, key: str, operator: str) -> Group:
    return Group(parts=(Test(field=field, key=key, rule="present"),), negated=operator == "NotExists")


def _equals(field: str, values: list[Any], *, key: str = "", negated: bool = False) -> Group:
    if not values:
        return ALL if negated else NEVER
    return Group(parts=(Test(field=field, key=key, rule="equals", values=tuple(values)),), negated=negated)


def _text(member: Text, given: Mapping[str, Any]) -> Group | None:
    operator = given.get("Operator", "Equals")
    if operator in ("Exists", "NotExists"):
        return _present(member.field, member.key, operator)
    wanted = given["Value"]
    if operator == "Contains":
        # The store knows small letters only of ASCII.
        if not wanted.isascii():
            return None
        return Group(parts=(Test(field=member.field, key=member.key, rule="contains", values=(wanted,)),))
    if operator in ALIKE:
        return _equals(member.field, rules.wanted_of(operator, wanted), key=member.key, negated=operator == "NotEquals")
    return None


def _word(member: Word, given: Mapping[str, Any]) -> Group:
    operator = given.get("Operator", "Equals")
    if operator in ("Exists", "NotExists"):
        return _present(member.field, "", operator)
    negated = operator == "NotEquals"
    asked = {**given, "Operator": "Equals"} if negated else given
    kept = [native for theirs, natives in member.words.items() if rules.keeps([theirs], asked) for native in natives]
    return _equals(member.field, kept, negated=negated)


def _measured(member: Number | Moment, operator: str, wanted: str) -> Group | None:
    if operator not in (*ALIKE, *COMPARED):
        return None
    read = _number if isinstance(member, Number) else _moment
    try:
        values = [each for one in rules.wanted_of(operator, wanted) if (each := read(one)) is not None]
    except OverflowError:
        return None
    if operator in COMPARED:
        tests = tuple(Test(field=member.field, rule=COMPARED[operator], values=(each,)) for each in values)  # type: ignore[arg-type]
        return Group(parts=tests) if tests else NEVER
    return _equals(member.field, values, negated=operator == "NotEquals")


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    if not math.isfinite(found):
        raise OverflowError
    return found


def _moment(text: str) -> str | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return timestamp(found if found.tzinfo else found.replace(tzinfo=UTC))
