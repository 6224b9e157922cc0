"""How an error crosses from a worker: as data, since an exception may not survive being sent."""

from collections.abc import Callable

import msgspec

from modelward.analysis.engines.engine import Task
from modelward.kernel import errors
from modelward.kernel.errors import ModelwardError, Unavailable


class _Failed(msgspec.Struct, frozen=True):
    code: str
    message: str
    field: str | None
    hint: str | None


def answer(work: Callable[[Task], bytes], task: Task) -> tuple[bool, bytes]:
    """Run a task; an error of ours becomes data."""
    try:
        return True, work(task)
    except ModelwardError as problem:
        return False, msgspec.json.encode(_Failed(problem.code, problem.message, problem.field, problem.hint))


def unpacked(found: tuple[bool, bytes]) -> bytes:
    """The answer of a worker.

    Raises:
        ModelwardError: the one that the worker met.
    """
    good, content = found
    if good:
        return content
    failed = msgspec.json.decode(content, type=_Failed)
    kind = getattr(errors, failed.code, Unavailable)
    raise kind(failed.message, field=failed.field, hint=failed.hint)
