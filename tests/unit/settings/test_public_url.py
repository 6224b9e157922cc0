"""Where documents say that a card is found."""

import pytest

from modelward.kernel.errors import Invalid
from modelward.settings import load


@pytest.mark.parametrize(
    "given, address",
    [
        ({"public_url": "https://models.example.com/"}, "https://models.example.com"),
        ({"port": 8400}, "http://127.0.0.1:8400"),
        ({"port": 0}, ""),
        ({"host": "0.0.0.0"}, ""),
        ({"host": "::1", "port": 8400}, "http://[::1]:8400"),
    ],
)
def test_the_address_is_the_one_that_was_given_or_host_and_port_where_these_say_something(given, address, tmp_path):
    assert load({}, home=tmp_path, **given).address == address


@pytest.mark.parametrize("url", ["models.example.com", "ftp://x", "https://", "https://u:p@x", "javascript:alert(1)"])
def test_an_address_that_is_none_is_refused(url, tmp_path):
    with pytest.raises(Invalid, match="public_url"):
        load({}, home=tmp_path, public_url=url)
