"""The Python client: the same over HTTP and in this process; errors as exceptions; retries that do things once."""

import copy

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import modelward
from modelward.kernel import errors
from modelward.kernel.errors import Conflict, Invalid, ModelwardError, NotFound, NotSignedIn, Unavailable
from modelward.kernel.refs import Digest
from modelward.sdk import Client, Record
from modelward.sdk.records import wrap
from modelward.sdk.transports import HttpTransport, Response
from support.houses import visitor_of


class Scripted:
    """A transport that answers from a list, and remembers what it was asked."""

    url = "test://scripted"

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def send(self, method, target, headers, body):
        self.asked.append((method, target, headers, body))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self):
        pass


class Hasty(Client):
    """A client that does not pause."""

    pauses_seconds = (0.0, 0.0)


def ok(value, status=200):
    return Response(status, {}, msgspec.json.encode(value))


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with visitor_of(tmp_path_factory.mktemp("house") / "data") as visitor:
        yield visitor.client()


def test_a_question_is_asked_again_when_the_server_is_away_for_a_moment():
    transport = Scripted(Unavailable(), Unavailable(), ok({"name": "a"}))

    assert Hasty(transport, token="t").models.get("a").name == "a"
    assert len(transport.asked) == 3


def test_a_change_is_sent_again_with_the_same_key_and_the_next_change_with_another():
    transport = Scripted(Unavailable(), ok({"ref": "a@1"}), ok({"ref": "a@2"}))
    client = Hasty(transport, token="t")
    client.versions.register("a")
    client.versions.register("a")

    keys = [headers["idempotency-key"] for _, _, headers, _ in transport.asked]
    assert keys[0] == keys[1] != keys[2]


def test_a_server_that_stays_away_is_told_of_in_the_end():
    with pytest.raises(Unavailable):
        Hasty(Scripted(Unavailable(), Unavailable(), Unavailable("Still away.")), token="t").models.get("a")


def test_bytes_without_a_key_are_sent_once():
    transport = Scripted(Unavailable(), ok({}))

    with pytest.raises(Unavailable):
        Hasty(transport, token="t").upload("/artifacts", b"model")
    assert len(transport.asked) == 1


KINDS = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ModelwardError)}


@pytest.mark.parametrize("kind", sorted(KINDS, key=lambda kind: kind.__name__))
def test_every_error_of_the_server_is_the_same_error_here(kind):
    shown = {"code": kind.__name__, "message": "It went wrong.", "field": "name", "hint": "Try.", "request_id": "r"}
    transport = Scripted(ok({"error": shown}, kind.status))

    with pytest.raises(kind) as caught:
        Hasty(transport, token="t").models.get("a")
    assert type(caught.value) is kind
    assert (caught.value.message, caught.value.field, caught.value.hint) == ("It went wrong.", "name", "Try.")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Invalid),
        (401, NotSignedIn),
        (404, NotFound),
        (409, Conflict),
        (418, Invalid),
        (500, Unavailable),
        (502, Unavailable),
    ],
)
def test_an_error_of_an_unknown_name_is_known_by_its_status(status, kind):
    with pytest.raises(kind):
        Hasty(Scripted(ok({"error": {"code": "Unheard", "message": "Of."}}, status)), token="t").models.get("a")


@pytest.mark.parametrize("body", [b"<html>", b"\xff", b"{"])
def test_an_answer_that_is_not_json_is_told_of_in_a_sentence(body):
    with pytest.raises(Unavailable, match="not JSON"):
        Hasty(Scripted(Response(200, {}, body)), token="t").models.get("a")


def test_a_list_is_followed_over_all_its_pages():
    transport = Scripted(
        ok({"items": [{"name": "a"}], "next_cursor": "c"}), ok({"items": [{"name": "b"}], "next_cursor": None})
    )

    assert [each.name for each in Hasty(transport, token="t").models.list()] == ["a", "b"]
    assert "cursor=c" in transport.asked[1][1]


@pytest.mark.parametrize("name", ["a/b", "../people", "a?x=1", "a#b", "a b", "%2e%2e", "", "ü"])
def test_a_name_never_leads_to_another_address(client, name):
    with pytest.raises((Invalid, NotFound)):
        client.models.get(name)
    with pytest.raises((Invalid, NotFound)):
        client.versions.get(name)


def test_a_wrong_token_is_told_of(client):
    with pytest.raises(NotSignedIn):
        client.as_("mw_wrong").who_am_i()


def test_a_model_with_its_bytes_there_and_back(client, tmp_path):
    client.models.register("bytes")
    (tmp_path / "model.bin").write_bytes(b"model" * 300_000)

    made = client.versions.register("bytes", artifact=tmp_path / "model.bin")

    assert client.artifacts.read(made.artifact) == b"model" * 300_000
    assert client.artifacts.get(made.artifact).name == "model.bin"


def test_bytes_that_have_changed_in_the_store_are_never_handed_over(tmp_path):
    with visitor_of(tmp_path / "data") as visitor:
        client = visitor.client()
        digest = client.artifacts.store(b"model" * 300_000).digest
        visitor.house.workshop.blobs.path(Digest(digest)).write_bytes(b"MODEL" * 300_000)

        with pytest.raises(ModelwardError, match="sha256"):
            client.artifacts.read(digest)


def test_a_closed_client_says_so(tmp_path):
    with visitor_of(tmp_path / "data") as visitor:
        client = visitor.client()
        client.close()
        with pytest.raises(Conflict, match="closed"):
            client.who_am_i()


def test_a_server_that_is_not_there_is_unavailable():
    client = Hasty(HttpTransport("http://127.0.0.1:9"), token="t")

    with pytest.raises(Unavailable, match="Is the server running"):
        client.who_am_i()
    client.close()


def test_connecting_to_a_folder_opens_it_here_and_a_second_time_again(tmp_path):
    for number in (1, 2):
        with modelward.connect(tmp_path / "data") as client:
            assert client.who_am_i().id == "owner"
            client.models.register(f"model-{number}")
    with modelward.connect(tmp_path / "data") as client:
        assert [each.name for each in client.models.list()] == ["model-1", "model-2"]


def test_connecting_to_a_folder_that_another_holds_without_serving_is_refused(tmp_path):
    with modelward.connect(tmp_path / "data"), pytest.raises(Unavailable, match="holds"):
        modelward.connect(tmp_path / "data")


FIELDS = st.dictionaries(st.text(min_size=1, max_size=6), st.none() | st.integers() | st.text(max_size=5), max_size=5)


@given(FIELDS)
def test_a_record_is_its_fields(fields):
    record = wrap("thing", fields)

    assert record.to_dict() == fields == dict(record)
    assert record == wrap("other", dict(reversed(fields.items())))
    assert hash(record) == hash(wrap("other", dict(reversed(fields.items()))))
    assert copy.deepcopy(record) == record
    assert isinstance(repr(record), str)
    assert "<script" not in record._repr_html_().replace("&lt;script", "")


def test_a_record_reads_by_attribute_and_key_and_names_what_it_has():
    record = Record("model", {"name": "fraud", "tags": {"a": "b"}, "versions": [{"number": 1}], "items": 3})

    assert (record.name, record["name"], record.tags.a, record.versions[0].number, record["items"]) == (
        "fraud",
        "fraud",
        "b",
        1,
        3,
    )
    with pytest.raises(AttributeError, match="it has items, name, tags, versions"):
        _ = record.nothing


def test_what_a_record_shows_in_a_notebook_is_text_and_never_markup():
    shown = wrap("models", [{"name": "<script>alert(1)</script>"}])._repr_html_()

    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
