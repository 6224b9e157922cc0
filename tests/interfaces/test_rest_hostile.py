"""Requests made of everything but good will: each operation of the API, with parts made from its own types, bent.

Whatever comes, the answer is no 5xx and no silence, a refusal has the one shape and leaves nothing behind, and what was
taken in can be worked off.
"""

import contextlib
import json
import random
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import msgspec
import pytest
from msgspec import inspect as kinds

from modelward.interfaces.rest.api import all_operations
from modelward.kernel.refs import Digest, Ref
from support.houses import visitor_of

SEED = 20130101
REQUESTS_EACH = 12
ANSWER_SECONDS_MAX = 20.0

TEXTS = [
    "", " ", "x" * 200, "x" * 5000, "<script>alert(1)</script>", "\"'`;--", "../../etc/passwd", "..", ".", "/", "%00", "\x00",
    "\x07", "\u202egnp.exe", "\U0001f9a0", "e\u0301", "\ufeff", "\u2028", "a\nb", "NaN", "-1", "0", "1e400", "null", "fraud@0",
    "fraud@1", "fraud@99999999", "fraud@999999999999", "fraud@1@1", "sha256:" + "0" * 64, "sha256:zz", "' OR 1=1",
    "%", "_", "\\", "{{7*7}}", "${x}", "fraud\t", "Ⅷ", "１", "fraud@１", "İ", "ß", "\ud7ff", "* * * * *",
]  # fmt: skip
MOMENTS = [
    "99999-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999-14:00", "9999-12-31T23:59:59Z", "2026-01-01T00:00:00", "2026-01-01", "2026-02-30T00:00:00Z",
    "2026-01-01T24:00:00Z", "2026-01-01T00:00:60Z", "yesterday", "", "1700000000", "-1",
]  # fmt: skip
NUMBERS = [
    0,
    -1,
    1,
    2,
    2**31,
    2**53 + 1,
    2**63 - 1,
    2**63,
    2**64,
    -(2**63),
    -(2**63) - 1,
    10**30,
    0.5,
    -0.0,
    1e308,
    5e-324,
]
CRONS = [
    "* * * * *",
    "@reboot",
    "0 0 30 2 *",
    "99 * * * *",
    "* * * * * *",
    "*/0 * * * *",
    "L W # ?",
    "0 0 1 1 7",
    "١ * * * *",
    "\n",
]
ZONES = [
    "UTC",
    "Europe/Zurich",
    "Mars/Base",
    "../../../etc/passwd",
    "",
    "/etc/localtime",
    "localtime",
    "posixrules",
    "Europe",
    "\x00",
]
DEEP = 2000
RAW_BODIES = [
    b"", b"null", b"[]", b"{", b"\xff\xfe", b"0", b'""', b"NaN", b'{"a":1,"a":2}', b'{"name":"\\u0000"}', b'{"name":"\\ud800"}',
    b"[" * DEEP + b"]" * DEEP, b'{"content":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}", b'{"limit":' + b"9" * 5000 + b"}",
    b'{"content":{"x":' + b"9" * 5000 + b"}}", b'{"content":{"x":-1e999}}', b"PAR1" + b"\x00" * 64 + b"PAR1", b"a,b\n1", b"\x00" * 1000,
]  # fmt: skip
KNOWN = {
    "ModelRef": "fraud", "VersionRef": "fraud@1", "EndpointRef": "fraud-live", "BaselineRef": "fraud-train",
    "MonitorRef": "fraud-inputs", "CardRef": "loose",
}  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A house where something of each kind is known and nothing works meanwhile, so that each change is a request's."""
    folder = tmp_path_factory.mktemp("hostile") / "data"
    with visitor_of(folder) as visitor, visitor.client() as owner:
        known = furnish(owner)
    with visitor_of(folder, works=False) as visitor:
        yield visitor, known, folder


def furnish(owner):
    owner.models.register("fraud", description="Card payments.")
    version = owner.versions.register("fraud", artifact=b"bytes", facts={"problem_type": "binary"})
    table = b"amount,country,prediction,label\n" + b"".join(
        b"%d,CH,%d,%d\n" % (i, i % 2, i % 3 == 0) for i in range(40)
    )
    dataset = owner.artifacts.store(table, name="table.csv")["digest"]
    owner.endpoints.create("fraud-live", version.ref)
    owner.baselines.create("fraud-train", dataset, version=version.ref)
    owner.baselines.wait("fraud-train")
    owner.monitors.create("fraud-inputs", "fraud-live", "fraud-train")
    owner.cards.create("loose", content={"intended_uses": {"purpose_of_model": "To be known."}})
    asked = owner.evaluations.request(
        version.ref, "quality", dataset, problem_type="binary", label="label", prediction="prediction"
    )
    owner.evaluations.wait(asked.id)
    now = datetime.now(UTC)
    run = owner.monitors.run("fraud-inputs", now - timedelta(hours=1), now)
    owner.runs.wait(run.id)
    owner.people.add("ana", persona="data-scientist")
    token = owner.people.make_token("ana")
    owner.settle()
    review = owner.reviews.of(version.ref)
    return {
        **KNOWN, "Digest": dataset, "EvaluationRef": asked.id, "RunRef": run.id, "ReviewRef": review.id, "person": "ana",
        "token": token["token"]["id"], "node": "fraud@1", "schedule": "monitor:fraud-inputs", "number": "1",
    }  # fmt: skip


class Maker:
    """Makes values of a type: mostly right ones, with something bent in one place."""

    def __init__(self, seed, known):
        self.dice, self.known = random.Random(seed), known

    def hostile(self):
        """A value of no type in particular."""
        pools = (TEXTS, MOMENTS, NUMBERS, CRONS, ZONES, [None, True, [], {}, [[]], {"": ""}, {"__proto__": 1}])
        return self.dice.choice(self.dice.choice(pools))

    def value(self, kind, *, bend):
        """A value of this type; with ``bend`` perhaps not quite."""
        if self.dice.random() < bend:
            return self.hostile()
        return self._value(kinds.type_info(kind) if not isinstance(kind, kinds.Type) else kind, bend)

    def _value(self, info, bend):
        match info:
            case kinds.StructType():
                wanted = [field for field in info.fields if field.required or self.dice.random() < 0.5]
                return {field.encode_name: self.value(field.type, bend=bend) for field in wanted}
            case kinds.UnionType():
                return self.value(self.dice.choice(info.types), bend=bend)
            case kinds.ListType():
                return [self.value(info.item_type, bend=bend) for _ in range(self.dice.randrange(3))]
            case kinds.DictType():
                return {
                    str(self.dice.choice(TEXTS)): self.value(info.value_type, bend=bend)
                    for _ in range(self.dice.randrange(3))
                }
            case kinds.EnumType():
                return self.dice.choice(list(info.cls)).value
            case kinds.CustomType():
                return self.known.get(info.cls.__name__, "x") if issubclass(info.cls, Ref | Digest) else self.hostile()
            case kinds.DateTimeType():
                return self.dice.choice([*MOMENTS, "2026-01-02T03:04:05Z"])
            case kinds.IntType() | kinds.FloatType():
                return self.dice.choice(NUMBERS)
            case kinds.BoolType():
                return self.dice.random() < 0.5
            case kinds.NoneType():
                return None
            case kinds.StrType():
                return self.dice.choice([*TEXTS, *CRONS, *ZONES, "Because.", "amount", "fraud"])
            case _:
                return self.hostile()

    def path(self, operation, bend):
        """The path with its parts filled: by what is known, or by something else."""
        path = operation.path
        for name, kind in operation.path_types.items():
            known = self.known.get(getattr(kind, "__name__", ""), self.known.get(name, "x"))
            part = str(self.hostile()) if self.dice.random() < bend else known
            path = path.replace(f"{{{name}}}", quote(part, safe=""))
        return "/api/v1" + path

    def query(self, operation, bend):
        """A query of the operation's own parameters, or of others."""
        given = {}
        if operation.query_type is not None:
            for field in msgspec.structs.fields(operation.query_type):
                if field.required or self.dice.random() < 0.5:
                    value = self.value(field.type, bend=bend)
                    given[field.name] = value if isinstance(value, str) else json.dumps(value)
        if self.dice.random() < bend / 4:
            given[str(self.hostile())] = "1"
        return "?" + urlencode(given) if given else ""

    def body(self, operation, bend):
        """A body of the operation's type, or bytes of any kind."""
        if self.dice.random() < 0.15:
            return self.dice.choice(RAW_BODIES)
        if operation.body_type is None:
            return b"" if self.dice.random() < 0.5 else self.dice.choice(RAW_BODIES)
        return json.dumps(self.value(operation.body_type, bend=bend)).encode()


class Watch:
    """Tells whether anything in the database is other than when it last looked."""

    def __init__(self, folder):
        self.connection = sqlite3.connect(f"file:{folder / 'modelward.db'}?mode=ro", uri=True)
        self.commit, self.seen = self._commit(), self._content()

    def changed(self):
        commit, self.commit = self.commit, self._commit()
        if commit == self.commit:
            return False
        # A unit that was rolled back inside of a batch is committed with nothing in it.
        before, self.seen = self.seen, self._content()
        return before != self.seen

    def _commit(self):
        return self.connection.execute("PRAGMA data_version").fetchone()[0]

    def _content(self):
        tables = [row[0] for row in self.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: hash(tuple(self.connection.execute(f"SELECT * FROM {table}"))) for table in tables}

    def close(self):
        self.connection.close()


def assert_told(answer, operation):
    """A refusal is a 4xx and has the one shape."""
    error = answer.body["error"]
    assert 400 <= answer.status < 500, (operation.name, error)
    assert set(error) <= {"code", "message", "field", "hint", "request_id"}
    assert error["code"].isidentifier()
    assert error["message"].strip()
    assert "Traceback" not in error["message"]


def ask(visitor, operation, target, body, **headers):
    begun = time.monotonic()
    answer = visitor.ask(operation.method, target, body, **headers)
    assert time.monotonic() - begun < ANSWER_SECONDS_MAX, (operation.name, target[:200])
    return answer


@pytest.mark.parametrize("operation", all_operations(), ids=lambda operation: operation.name)
def test_a_hostile_request_is_answered_or_refused_and_a_refusal_leaves_nothing(house, operation):
    visitor, known, folder = house
    maker = Maker(f"{SEED}{operation.name}", known)
    watch = Watch(folder)

    with contextlib.closing(watch):
        for place in range(REQUESTS_EACH):
            bend = (0.0, 0.15, 0.5)[place % 3]
            target = maker.path(operation, bend) + maker.query(operation, bend)
            body = maker.body(operation, bend) if operation.writes else b""
            answer = ask(visitor, operation, target, body)
            changed = watch.changed()

            told = f"{operation.method} {target[:300]} {body[:300]!r} -> {answer.status} {str(answer.body)[:300]}"
            assert answer.status < 500, told
            if answer.status >= 400:
                assert_told(answer, operation)
                assert not changed, told


def test_afterwards_the_chain_of_events_holds_and_what_was_taken_in_is_worked_off(house):
    visitor, _, folder = house

    report = visitor.ask("GET", "/api/v1/events/verify").body
    assert report["breaks"] == []

    visitor.house.close()
    with visitor_of(folder) as later:
        later.client().settle(seconds_max=60)
        dead = later.ask("GET", "/api/v1/jobs?state=dead").body
        assert [(job["kind"], job["error"]) for job in dead] == []
        assert later.ask("GET", "/api/v1/events/verify").body["breaks"] == []
