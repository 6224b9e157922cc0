"""Counts, by DuckDB, of rows that keep a condition of the user."""

from typing import Any

import duckdb
import pyarrow as pa

from modelward.analysis.expressions import closed_connection, understood
from modelward.analysis.rule_counts import RuleCount
from modelward.kernel.errors import Invalid

EXAMPLE_LENGTH_MAX = 200


class ExpressionTally:
    """Asks a closed DuckDB, batch by batch, how many rows keep an expression."""

    def __init__(self, name: str, sql: str) -> None:
        """Look through the expression.

        Raises:
            Invalid: the expression is not allowed.
        """
        self.name = name
        self.expression = understood(sql, name=name)
        self.columns = self.expression.columns
        self.connection = closed_connection()
        self.count = RuleCount()
        self.typed = False
        shown = ", ".join(f"{_quoted(column)} := {_quoted(column)}" for column in self.columns)
        row = f"CAST(struct_pack({shown}) AS VARCHAR)" if shown else "''"
        self.query = (
            "SELECT count(*) FILTER (WHERE kept), count(*) FILTER (WHERE NOT kept), count(*) FILTER (WHERE kept IS NULL), "
            f"min(told) FILTER (WHERE NOT kept) FROM (SELECT {self.expression.sql} AS kept, {row} AS told FROM batch)"
        )

    def add(self, batch: Any) -> None:
        """Take rows.

        Raises:
            Invalid: the expression does not fit the types of the columns, or is not true or false.
        """
        table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
        if not self.columns:
            raise Invalid(f"The expression of rule {self.name!r} reads no column.", field=self.name)
        self.connection.register("batch", table.select(list(self.columns)))
        try:
            if not self.typed:
                kind = self.connection.execute(f"DESCRIBE SELECT {self.expression.sql} AS kept FROM batch").fetchall()[
                    0
                ][1]
                if kind != "BOOLEAN":
                    raise Invalid(f"The rule {self.name!r} must be true or false; it is {kind}.", field=self.name)
                self.typed = True
            kept, broken, unknown, told = self.connection.execute(self.query).fetchall()[0]
        except duckdb.Error as problem:
            reason = str(problem).splitlines()[0][:200]
            raise Invalid(f"The rule {self.name!r} cannot be judged: {reason}", field=self.name) from problem
        finally:
            self.connection.unregister("batch")
        self.count += RuleCount(kept=kept, broken=broken, unknown=unknown, example=(told or "")[:EXAMPLE_LENGTH_MAX])

    def finish(self) -> RuleCount:
        """Tell the counts."""
        self.connection.close()
        return self.count


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
