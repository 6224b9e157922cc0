"""The way out is guarded: no spelling of an inner address passes, and no answer leads inside."""

import asyncio
import contextlib
import gzip
import ipaddress
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward import outbound
from modelward.kernel.errors import Invalid
from modelward.outbound import AddressRefused, Answer, Outbound, TargetFailed, judge, networks, parse


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "file:///etc/passwd", "gopher://example.com", "//example.com", "example.com", "", "http://",
        "http:///path", "http://user@example.com/", "http://example.com@169.254.169.254/", "http://a:b@example.com",
        "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/", "http://0x7f.0.0.1/",
        "http://127.0.0.1.5/", "http://0/", "http://1/", "http://[::1%25lo]/", "http://[::ffff:127.0.0.1]x/", "http://[::g]/",
        "http://exa mple.com/", "http://example.com\\@evil.com/", "http://example.com\r\nHost: x/", "http://exämple.com/",
        "http://127。0。0。1/", "http://①②⑦.0.0.1/", "http://example.com:99999/", "http://example.com:x/", "http://a..b/",
        "http://*.example.com/", "http://-a.com/", "http://" + "a" * 64 + ".com/", "http://example.com/" + "a" * 3000,
    ],
)  # fmt: skip
def test_a_url_in_a_wrong_or_disguised_spelling_is_invalid(url: str):
    with pytest.raises(Invalid):
        parse(url)


@pytest.mark.parametrize(
    "url, host, port",
    [
        ("http://example.com", "example.com", 80),
        ("https://Example.COM./predict?a=b", "example.com", 443),
        ("http://[2001:DB8::1]:8080/x", "2001:db8::1", 8080),
        ("http://93.184.216.34", "93.184.216.34", 80),
        ("http://model-1.prod_svc:9000/", "model-1.prod_svc", 9000),
    ],
)
def test_a_plain_url_is_taken_apart(url: str, host: str, port: int):
    target = parse(url)

    assert (target.host, target.port) == (host, port)


INSIDE = [
    "127.0.0.1", "127.8.9.1", "::1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "100.64.0.1", "0.0.0.0", "::", "224.0.0.1",
    "ff02::1", "240.0.0.1", "255.255.255.255", "fc00::1", "fd12::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1", "2001:0:4136:e378:8000:63bf:f5ff:fffe",
    "169.254.169.254", "169.254.1.1", "fe80::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::",
    "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "::ffff:0:7f00:1",
]  # fmt: skip


@pytest.mark.parametrize("text", INSIDE)
def test_an_inner_address_is_refused_in_every_form(text: str):
    assert judge(ipaddress.ip_address(text), allow=()) != ""


