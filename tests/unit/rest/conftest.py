"""One house for all questions of a file."""

import pytest

from support.houses import visitor_of


@pytest.fixture(scope="module")
def visitor(tmp_path_factory):
    with visitor_of(tmp_path_factory.mktemp("house") / "data") as visitor:
        yield visitor


@pytest.fixture(scope="module")
def tokens(visitor):
    """A token of each persona."""
    personas = ["owner", "data-scientist", "risk-manager", "auditor", "capture-agent"]
    return {persona: visitor.new_token(f"some-{persona}", persona) for persona in personas}
