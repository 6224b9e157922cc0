"""Every operation has a gate: nobody passes without a token, and nobody without the permission. All are walked."""

import re

import pytest

from modelward.governance.access.permissions import EVERYBODY, PERSONAS, Permission, Persona
from modelward.interfaces.rest.api import all_operations
from modelward.interfaces.rest.operations import Open, Operations, PermissionMissing
from modelward.storage.work import Work
from support.houses import visitor_of

OPERATIONS = all_operations()
GUARDED = [each for each in OPERATIONS if isinstance(each.permission, Permission)]
OPEN = {each.name for each in OPERATIONS if isinstance(each.permission, Open)}
PARTS = {"version": "fraud@1", "digest": "sha256:" + "0" * 64, "artifact": "sha256:" + "0" * 64}


def path_of(operation):
    return "/api/v1" + re.sub(r"{(\w+)}", lambda found: PARTS.get(found[1], "1"), operation.path)


def named(operation):
    return f"{operation.method} {operation.path}"


def lacking():
    for operation in GUARDED:
        for persona in Persona:
            if operation.permission not in PERSONAS[persona] | EVERYBODY:
                yield pytest.param(operation, persona, id=f"{named(operation)} as {persona}")


def test_an_operation_without_a_permission_cannot_be_declared():
    for wrong in (None, "", "model.read", True, object()):
        with pytest.raises(PermissionMissing):
            Operations("test").operation("GET", "/nowhere", permission=wrong)
    with pytest.raises(TypeError):
        Operations("test").operation("GET", "/nowhere")


def test_an_operation_whose_signature_is_not_its_path_cannot_be_declared():
    def handler(work: Work, other: str) -> None:
        """Do something."""

    with pytest.raises(TypeError, match="must take"):
        Operations("test").operation("GET", "/models/{model}", permission=Permission.MODEL_READ)(handler)


def test_hardly_any_operation_is_open_and_each_says_why():
    assert len(OPEN) <= 1
    assert all(each.permission.because for each in OPERATIONS if isinstance(each.permission, Open))


def test_no_two_operations_share_a_method_and_a_path_or_a_name():
    assert len({named(each) for each in OPERATIONS}) == len(OPERATIONS)
    assert len({each.name for each in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize("operation", GUARDED, ids=named)
@pytest.mark.parametrize(
    "header", ["", "Bearer ", "Bearer wrong", "Bearer mw_" + "A" * 43, "Basic b3duZXI6b3duZXI=", "bearer\x0bx"]
)
def test_nobody_without_a_token_gets_past_the_gate(visitor, operation, header):
    headers = {"authorization": header} if header else {}

    answer = visitor.ask(operation.method, path_of(operation), b"", token="", **headers)

    assert answer.status == 401
    assert answer.body["error"]["code"] == "NotSignedIn"


@pytest.mark.parametrize(("operation", "persona"), list(lacking()))
def test_nobody_without_the_permission_gets_past_the_gate(visitor, tokens, operation, persona):
    answer = visitor.ask(operation.method, path_of(operation), b"{}", token=tokens[persona])

    assert answer.status == 403
    assert answer.body["error"]["code"] == "NotAllowed"
    assert operation.permission.value in answer.body["error"]["message"]


@pytest.mark.parametrize("operation", GUARDED, ids=named)
def test_who_has_the_permission_gets_past_the_gate_and_the_server_never_fails(visitor, tokens, operation):
    answer = visitor.ask(operation.method, path_of(operation), b"{}", token=tokens["owner"])

    assert answer.status < 500
    assert answer.status not in (401, 405)


def test_a_capture_agent_reads_nothing_but_who_it_is():
    allowed = {
        each.name for each in GUARDED if each.permission in PERSONAS[Persona.CAPTURE_AGENT] and each.method == "GET"
    }

    # Nobody puts a notice into the inbox of one who may not read cards.
    assert allowed <= {"who_am_i", "list_tokens", "list_key_pairs", "list_inbox", "count_inbox"}


def test_an_auditor_changes_nothing():
    changing = {each.name for each in GUARDED if each.permission in PERSONAS[Persona.AUDITOR] and each.writes}

    # A preview of an import reads what is sent along and keeps nothing.
    assert changing <= {
        "make_token",
        "revoke_token",
        "make_key_pair",
        "revoke_key_pair",
        "mark_notice_read",
        "preview_card_import",
        "request_card_export",
    }


def test_a_revoked_token_is_refused_at_once(visitor):
    client = visitor.client()
    client.people.add("rita", persona="auditor")
    made = client.people.make_token("rita")
    assert visitor.ask("GET", "/api/v1/models", token=made["secret"]).status == 200

    client.people.revoke_token(made["token"]["id"])

    assert visitor.ask("GET", "/api/v1/models", token=made["secret"]).status == 401


def test_a_disabled_person_is_refused_at_once_with_every_token(visitor):
    secrets = [visitor.new_token("dora", "owner"), str(visitor.client().people.make_token("dora")["secret"])]
    assert [visitor.ask("GET", "/api/v1/models", token=each).status for each in secrets] == [200, 200]

    visitor.client().people.disable("dora")

    assert [visitor.ask("GET", "/api/v1/models", token=each).status for each in secrets] == [401, 401]


def test_another_persona_counts_from_the_next_request_on(visitor):
    token = visitor.new_token("paul", "owner")
    assert visitor.ask("GET", "/api/v1/people", token=token).status == 200

    visitor.client().people.change_persona("paul", "auditor")

    assert visitor.ask("GET", "/api/v1/people", token=token).status == 403


def test_nobody_makes_or_revokes_a_token_of_another(visitor, tokens):
    theirs = visitor.client().people.make_token("some-owner")["token"]["id"]

    for persona in ("data-scientist", "risk-manager", "auditor", "capture-agent"):
        assert visitor.ask("POST", "/api/v1/people/some-owner/tokens", {}, token=tokens[persona]).status == 403
        assert visitor.ask("GET", "/api/v1/people/some-owner/tokens", token=tokens[persona]).status == 403
        assert visitor.ask("POST", f"/api/v1/tokens/{theirs}/revoke", token=tokens[persona]).status == 403


def test_an_expired_token_opens_nothing(tmp_path):
    with visitor_of(tmp_path / "data") as visitor:
        secret = visitor.client().people.make_token("owner", days_valid=1)["secret"]
        assert visitor.ask("GET", "/api/v1/self", token=secret).status == 200

        visitor.house.database.write(
            lambda c: c.exec_driver_sql(
                "UPDATE token SET expires_at = '2020-01-01T00:00:00.000000Z' WHERE expires_at IS NOT NULL"
            )
        )
        visitor.house.identity._memory.clear()

        assert visitor.ask("GET", "/api/v1/self", token=secret).status == 401


@pytest.mark.parametrize("days", [0, -1, 10**6, 10**12, 10**30])
def test_a_token_is_never_valid_for_a_time_that_makes_no_sense(visitor, days):
    assert visitor.ask("POST", "/api/v1/people/owner/tokens", {"days_valid": days}).status == 400


def test_no_secret_stands_anywhere_in_the_database(visitor):
    secret = visitor.client().people.make_token("owner", label="of this test")["secret"]

    dump = visitor.house.database.read(
        lambda c: "\n".join(str(row) for (name,) in c.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").all()
                            for row in c.exec_driver_sql(f'SELECT * FROM "{name}"').all())
    )  # fmt: skip

    assert "of this test" in dump
    assert secret not in dump
    assert visitor.secret not in dump
