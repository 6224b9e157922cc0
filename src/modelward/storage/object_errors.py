"""What goes wrong at an object store, in words of Modelward."""

import contextlib
from collections.abc import Iterator

from modelward.kernel.errors import Unavailable


@contextlib.contextmanager
def as_unavailable() -> Iterator[None]:
    """Let an object that is not there be FileNotFoundError, and all else that a store answers badly Unavailable."""
    from obstore.exceptions import BaseError

    try:
        yield
    except FileNotFoundError:
        raise
    except BaseError as problem:
        raise Unavailable(f"The object store did not answer as it should: {problem}") from problem
