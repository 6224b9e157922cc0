"""Functions of at most 60 lines, files of at most 400; what is larger stands in sizes.toml and may only shrink.

Run as a program it lowers the numbers in sizes.toml; with ``--admit`` it also takes in what is new (argue it in review).
"""

import sys
import tomllib
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from house import rules
from house.tree import sources

LIST = Path(__file__).with_name("sizes.toml")
FOLDERS = ("src", "tools", "tests", "benchmarks")


def present() -> dict[str, int]:
    return rules.oversized(sources(*FOLDERS), lines_max=400, function_lines_max=60)


def listed() -> dict[str, int]:
    return tomllib.loads(LIST.read_text())["lines"]


def test_sizes_only_shrink():
    offences = list(rules.growth(present(), listed()))

    assert not offences, "\n".join(offences)


def rewrite(*, admit: bool) -> None:
    now, before = present(), listed()
    kept = {name: size for name, size in now.items() if admit or name in before}
    if not admit:
        kept = {name: min(size, before[name]) for name, size in kept.items()}
    head = LIST.read_text().partition("[lines]")[0]
    LIST.write_text(head + "[lines]\n" + "".join(f'"{name}" = {kept[name]}\n' for name in sorted(kept)))


if __name__ == "__main__":
    rewrite(admit="--admit" in sys.argv[1:])
