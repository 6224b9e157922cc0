"""Where the golden files lie: beside the repository, never in it. A test that needs one is skipped where it is absent."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "golden"


def golden(name: str) -> Path:
    """A file or folder that the real service wrote."""
    if not (FOLDER / name).exists():
        pytest.skip(f"golden {name} is not beside this repository (../shared/data/golden)")
    return FOLDER / name


def normalised(content: bytes) -> object:
    """JSON without regard to the order of its keys; numbers keep their kind and every digit."""
    return json.loads(
        content, parse_float=lambda text: ("float", float(text)), parse_int=lambda text: ("int", int(text))
    )


def monitored_rows():
    """The 18 rows that the service saw: 13 in the first file, 5 in the second, as only that split gives its last digits."""
    columns = json.loads(golden("dq_cookbook_3000/monitoring_input_reconstructed.json").read_text())["columns"]
    texts = {name: [str(int(x)) if x.is_integer() else repr(x) for x in values] for name, values in columns.items()}
    return pa.table(texts)