@pytest.mark.parametrize("text", ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_a_public_address_passes(text: str):
    assert judge(ipaddress.ip_address(text), allow=()) == ""


def test_the_loopback_passes_only_where_the_server_itself_is_local():
    assert judge(ipaddress.ip_address("127.0.0.1"), allow=(), loopback=True) == ""
    assert judge(ipaddress.ip_address("::1"), allow=(), loopback=True) == ""
    assert judge(ipaddress.ip_address("10.0.0.1"), allow=(), loopback=True) != ""
    assert judge(ipaddress.ip_address("169.254.169.254"), allow=(), loopback=True) != ""


def test_a_listed_network_passes():
    assert judge(ipaddress.ip_address("10.1.2.3"), allow=networks("10.0.0.0/8, 192.168.7.7")) == ""
    assert judge(ipaddress.ip_address("::ffff:10.1.2.3"), allow=networks("10.0.0.0/8")) == ""
    assert judge(ipaddress.ip_address("192.168.7.8"), allow=networks("10.0.0.0/8, 192.168.7.7")) != ""


@pytest.mark.parametrize("wide", ["0.0.0.0/0", "::/0", "0.0.0.0/0,::/0", "169.0.0.0/8", "::ffff:0:0/96"])
def test_a_wide_list_does_not_open_the_metadata_service(wide: str):
    for text in ("169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "168.63.129.16"):
        assert judge(ipaddress.ip_address(text), allow=networks(wide)) != ""


def test_a_list_that_names_the_metadata_service_opens_it():
    assert judge(ipaddress.ip_address("169.254.169.254"), allow=networks("169.254.169.254/32")) == ""


def test_a_list_that_is_no_list_of_networks_is_invalid():
    with pytest.raises(Invalid, match=r"'10\.0\.0\.0/99' is not an IP address or network"):
        networks("10.0.0.0/99")


@given(st.integers(0, 2**32 - 1))
def test_an_address_inside_another_is_never_judged_more_mildly(number: int):
    inner = ipaddress.IPv4Address(number)

    if judge(inner, allow=()):
        for network, right in outbound._CARRIERS:
            carrier = int(ipaddress.IPv6Network(network).network_address) | number << right
            assert judge(ipaddress.IPv6Address(carrier), allow=())


class _Model(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        status, headers, body = self.server.answer  # type: ignore[attr-defined]
        self.server.hosts.append(self.headers["host"])  # type: ignore[attr-defined]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving(
    status: int = 200, headers: dict[str, str] | None = None, body: bytes = b"{}"
) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Model)
    server.answer, server.hosts = (status, headers or {}, body), []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def post(url: str, *, loopback: bool = True) -> Answer:
    with contextlib.closing(Outbound(loopback=loopback)) as way_out:
        return way_out.post_now(url, b"{}", headers={})


def post_from_afar(url: str) -> Answer:
    return post(url, loopback=False)


def test_an_answer_comes_back_as_it_is():
    with serving(418, {"x-model": "yes"}, b"short and stout") as server:
        answer = post(f"http://127.0.0.1:{server.server_port}/pot")

    assert (answer.status, answer.headers["x-model"], answer.body) == (418, "yes", b"short and stout")


def test_a_redirect_is_not_followed():
    with (
        serving(302, {"location": "http://169.254.169.254/latest/meta-data/"}) as server,
        pytest.raises(TargetFailed, match="redirect"),
    ):
        post(f"http://127.0.0.1:{server.server_port}/")


def test_an_answer_that_is_too_large_or_compressed_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outbound, "ANSWER_BYTES_MAX", 1000)
    with serving(body=b"x" * 1001) as server, pytest.raises(TargetFailed, match="larger than 1000 bytes"):
        post(f"http://127.0.0.1:{server.server_port}/")
    bomb = gzip.compress(b"0" * 100_000)
    with (
        serving(headers={"content-encoding": "gzip"}, body=bomb) as server,
        pytest.raises(TargetFailed, match="compressed"),
    ):
        post(f"http://127.0.0.1:{server.server_port}/")


def test_a_model_that_does_not_answer_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outbound, "TOTAL_SECONDS_MAX", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TargetFailed, match=r"within 0\.2 seconds"):
        post(f"http://127.0.0.1:{silent.getsockname()[1]}/")


def test_nobody_at_home_is_told_as_such():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(TargetFailed, match=f"127.0.0.1:{port} did not answer"):
        post(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "[::ffff:169.254.169.254]", "10.0.0.1"]
)
def test_an_inner_address_is_not_called(host: str):
    with pytest.raises(AddressRefused, match="Modelward does not call it"):
        post_from_afar(f"http://{host}:9/")


def test_a_name_with_one_inner_address_is_not_called(monkeypatch: pytest.MonkeyPatch):
    resolve(monkeypatch, ["93.184.216.34", "10.0.0.1"])

    with pytest.raises(AddressRefused, match=r"looks\.innocent is private or reserved"):
        post_from_afar("http://looks.innocent/")


def test_the_judged_address_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch):
    with serving() as server:
        port = server.server_port
        asked = resolve(monkeypatch, ["127.0.0.1"])
        answer = post(f"http://model.test:{port}/")

    assert answer.status == 200
    assert asked == ["model.test"]
    assert server.hosts == [f"model.test:{port}"]  # type: ignore[attr-defined]


def resolve(monkeypatch: pytest.MonkeyPatch, addresses: list[str]) -> list[str]:
    asked: list[str] = []

    async def answer(_loop: object, host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", answer)
    return asked
