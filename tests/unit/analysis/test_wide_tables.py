"""Tables of very many columns are read in larger pieces, to the same end."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tests.unit.analysis.test_profile_law import assert_same

from modelward.analysis import Kind, Plan, profile


def test_a_wide_parquet_file_gives_the_profile_of_its_table(tmp_path):
    rng = np.random.default_rng(1)
    table = pa.table({f"x{place}": rng.normal(size=90) for place in range(450)} | {"t": ["a", "b", None] * 30})
    pq.write_table(table, tmp_path / "wide.parquet", row_group_size=40)

    found = profile(str(tmp_path / "wide.parquet"))

    assert_same(found, profile(table))
    assert list(found.columns) == table.column_names


def test_a_wide_csv_file_is_typed_by_all_its_rows_where_need_be(tmp_path):
    names = [f"x{place}" for place in range(700)]
    rows = [["1"] * 699 + ["2,5"] for _ in range(3_000)]
    rows[-1][0] = "late"
    path = tmp_path / "wide's.csv"
    path.write_text("\n".join(";".join(row) for row in [names, *rows]) + "\n")

    found = profile(str(path), Plan(decimal=","))

    assert found.columns["x0"].kind is Kind.STRING
    assert found.columns["x1"].kind is Kind.INTEGRAL
    assert found.columns["x699"].mean == 2.5
    assert found.rows == 3_000
