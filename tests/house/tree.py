"""The source files of the house, read once, for the rules to judge."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "src" / "modelward"
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Source(NamedTuple):
    """One Python file: its place in the repository, its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module


def source(path: str, text: str) -> Source:
    """A source from its text, as a rule sees it; also how a violation is planted."""
    return Source(path, text, ast.parse(text))


def sources(*folders: str) -> list[Source]:
    """The Python files of the repository below these folders."""
    found = [(path.relative_to(ROOT).as_posix(), path) for path in repository_files() if path.suffix == ".py"]
    return [
        source(name, path.read_text()) for name, path in found if name.startswith(tuple(f"{each}/" for each in folders))
    ]


def functions(each: Source) -> Iterator[tuple[str, Function]]:
    """Every function and method with its dotted name, the inner ones included."""

    def walk(node: ast.AST, outer: str) -> Iterator[tuple[str, Function]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function | ast.ClassDef):
                name = f"{outer}.{child.name}" if outer else child.name
                if isinstance(child, Function):
                    yield name, child
                yield from walk(child, name)
            else:
                yield from walk(child, outer)

    yield from walk(each.tree, "")


def repository_files(root: Path = ROOT) -> list[Path]:
    """The files that are or would be committed."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root, capture_output=True, check=True,
        ).stdout.decode()  # fmt: skip
        names = [name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):  # an unpacked source archive
        skipped = {".venv", ".uv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".git"}
        names = [
            path.relative_to(root).as_posix()
            for path in root.rglob("*")
            if not skipped & set(path.relative_to(root).parts)
        ]
    return [root / name for name in sorted(set(names)) if (root / name).is_file()]
