"""What a test needs from outside: where it is missing the test is skipped with the reason, but never in CI."""

import os

import pytest

IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")


def missing(what: str) -> None:
    """Skip the test since something is missing; in CI that is a failure, for there it must be installed."""
    if IN_CI:
        pytest.fail(f"{what} is missing, and in CI nothing is skipped.")
    pytest.skip(f"{what} is missing.")
