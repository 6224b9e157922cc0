"""The plan of the house holds: who may import whom, and what is loaded when."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from house.tree import PACKAGE, ROOT

HEAVY = ("duckdb", "numpy", "pandas", "pyarrow", "scipy", "sklearn")
WITH_THE_DATABASE = ("alembic", "sqlalchemy")
ONLY_WHEN_USED = (
    *HEAVY,
    "alembic",
    "httpx",
    "playwright",
    "psycopg",
    "rich",
    "sqlalchemy.dialects.postgresql",
    "botocore",
    "cryptography",
    "typst",
)


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).with_name("lint-imports")
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [str(tool), "--no-cache", "--config", str(ROOT / ".importlinter")]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_every_import_keeps_the_contracts():
    told = lint_imports(PACKAGE.parent)

    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("surprise/__init__.py", '"""A folder that no contract knows."""\n'),
        ("kernel/upwards.py", '"""An import that points up."""\nimport modelward.app\n'),
        ("governance/registry/sideways.py", '"""Sideways."""\nfrom modelward.governance.cards import store\n'),
        ("analysis/fat.py", '"""Pandas."""\nimport pandas\n'),
    ],
)
def test_a_planted_break_of_the_contracts_is_found(tmp_path, file, text):
    shutil.copytree(PACKAGE, tmp_path / "modelward", ignore=shutil.ignore_patterns("__pycache__", "static"))
    place = tmp_path / "modelward" / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    if "cards" in text and not (tmp_path / "modelward/governance/cards").exists():
        pytest.skip("The capability cards is not built yet.")

    told = lint_imports(tmp_path)

    assert told.returncode != 0, told.stdout + told.stderr


def loaded_by(statement: str, names: tuple[str, ...]) -> list[str]:
    code = f"{statement}\nimport sys\nprint(*[name for name in {names!r} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return told.stdout.split()


@pytest.mark.parametrize("module", ["modelward", "modelward.cli.main", "modelward.sdk", "modelward.kernel.codec"])
def test_a_small_import_stays_small(module):
    assert loaded_by(f"import {module}", (*ONLY_WHEN_USED, *WITH_THE_DATABASE, "jinja2", "starlette", "uvicorn")) == []


def test_the_server_starts_without_the_heavy_libraries():
    assert loaded_by("import modelward.app", ONLY_WHEN_USED) == []


def test_the_measure_of_what_is_loaded_can_fail():
    assert loaded_by("import sqlalchemy", WITH_THE_DATABASE) == ["sqlalchemy"]
