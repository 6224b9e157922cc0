"""The same key means the same request: it is done once and answered alike, however often and however much at once."""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.houses import visitor_of


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def visitor(request, tmp_path):
    with contextlib.ExitStack() as opened:
        chosen = {}
        if request.param == "postgresql":
            chosen["database_url"] = opened.enter_context(request.getfixturevalue("postgres_databases").lend())
        visitor = opened.enter_context(visitor_of(tmp_path / "data", **chosen))
        visitor.client().models.register("fraud")
        yield visitor


def versions(visitor):
    return [each["number"] for each in visitor.client().versions.list("fraud")]


def register(visitor, key, body=b"{}", **options):
    return visitor.ask("POST", "/api/v1/models/fraud/versions", body, idempotency_key=key, **options)


def test_a_request_sent_again_with_its_key_is_done_once_and_answered_alike(visitor):
    first, again = register(visitor, "k"), register(visitor, "k")

    assert (again.status, again.body) == (first.status, first.body) == (201, first.body)
    assert versions(visitor) == [1]


def test_sixty_four_at_once_with_one_key_are_one_request(visitor):
    with ThreadPoolExecutor(64) as threads:
        answers = list(threads.map(lambda _: register(visitor, "k"), range(64)))

    assert {each.status for each in answers} == {201}
    assert {each.body["ref"] for each in answers} == {"fraud@1"}
    assert versions(visitor) == [1]


def test_sixty_four_at_once_with_their_own_keys_get_numbers_without_gaps(visitor):
    with ThreadPoolExecutor(64) as threads:
        answers = list(threads.map(lambda number: register(visitor, f"k{number}"), range(64)))

    assert sorted(each.body["number"] for each in answers) == list(range(1, 65))
    assert versions(visitor) == list(range(64, 0, -1))


def test_the_same_key_for_another_request_is_a_conflict(visitor):
    register(visitor, "k")

    for answer in (
        register(visitor, "k", b'{"description": "other"}'),
        visitor.ask("POST", "/api/v1/models", {"name": "other"}, idempotency_key="k"),
    ):
        assert (answer.status, answer.body["error"]["code"]) == (409, "KeyUsedTwice")
    assert versions(visitor) == [1]


def test_the_same_key_of_another_person_is_another_request(visitor):
    token = visitor.new_token("ben", "data-scientist")
    register(visitor, "k")

    assert register(visitor, "k", token=token).body["ref"] == "fraud@2"


def test_a_refused_request_may_be_sent_again_with_its_key(visitor):
    wrong = visitor.ask("POST", "/api/v1/models/churn/versions", {}, idempotency_key="k")
    visitor.client().models.register("churn")

    again = visitor.ask("POST", "/api/v1/models/churn/versions", {}, idempotency_key="k")

    assert (wrong.status, again.status) == (404, 201)


def test_a_key_of_any_length_is_not_kept(visitor):
    assert register(visitor, "k" * 201).status == 400
    assert versions(visitor) == []


def test_a_token_is_made_once_and_its_secret_is_not_told_again(visitor):
    ask = lambda: visitor.ask("POST", "/api/v1/people/owner/tokens", {"label": "x"}, idempotency_key="k")  # noqa: E731
    first, again = ask(), ask()

    assert first.status == 201
    assert (again.status, again.body["error"]["code"]) == (409, "AlreadyDone")
    assert len(visitor.ask("GET", "/api/v1/people/owner/tokens").body) == 2


def test_a_client_that_leaves_before_the_answer_changes_nothing_for_the_others(visitor):
    async def leave(app, scope):
        async def receive():
            return {"type": "http.request", "body": b"{}", "more_body": False}

        async def send(_message):
            pass

        task = asyncio.ensure_future(app(scope, receive, send))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/models/fraud/versions", "raw_path": b"/api/v1/models/fraud/versions",
        "query_string": b"", "headers": [(b"host", b"localhost"), (b"authorization", f"Bearer {visitor.secret}".encode())],
    }  # fmt: skip
    for _ in range(20):
        asyncio.run(leave(visitor.house.asgi, dict(scope)))

    assert register(visitor, "k").status == 201
    numbers = versions(visitor)
    assert numbers == list(range(len(numbers), 0, -1))
