"""What a flow says when something must be refused. Runs in the environment of an SDK, where pytest is not."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def refused(*words: str) -> Iterator[None]:
    """The block must end with an error that says all the words."""
    try:
        yield
    except Exception as problem:
        told = f"{type(problem).__name__} {problem}"
        absent = [word for word in words if word not in told]
        if absent:
            raise AssertionError(f"{told} does not say {absent}") from problem
        return
    raise AssertionError(f"nothing was refused, though {words} was expected")
