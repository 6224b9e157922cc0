"""The rules of the house. Each takes sources and returns the offences as sentences; none means the rule is kept."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping

from house.tree import Function, Source, functions

VAGUE_NAMES = frozenset({"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"})
UNSAFE_MODULES = frozenset({"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"})
UNSAFE_CALLS = frozenset({"eval", "exec", "os.popen", "os.system", "yaml.load", "yaml.unsafe_load"})
# In pieces, so that this file does not offend against its own rule.
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("unpkg", "com"), ("jsdelivr", "net"),
        ("cdnjs", "cloudflare", "com"), ("ghcr", "io"), ("docker", "io"), ("quay", "io"), ("anaconda", "org"),
        ("golang", "org"), ("crates", "io"), ("rubygems", "org"),
    )
)  # fmt: skip
MACHINE_PATH = re.compile(r"(?<![\w.}\-/~*])/(?:" + "|".join(("root", "work", "home", "Users")) + r")/[A-Za-z.]")


def vague_names(every: Iterable[Source]) -> Iterator[str]:
    """A name says what lives there; these say nothing."""
    for each in every:
        parts = each.path.removesuffix(".py").split("/")
        for part in parts:
            if VAGUE_NAMES & set(part.removeprefix("test_").split("_")):
                yield f"{each.path}: {part!r} says nothing of what lives there."


def modules_without_docstring(every: Iterable[Source]) -> Iterator[str]:
    """A module begins with one sentence: what lives here, what does not."""
    for each in every:
        if each.text.strip() and not ast.get_docstring(each.tree):
            yield f"{each.path} does not begin with a docstring."


def public_without_docstring(every: Iterable[Source]) -> Iterator[str]:
    """Every public class, function and method says what it does."""
    for each in every:
        yield from (f"{each.path}: {name} has no docstring." for name in _silent(each.tree.body, ""))


def _silent(body: list[ast.stmt], outer: str) -> Iterator[str]:
    for node in body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_") or _needs_none(node):
            continue
        if not ast.get_docstring(node):
            yield outer + node.name
        if isinstance(node, ast.ClassDef):
            yield from _silent(node.body, f"{outer}{node.name}.")


def _needs_none(node: Function | ast.ClassDef) -> bool:
    shown = [ast.unparse(each) for each in node.decorator_list]
    return any(each.endswith(("overload", ".setter", ".deleter", "override")) for each in shown)


def broad_excepts(every: Iterable[Source], allowed: Mapping[str, str]) -> Iterator[str]:
    """Ask forgiveness only of the outside world. One that only cleans up and raises again is no catch."""
    for each in every:
        if each.path in allowed:
            continue
        for node in ast.walk(each.tree):
            if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not _raises_again(node):
                yield f"{each.path}:{node.lineno} catches everything: name the errors it expects."


def _is_broad(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(_is_broad(each) for each in kind.elts)
    return kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException"))


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def unsafe_code(every: Iterable[Source], allowed: Mapping[str, str]) -> Iterator[str]:
    """No shell, no evaluation of text, no format that runs code when it is read."""
    for each in every:
        if each.path not in allowed:
            yield from (f"{each.path}:{line} uses {what}." for line, what in _unsafe(each.tree))


def _unsafe(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, one.name) for one in node.names if one.name.split(".")[0] in UNSAFE_MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in UNSAFE_MODULES:
            yield node.lineno, str(node.module)
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from ((node.lineno, f"os.{one.name}") for one in node.names if f"os.{one.name}" in UNSAFE_CALLS)
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in UNSAFE_CALLS:
                yield node.lineno, called
            if any(one.arg == "shell" and not _is_false(one.value) for one in node.keywords):
                yield node.lineno, "shell=True"


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def unguarded_use_cases(every: Iterable[Source], allowed: Mapping[str, str]) -> Iterator[str]:
    """Every use case asks for a permission, itself or by what it calls first."""
    for each in every:
        local = {node.name: node for node in each.tree.body if isinstance(node, Function)}
        aliases = _use_case_aliases(each.tree)
        for name, node in local.items():
            if name.startswith("_") or f"{each.path}:{name}" in allowed:
                continue
            if not _asks(node, local, aliases, seen={name}):
                yield f"{each.path}:{name} asks for no permission: call require(...) or another use case."


def _use_case_aliases(tree: ast.Module) -> frozenset[str]:
    """Names in this module that stand for use cases of another capability, or for the whole module of them."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            whole = [one for one in node.names if one.name == "use_cases"]
            found |= {one.asname or one.name for one in whole}
            if (node.module or "").endswith(".use_cases"):
                found |= {one.asname or one.name for one in node.names}
    return frozenset(found)


