"""The rules of the house, applied to the house."""

from importlib import import_module

from house import rules
from house.tree import ROOT, repository_files, sources

SOURCE = sources("src", "tools")
EVERYTHING = sources("src", "tools", "tests", "benchmarks")

# Where everything may be caught, and why.
BROAD_EXCEPTS = {
    "src/modelward/interfaces/aws/s3/service.py": "a fault of ours becomes an answer in the client's language, and is logged",
    "src/modelward/interfaces/aws/wire.py": "a fault of ours becomes an answer in the client's language, and is logged",
    "src/modelward/cli/main.py": "a fault of ours ends with 3, since 1 says that something was found",
    "src/modelward/governance/cards/documents/pdf.py": "a panic of the setter is no Exception; all else is raised again",
    "src/modelward/interfaces/rest/dispatch.py": "a fault of ours becomes an answer in the one shape, and is logged",
    "src/modelward/interfaces/web/pages.py": "a fault of ours becomes a page that says so, and is logged",
    "src/modelward/jobs/worker.py": "a fault in a job is noted on the job; the worker goes on",
    "src/modelward/storage/connections.py": "handed to SQLAlchemy, which makes its own error of it",
    "src/modelward/storage/database.py": "what a unit raises goes to its caller; a failed flush stops the process",
}
UNSAFE_CODE = {
    "src/modelward/cli/demo/predictor.py": "the demo writes the models it has trained, as a client would",
    "src/modelward/cli/demo/story.py": "the demo's own model server reads a file that the demo wrote, as a client would",
}
# Use cases that ask for no permission, and why.
OPEN_USE_CASES = {
    "src/modelward/governance/access/key_pairs.py:who_has_key_pair": "this is how one comes in; the secret is the proof",
    "src/modelward/governance/access/use_cases.py:sign_in": "this is how one comes in; the secret is the proof",
    "src/modelward/governance/access/use_cases.py:who_has_session": "this is how one comes in; the secret is the proof",
    "src/modelward/governance/access/use_cases.py:who_has_token": "this is how one comes in; the secret is the proof",
}
# Files that are not ours to write: what is listed there comes from outside, word for word.
WORD_FOR_WORD = ("uv.lock", "src/modelward/interfaces/web/static/")


def test_every_name_says_what_lives_there():
    assert_none(rules.vague_names(EVERYTHING))


def test_every_module_begins_with_a_docstring():
    assert_none(rules.modules_without_docstring(EVERYTHING))


def test_every_public_function_says_what_it_does():
    assert_none(rules.public_without_docstring(SOURCE))


def test_only_listed_files_catch_everything():
    assert_none(rules.broad_excepts(SOURCE, BROAD_EXCEPTS))
    assert_needed(rules.broad_excepts, BROAD_EXCEPTS)


def test_nothing_opens_a_shell_evaluates_text_or_unpickles():
    assert_none(rules.unsafe_code(SOURCE, UNSAFE_CODE))
    assert_needed(rules.unsafe_code, UNSAFE_CODE)


def test_every_use_case_asks_for_a_permission():
    every = [each for each in SOURCE if each.path.endswith("/use_cases.py")]

    assert every
    assert_none(rules.unguarded_use_cases(every, OPEN_USE_CASES))
    assert_needed(rules.unguarded_use_cases, OPEN_USE_CASES)


def test_the_list_of_public_names_is_the_truth():
    ours = [each for each in SOURCE if each.path.startswith("src/")]

    assert_none(rules.wrong_exports(ours))
    for each in ours:
        for name in rules._listed(each.tree) or ():
            module = each.path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            assert hasattr(import_module(module), name), f"{module}.__all__ names {name}, which is not there."


def test_no_path_of_a_machine_and_no_host_of_a_registry_is_written_anywhere():
    assert_none(rules.foreign_places(texts()))


def texts():
    for path in repository_files():
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(WORD_FOR_WORD):
            content = path.read_bytes()
            if b"\0" not in content[:8192]:
                yield name, content.decode("utf-8", "replace")


def assert_none(offences):
    found = list(offences)
    assert not found, "\n" + "\n".join(found)


def assert_needed(rule, listed):
    """An exception that nobody needs any more is taken off the list."""
    idle = [name for name in listed if not any(name.split(":")[0] == each.path for each in SOURCE)]
    assert not idle, f"Listed, but not there: {idle}"
    without = "\n".join(rule(SOURCE, {}))
    idle = [name for name in listed if name not in without]
    assert not idle, f"Listed without need: {idle}"
