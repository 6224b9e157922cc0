"""Each rule turns red on a planted violation; a rule that cannot fail proves nothing."""

import pytest

from house import rules
from house.tree import source

PLANTED = {
    "a vague module": (rules.vague_names, "src/modelward/kernel/string_utils.py", '"""Texts."""\n'),
    "a silent module": (rules.modules_without_docstring, "a.py", "x = 1\n"),
    "a silent function": (rules.public_without_docstring, "a.py", "def f():\n    return 1\n"),
    "a silent method": (rules.public_without_docstring, "a.py", 'class A:\n    """A."""\n    def f(self): ...\n'),
    "a name missing in __all__": (rules.wrong_exports, "a.py", "__all__ = ['f']\ndef f(): ...\ndef g(): ...\n"),
    "a name twice in __all__": (rules.wrong_exports, "a.py", "__all__ = ['f', 'f']\ndef f(): ...\n"),
    "an import not in __all__": (
        rules.wrong_exports,
        "a/__init__.py",
        "from modelward.a.b import f, g\n__all__ = ['f']\n",
    ),
}
PLANTED_WITH_LIST = {
    "except Exception": (rules.broad_excepts, "try:\n    f()\nexcept Exception:\n    pass\n"),
    "a bare except": (rules.broad_excepts, "try:\n    f()\nexcept:\n    pass\n"),
    "Exception in a tuple": (rules.broad_excepts, "try:\n    f()\nexcept (OSError, Exception) as e:\n    print(e)\n"),
    "a shell": (rules.unsafe_code, "import subprocess\nsubprocess.run('ls', shell=True)\n"),
    "os.system": (rules.unsafe_code, "import os\nos.system('ls')\n"),
    "os.system by name": (rules.unsafe_code, "from os import system\n"),
    "pickle": (rules.unsafe_code, "import pickle\n"),
    "a part of joblib": (rules.unsafe_code, "from joblib.numpy_pickle import load\n"),
    "eval": (rules.unsafe_code, "eval('1')\n"),
    "a use case for everybody": (rules.unguarded_use_cases, "def approve(work):\n    store.put(work)\n"),
    "a use case whose help asks nothing": (
        rules.unguarded_use_cases,
        "def approve(work):\n    _keep(work)\ndef _keep(work):\n    approve(work)\n",
    ),
}
KEPT = {
    "clean up and raise again": (rules.broad_excepts, "try:\n    f()\nexcept BaseException:\n    g()\n    raise\n"),
    "no shell": (rules.unsafe_code, "import subprocess\nsubprocess.run(['ls'], shell=False)\n"),
    "require": (rules.unguarded_use_cases, "def approve(work):\n    require(work, P)\n"),
    "another use case": (rules.unguarded_use_cases, "def a(work):\n    require(work, P)\ndef b(work):\n    a(work)\n"),
    "another capability": (
        rules.unguarded_use_cases,
        "from modelward.governance.registry import use_cases as registry\ndef b(work):\n    registry.get(work)\n",
    ),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_violation_is_found(what):
    rule, path, text = PLANTED[what]

    assert list(rule([source(path, text)]))


@pytest.mark.parametrize("what", PLANTED_WITH_LIST)
def test_a_planted_violation_is_found_unless_it_is_listed(what):
    rule, text = PLANTED_WITH_LIST[what]

    assert list(rule([source("a.py", text)], {}))
    names = ["a.py", "a.py:approve"]
    assert not list(rule([source("a.py", text)], dict.fromkeys(names, "a reason")))


@pytest.mark.parametrize("what", KEPT)
def test_what_is_right_is_left_alone(what):
    rule, text = KEPT[what]

    assert not list(rule([source("a.py", text)], {}))


def test_a_large_function_and_a_large_file_are_measured():
    long = "def f():\n" + "    g()\n" * 60

    found = rules.oversized([source("a.py", long)], lines_max=40, function_lines_max=60)

    assert found == {"a.py": 61, "a.py:f": 61}


def test_sizes_only_shrink():
    assert list(rules.growth({"a.py": 401}, {})), "a new one"
    assert list(rules.growth({"a.py": 402}, {"a.py": 401})), "a grown one"
    assert list(rules.growth({"a.py": 401}, {"a.py": 450})), "a list that is behind"
    assert list(rules.growth({}, {"a.py": 450})), "one that is gone"
    assert not list(rules.growth({"a.py": 450}, {"a.py": 450}))


def test_a_path_of_a_machine_and_the_host_of_a_registry_are_found():
    path = "cd /" + "root/code"
    host = "see https://" + rules.REGISTRY_HOSTS[0] + "/simple"

    assert len(list(rules.foreign_places([("a.md", path), ("b.md", host)]))) == 2
    assert not list(rules.foreign_places([("a.md", "GET /api/v1/models and /tmp/x and ../shared/data")]))