def _asks(node: Function, local: Mapping[str, Function], aliases: frozenset[str], *, seen: set[str]) -> bool:
    for call in (each for each in ast.walk(node) if isinstance(each, ast.Call)):
        called = ast.unparse(call.func)
        if called in ("require", "allow", "permissions.require") or called.split(".")[0] in aliases:
            return True
        if called in local and called not in seen and _asks(local[called], local, aliases, seen=seen | {called}):
            return True
    return False


def wrong_exports(every: Iterable[Source]) -> Iterator[str]:
    """Where ``__all__`` is written it is the list of public names: none missing, none too many, none twice."""
    for each in every:
        listed = _listed(each.tree)
        if listed is None:
            continue
        here = {node.name for node in each.tree.body if isinstance(node, Function | ast.ClassDef)}
        public = {name for name in here if not name.startswith("_")}
        if each.path.endswith("__init__.py"):
            public |= {name for name in _imported(each.tree) if not name.startswith("_")}
        if len(set(listed)) != len(listed):
            yield f"{each.path}: __all__ names something twice."
        if missing := sorted(public - set(listed)):
            yield f"{each.path}: __all__ lacks {', '.join(missing)}."


def _listed(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        named = any(isinstance(each, ast.Name) and each.id == "__all__" for each in targets)
        if named and isinstance(node.value, ast.List | ast.Tuple):  # type: ignore[attr-defined]
            return [str(each.value) for each in node.value.elts if isinstance(each, ast.Constant)]  # type: ignore[attr-defined]
    return None


def _imported(tree: ast.Module) -> Iterator[str]:
    """Names that a package takes from its own modules at the top (also for type checkers) to hand them on."""
    blocks = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.If))]
    for node in (each for block in blocks for each in block):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("modelward"):
            yield from (one.asname or one.name for one in node.names)


def oversized(every: Iterable[Source], *, lines_max: int, function_lines_max: int) -> dict[str, int]:
    """What is larger than the limits, with its size in lines: ``path`` for files, ``path:function`` for functions."""
    found = {}
    for each in every:
        lines = each.text.count("\n")
        if lines > lines_max:
            found[each.path] = lines
        for name, node in functions(each):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > function_lines_max:
                found[f"{each.path}:{name}"] = size
    return found


def growth(present: Mapping[str, int], listed: Mapping[str, int]) -> Iterator[str]:
    """Sizes only shrink: a new one, a larger one, and a list that is behind are offences."""
    for name, size in sorted(present.items()):
        if name not in listed:
            yield f"{name} has {size} lines: split it."
        elif size > listed[name]:
            yield f"{name} has grown from {listed[name]} to {size} lines: split it."
    for name, size in sorted(listed.items()):
        if present.get(name, 0) < size:
            yield f"{name} has shrunk: run `python tests/house/test_sizes.py` to keep it so."


def foreign_places(files: Iterable[tuple[str, str]]) -> Iterator[str]:
    """No path of somebody's machine and no host of a package registry."""
    for name, text in files:
        for number, line in enumerate(text.splitlines(), start=1):
            if MACHINE_PATH.search(line):
                yield f"{name}:{number} holds an absolute path of a machine."
            if any(host in line for host in REGISTRY_HOSTS):
                yield f"{name}:{number} names the host of a package registry."
