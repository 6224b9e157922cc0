"""What the pages answer over plain HTTP: headers, permissions, cookies, static files. No browser."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from modelward.governance.access.permissions import Permission
from modelward.interfaces.http import Open, PermissionMissing
from modelward.interfaces.web import sessions
from modelward.interfaces.web.families import all_views
from modelward.interfaces.web.sign_in import _local
from modelward.interfaces.web.views import Views, show
from modelward.storage.work import Work

FROM_HERE = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def client(empty_house: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=empty_house.url) as client:
        yield client


@pytest.fixture
def owner(empty_house: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=empty_house.url) as client:
        page = client.get("/sign-in")
        form = {"token": empty_house.tokens["owner"], "next": "/", "form_token": token_in(page)}
        assert client.post("/sign-in", data=form, headers=FROM_HERE).status_code == 303
        yield client


def token_in(page: httpx.Response) -> str:
    found = re.search(r'name="form_token" value="(\w+)"', page.text)
    assert found
    return found.group(1)


def test_a_page_without_a_permission_cannot_be_registered():
    def page(work: Work):
        return show("about.html")

    with pytest.raises(PermissionMissing):
        Views().page("GET", "/x", permission=None)(page)


def test_only_signing_in_is_open_to_everybody():
    opened = {(view.method, view.path) for view in all_views() if isinstance(view.permission, Open)}

    assert opened == {("GET", "/sign-in"), ("POST", "/sign-in")}


def test_every_page_turns_away_who_is_not_signed_in(client: httpx.Client):
    for view in all_views():
        path = re.sub(r"{\w+}", "none", view.path).replace("/versions/none", "/versions/none@1")
        if isinstance(view.permission, Open):
            continue
        answer = client.request(view.method, path, headers=FROM_HERE)
        expected = 303 if view.method == "GET" else 401
        assert answer.status_code == expected, f"{view.method} {path}"
        if expected == 303:
            assert answer.headers["location"].startswith("/sign-in?next=/")


def test_every_answer_carries_the_security_headers_and_is_not_kept(client: httpx.Client, owner: httpx.Client):
    for asked, path in ((client, "/"), (client, "/sign-in"), (owner, "/"), (owner, "/none"), (owner, "/audit")):
        headers = asked.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe-eval" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_static_files_are_kept_for_ever_under_their_digest(client: httpx.Client):
    page = client.get("/sign-in").text
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(addresses) >= 4

    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert client.get("/static/0000000000000000/site.css").status_code == 404
    assert client.get("/static/../pages.py").status_code == 404
    assert client.get("/static/%2e%2e/pages.py").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
    ],
)
def test_a_form_from_elsewhere_is_refused_even_with_the_right_token(owner: httpx.Client, headers: dict[str, str]):
    form = {"id": "mallory", "persona": "owner", "form_token": token_in(owner.get("/people"))}

    answer = owner.post("/people", data=form, headers=headers)

    assert answer.status_code == 403
    assert "not sent from a page of this server" in answer.text
    assert "mallory" not in owner.get("/people").text


def test_the_token_of_another_session_is_refused(owner: httpx.Client, empty_house: Any):
    with httpx.Client(base_url=empty_house.url) as other:
        foreign = token_in(other.get("/sign-in"))

    answer = owner.post("/people", data={"id": "mallory", "persona": "owner", "form_token": foreign}, headers=FROM_HERE)

    assert answer.status_code == 403


def test_signing_in_by_a_forged_form_is_refused(client: httpx.Client, empty_house: Any):
    client.get("/sign-in")
    form = {"token": empty_house.tokens["owner"], "form_token": "0" * 64}

    answer = client.post("/sign-in", data=form, headers=FROM_HERE)

    assert answer.status_code == 403
    assert sessions.SESSION not in answer.headers.get("set-cookie", "")


def test_over_tls_the_cookie_is_secure_and_bound_to_the_host():
    scope = {"type": "http", "scheme": "https", "headers": [(b"cookie", b"__Host-modelward-session=abc")]}

    name, value = sessions.set_cookie(scope, sessions.SESSION, "abc")

    assert name == b"set-cookie"
    assert value == b"__Host-modelward-session=abc; Path=/; HttpOnly; SameSite=Strict; Secure"
    assert sessions.cookie(scope, sessions.SESSION) == "abc"


@pytest.mark.parametrize(
    "address", ["//evil.example", "https://evil.example", "/\\evil.example", "", "javascript:alert(1)", "/a\r\nx: y"]
)
def test_after_signing_in_one_stays_on_this_server(address: str):
    assert _local(address) == "/"


def test_a_link_from_another_site_reaches_its_page_with_the_strict_cookie(client: httpx.Client):
    answer = client.get("/models/a?x=1", headers={"sec-fetch-site": "cross-site"})

    assert answer.status_code == 200
    assert 'http-equiv="refresh" content="0;url=/models/a?x=1"' in answer.text


def test_errors_are_pages_in_words(owner: httpx.Client):
    for path, status, words in (
        ("/none", 404, "There is no page at this address"),
        ("/models/none", 404, "No model named none is registered"),
        ("/versions/none", 404, "There is no page at this address"),
        ("/?show=nothing", 400, "is not a filter"),
        ("/audit?before=x", 400, "Expected `int"),
    ):
        answer = owner.get(path)
        assert answer.status_code == status, path
        assert words in answer.text, path
        assert answer.headers["content-type"].startswith("text/html")
    assert owner.put("/models").status_code == 405
    assert owner.head("/models").status_code == 200


def test_a_form_that_is_no_form_is_refused(owner: httpx.Client):
    assert owner.post("/people", json={"id": "x"}, headers=FROM_HERE).status_code == 400
    assert owner.post("/people", content=b"a=%ff", headers=FROM_HERE | FORM).status_code == 400
    assert owner.post("/people", content=b"a=" + b"x" * (2 << 20), headers=FROM_HERE | FORM).status_code == 400


FORM = {"content-type": "application/x-www-form-urlencoded"}


def test_a_persona_sees_only_the_places_it_may_go_to(owner: httpx.Client):
    page = owner.get("/about").text

    assert 'href="/people"' in page
    assert Permission.ACCESS_MANAGE.value in page
