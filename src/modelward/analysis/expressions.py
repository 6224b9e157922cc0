"""Rules that a user writes as SQL expressions over the columns of one row: parsed, looked through, and written anew.

Only columns, constants, comparisons, conditions, casts and a list of plain functions pass; no table, file, subquery,
aggregate, setting or function with a side is reachable. What runs is the text made from the looked-through tree, never the
user's own.
"""

import json
from typing import Any

import duckdb
import msgspec

from modelward.kernel.errors import Invalid

LENGTH_MAX = 4_000
DEPTH_MAX = 100

FUNCTIONS = frozenset({
    "+", "-", "*", "/", "//", "%", "||", "~~", "!~~", "~~*", "!~~*", "abs", "ceil", "ceiling", "coalesce", "concat",
    "contains", "date_diff", "date_part", "date_trunc", "day", "dayofweek", "dayofyear", "ends_with", "epoch", "exp", "floor",
    "greatest", "hour", "isfinite", "isinf", "isnan", "isodow", "least", "left", "len", "length", "ln", "log", "log10", "log2",
    "lower", "ltrim", "minute", "month", "pow", "power", "prefix", "quarter", "regexp_full_match", "regexp_matches", "replace",
    "right", "round", "rtrim", "second", "sign", "sqrt", "starts_with", "strlen", "substr", "substring", "suffix", "to_days", "to_hours",
    "to_minutes", "to_months", "to_seconds", "to_weeks", "to_years", "trim",
    "trunc", "upper", "week", "year",
})  # fmt: skip
TYPES = frozenset({
    "BIGINT", "BOOLEAN", "DATE", "DOUBLE", "FLOAT", "HUGEINT", "INTEGER", "INTERVAL", "SMALLINT", "TIME", "TIMESTAMP",
    "TIMESTAMP WITH TIME ZONE", "TINYINT", "VARCHAR",
})  # fmt: skip
_PARTS = {
    "COMPARISON": ("left", "right"), "CONJUNCTION": ("children",), "OPERATOR": ("children",),
    "BETWEEN": ("input", "lower", "upper"), "CAST": ("child",), "CASE": ("case_checks", "else_expr"),
    "CONSTANT": (), "COLUMN_REF": (), "FUNCTION": ("arguments",),
}  # fmt: skip
_OPERATORS = frozenset({
    "COMPARE_IN", "COMPARE_NOT_IN", "OPERATOR_COALESCE", "OPERATOR_IS_NOT_NULL", "OPERATOR_IS_NULL", "OPERATOR_NOT", "OPERATOR_NULLIF",
})  # fmt: skip


class Expression(msgspec.Struct, frozen=True):
    """A looked-through expression: the text that runs, and the columns it reads."""

    sql: str
    columns: tuple[str, ...]


def closed_connection() -> Any:
    """A DuckDB in memory that reaches no file, no network and no extension, and whose settings cannot be changed."""
    connection = duckdb.connect(config={"threads": 1, "autoload_known_extensions": False})
    connection.execute("SET enable_external_access=false")
    connection.execute("SET enable_progress_bar=false")
    connection.execute("SET python_enable_replacements=false")
    connection.execute("SET lock_configuration=true")
    return connection


def understood(sql: str, *, name: str = "expression") -> Expression:
    """Look through an expression.

    Raises:
        Invalid: it is no single expression, names no column, or uses something besides columns, constants, conditions and plain functions.
    """
    if not sql.strip():
        raise Invalid(f"The expression of rule {name!r} is empty.", field=name)
    if len(sql) > LENGTH_MAX:
        raise Invalid(f"The expression of rule {name!r} is longer than {LENGTH_MAX} characters.", field=name)
    with closed_connection() as connection:
        tree = json.loads(
            connection.execute("SELECT json_serialize_sql($sql)", {"sql": f"SELECT ({sql}\n)"}).fetchall()[0][0]
        )
        if tree["error"]:
            raise Invalid(f"The expression of rule {name!r} is no SQL: {tree['error_message'][:200]}.", field=name)
        node = _only_node(tree, name)
        columns: dict[str, None] = {}
        _look(node["select_list"][0], name, columns, 0)
        if not columns:
            raise Invalid(f"The expression of rule {name!r} names no column, so it says nothing of a row.", field=name)
        text = connection.execute("SELECT json_deserialize_sql($tree::json)", {"tree": json.dumps(tree)}).fetchall()[0][
            0
        ]
    return Expression(text.removeprefix("SELECT "), tuple(columns))


def _only_node(tree: dict[str, Any], name: str) -> dict[str, Any]:
    statements = tree["statements"]
    node: dict[str, Any] = statements[0]["node"] if len(statements) == 1 else {}
    plain = (
        node.get("type") == "SELECT_NODE"
        and len(node["select_list"]) == 1
        and node["from_table"]["type"] == "EMPTY"
        and not node["select_list"][0].get("alias")
        and not any(
            node[part] for part in ("modifiers", "where_clause", "group_expressions", "having", "sample", "qualify")
        )
        and not node["cte_map"]["map"]
        and not statements[0]["named_param_map"]
    )
    if not plain:
        raise Invalid(f"The rule {name!r} must be one expression over the columns of a row.", field=name)
    return node


def _look(node: dict[str, Any], name: str, columns: dict[str, None], depth: int) -> None:
    kind = node.get("class", "")
    if depth > DEPTH_MAX:
        raise Invalid(f"The expression of rule {name!r} is nested deeper than {DEPTH_MAX}.", field=name)
    if kind not in _PARTS or (kind == "OPERATOR" and node["type"] not in _OPERATORS):
        raise _refused(name, node.get("type", kind).lower().replace("_", " "))
    if kind == "COLUMN_REF":
        column = ".".join(node["column_names"])
        node["column_names"] = [column]
        columns[column] = None
    elif kind == "FUNCTION":
        _look_function(node, name)
    elif kind == "CAST":
        _look_cast(node, name)
    for part in _PARTS[kind]:
        for child in node[part] if isinstance(node[part], list) else [node[part]]:
            for inner in _expressions_in(child):
                _look(inner, name, columns, depth + 1)


def _expressions_in(child: dict[str, Any]) -> list[dict[str, Any]]:
    if "when_expr" in child:
        return [child["when_expr"], child["then_expr"]]
    return [child["expression"]] if "expression" in child else [child]


def _look_function(node: dict[str, Any], name: str) -> None:
    called = node["function_name"].lower()
    odd = node["schema"] or node["catalog"] or node["filter"] or node["distinct"] or node["export_state"]
    named = any(argument["name"] for argument in node["arguments"])
    if (
        called not in FUNCTIONS
        or odd
        or named
        or node["order_bys"]["orders"]
        or len(node["qualified_name"]["path"]) != 1
    ):
        raise _refused(name, f"function {node['function_name']!r}")


def _look_cast(node: dict[str, Any], name: str) -> None:
    wanted = node["type_expr"]
    if wanted.get("class") != "TYPE" or wanted["type_name"].upper() not in TYPES or wanted["children"]:
        raise _refused(name, f"type {wanted.get('type_name', '?')!r}")
    # A value that is not of the type makes the row unknown; it does not end the run.
    node["try_cast"] = True


def _refused(name: str, what: str) -> Invalid:
    return Invalid(
        f"The expression of rule {name!r} uses {what}, which a rule may not.",
        field=name,
        hint="Use columns, constants, comparisons, AND, OR, NOT, CASE, CAST, IN, BETWEEN, LIKE and plain functions.",
    )
