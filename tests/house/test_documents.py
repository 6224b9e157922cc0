"""What is told of the house is true: the tables in docs/, the commands, the packages, the migrations."""

import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import import_module

import click
import pytest
from packaging.markers import Marker

from house.tree import PACKAGE, ROOT
from modelward.cli.main import COMMANDS
from modelward.storage.migrations import HEAD

CORE_PACKAGES_MAX = 30
MIGRATIONS = sorted((PACKAGE / "storage" / "migrations" / "versions").glob("[0-9]*.py"))


def write_docs(*arguments: str, script=ROOT / "tools" / "write_docs.py") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(script), *arguments], capture_output=True, text=True, timeout=120)


def test_every_event_permission_setting_error_and_command_stands_in_the_docs():
    told = write_docs("--check")

    assert told.returncode == 0, told.stdout[-4000:] + told.stderr[-4000:]


def test_a_page_that_is_behind_is_found(tmp_path):
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tmp_path / "tools").mkdir()
    script = shutil.copy(ROOT / "tools" / "write_docs.py", tmp_path / "tools")
    page = tmp_path / "docs" / "ERRORS.md"
    page.write_text(page.read_text().replace("There is no such thing.", "There is one."))

    told = write_docs("--check", script=script)

    assert told.returncode == 1
    assert "There is no such thing." in told.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_is_there(name):
    module, attribute, line = COMMANDS[name]

    command = getattr(import_module(module), attribute)

    assert isinstance(command, click.Command)
    assert line.endswith("."), f"The line of {name} is a sentence."


def test_links_between_the_documents_lead_somewhere():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changes.d").glob("*.md")]

    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
        if "://" not in target and not target.startswith("mailto:") and not (page.parent / target).exists()
    ]

    # The pictures are taken from a running server and come last.
    assert [each for each in broken if "docs/images/" not in each and " images/" not in each] == []


def core_packages(lock: dict) -> set[str]:
    """All that `pip install modelward` brings on this platform, without extras."""
    by_name: dict[str, list[dict]] = {}
    for package in lock["package"]:
        by_name.setdefault(package["name"], []).append(package)
    found, waiting = set(), [("modelward", ())]
    while waiting:
        name, extras = waiting.pop()
        for package in by_name[name]:
            needs = list(package.get("dependencies", []))
            for extra in extras:
                needs += package.get("optional-dependencies", {}).get(extra, [])
            for need in needs:
                if "marker" in need and not Marker(need["marker"]).evaluate():
                    continue
                if need["name"] not in found or need.get("extra"):
                    found.add(need["name"])
                    waiting.append((need["name"], tuple(need.get("extra", ()))))
    return found


def test_the_core_brings_fewer_than_thirty_packages():
    packages = core_packages(tomllib.loads((ROOT / "uv.lock").read_text()))

    assert len(packages) < CORE_PACKAGES_MAX, f"{len(packages)}: {', '.join(sorted(packages))}"
    assert not packages & {"pandas", "torch", "pyspark", "shap", "scikit-learn"}


def test_the_count_of_packages_follows_what_needs_what():
    lock = {"package": [
        {"name": "modelward", "dependencies": [{"name": "a", "extra": ["x"]}, {"name": "w", "marker": "sys_platform == 'none'"}]},
        {"name": "a", "dependencies": [{"name": "b"}], "optional-dependencies": {"x": [{"name": "c"}]}},
        {"name": "b"}, {"name": "c"}, {"name": "w"},
    ]}  # fmt: skip

    assert core_packages(lock) == {"a", "b", "c"}


def test_migrations_follow_each_other_and_the_last_is_the_schema_of_this_version():
    numbers = [path.name[:4] for path in MIGRATIONS]

    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
    assert numbers[-1] == HEAD


def test_a_released_migration_is_never_changed():
    changed = changed_migrations(tomllib.loads((ROOT / "tests/house/released_migrations.toml").read_text())["sha256"])

    assert not changed, f"Changed after their release: {changed}. Write a new migration instead."


def test_a_changed_migration_is_found():
    name = MIGRATIONS[0].name

    assert changed_migrations({name: "0" * 64}) == [name]
    assert changed_migrations({"0000_gone.py": "0" * 64}) == ["0000_gone.py"]


def changed_migrations(released: dict[str, str]) -> list[str]:
    present = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in MIGRATIONS}
    return [name for name, digest in released.items() if present.get(name) != digest]
