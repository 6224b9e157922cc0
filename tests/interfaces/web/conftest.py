"""A real server on a loopback port, filled with a small synthetic story, and a Chromium that looks at it."""

import io
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uvicorn

import modelward
from modelward.app import House, open_house
from modelward.settings import Settings
from support import browser

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
DAYS = 10


@dataclass(kw_only=True)
class Served:
    """A served house: where it is, who may come in, and what the story made."""

    url: str
    house: House
    tokens: dict[str, str] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="session")
def empty_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served house with nobody but its first owner."""
    yield from serve(tmp_path_factory.mktemp("empty"))


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served house with models, cards, reviews, runs and an open alert."""
    for served in serve(tmp_path_factory.mktemp("story")):
        tell_story(served)
        yield served


def serve(folder: Path) -> Iterator[Served]:
    """Serve a house from a thread until the caller is done with it."""
    house = open_house(Settings(home=folder / "data", worker_slots=2))
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(house.asgi, log_config=None, access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    house.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield Served(url=f"http://127.0.0.1:{port}", house=house, tokens={"owner": house.home.owner_secret()})
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()
        house.close()


def tell_story(served: Served) -> None:
    """Fill a house: three people, four models, evidence, an approval, an endpoint whose data drifts, an alert."""
    with modelward.connect(served.url, token=served.tokens["owner"]) as owner:
        for id, name, persona in (
            ("ana", "Ana Diaz", "data-scientist"),
            ("rita", "Rita Olsen", "risk-manager"),
            ("olu", "Olu Ade", "auditor"),
        ):
            owner.people.add(id, name=name, persona=persona)
            served.tokens[id] = owner.people.make_token(id, label="test")["secret"]
        ana, rita = owner.as_(served.tokens["ana"]), owner.as_(served.tokens["rita"])
        _register(ana, served)
        _judge_first_version(ana, rita, served)
        _watch(ana, served)


def _register(ana: Any, served: Served) -> None:
    ana.models.register(
        "fraud", description="Flags card payments for a second look by a person.", tags={"demo": "bank"}
    )
    ana.models.register("churn", description="Who is about to leave.", owner="marketing")
    ana.models.register("hostile", description=HOSTILE)
    ana.models.register("limits", description="Suggests a credit limit.")
    training = _parquet(_payments(3000, seed=1))
    facts = {
        "framework": "scikit-learn", "framework_version": "1.8.0", "algorithm": "gradient boosting",
        "problem_type": "binary", "objective": "log loss", "training_rows": 3000,
        "hyperparameters": {"max_depth": "4", "n_estimators": "200"},
        "training_metrics": {"auc_training": 0.93, "log_loss_training": 0.21},
        "training_datasets": [ana.artifacts.store(training, name="payments.parquet")["digest"]],
        "intended_use": "Second look at card payments over 50 EUR.",
        "features": [{"name": "amount", "type": "number"}, {"name": "country", "type": "text"}],
    }  # fmt: skip
    ana.versions.register("fraud", artifact=b"model one", facts=facts, description="First version for live traffic.")
    ana.versions.register(
        "fraud", artifact=b"model two", facts=facts, description="Retrained with a quarter more data."
    )
    ana.versions.register("limits", artifact=b"limits", facts={"problem_type": "regression"})
    ana.versions.register("hostile", description=HOSTILE, tags={HOSTILE[:50]: HOSTILE[:90]})
    served.made["training"] = facts["training_datasets"][0]


def _judge_first_version(ana: Any, rita: Any, served: Served) -> None:
    table = _parquet(_payments(2000, seed=2))
    for version in ("fraud@1", "fraud@2"):
        quality = ana.evaluations.request(
            version, "quality", table, problem_type="binary", label="label", prediction="prediction",
            probability="probability", limits={"auc": {"at_least": 0.7}},
        )  # fmt: skip
        bias = ana.evaluations.request(
            version, "bias", table, label="label", prediction="prediction", facets=["sex"], favourable=0
        )
        ana.evaluations.wait(quality["id"])
        ana.evaluations.wait(bias["id"])
        served.made |= {f"quality of {version}": quality["id"], f"bias of {version}": bias["id"]}
    wait_until(lambda: len(list(ana.cards.list(model="fraud"))) == 2)
    fill = {
        "model_overview": {"model_description": "Scores a card payment from 0 to 1."},
        "intended_uses": {
            "purpose_of_model": "Find payments that a person should look at.",
            "risk_rating": "High",
            "explanations_for_risk_rating": "A blocked payment hurts a customer at once.",
        },
        "business_details": {"business_problem": "Card fraud costs 0.08 % of turnover."},
        "additional_information": {"ethical_considerations": "Rates by sex are told in the bias evaluation."},
    }
    for card in list(ana.cards.list(model="fraud")):
        wait_until(lambda name=card["name"]: "evaluation_details" in ana.cards.get(name)["content"])
        ana.cards.edit(card["name"], patch=fill, note="Purpose, risk and business case.")
        served.made[f"card of {card['version']}"] = card["name"]
    for version in ("fraud@1", "fraud@2", "hostile@1", "limits@1"):
        wait_until(lambda version=version: bool(list(ana.reviews.list(version=version))))
        served.made[f"review of {version}"] = next(iter(ana.reviews.list(version=version)))["id"]
    note = "The difference by sex is known, is within what the policy allows, and is watched."
    rita.reviews.approve(served.made["review of fraud@1"], note=note)


def _watch(ana: Any, served: Served) -> None:
    ana.endpoints.create("fraud-live", "fraud@1")
    ana.endpoints.create("limits-live", "limits@1")
    ana.baselines.create("fraud-training", _parquet(_payments(3000, seed=1).drop(["label"])), version="fraud@1")
    ana.baselines.wait("fraud-training")
    ana.monitors.create("fraud-inputs", "fraud-live", "fraud-training", window_hours=24)
    ana.monitors.set_alert_rule("fraud-inputs", runs_failed=2, runs_judged=3, severity="high")
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for back in range(DAYS, 0, -1):
        start = today - timedelta(days=back)
        rows = 40 if back == DAYS - 1 else 600
        table = _payments(rows, seed=10 + back, drift=1.0 if back <= 3 else 0.0).drop(["label"])
        table = table.append_column("at", pa.array([start + timedelta(seconds=86400 / rows * n) for n in range(rows)]))
        ana.captures.store_table("fraud-live", _parquet(table), time_column="at")
        run = ana.monitors.run("fraud-inputs", start, start + timedelta(days=1))
        ana.runs.wait(run["id"])
        served.made["last run"] = run["id"]
    wait_until(lambda: bool(list(ana.alerts.list(state="open"))))
    served.made["alert"] = next(iter(ana.alerts.list()))["id"]


def _payments(rows: int, *, seed: int, drift: float = 0.0) -> pa.Table:
    chance = np.random.default_rng(seed)
    amount = np.round(chance.lognormal(3.5 + 0.6 * drift, 0.8, rows), 2)
    night = chance.random(rows) < 0.2
    sex = np.where(chance.random(rows) < 0.48, "f", "m")
    risk = 1 / (1 + np.exp(-(np.log(amount) - 4.4 + night + 0.5 * (sex == "f") + chance.normal(0, 0.4, rows))))
    label = (chance.random(rows) < risk).astype(int)
    shares = np.array([0.5, 0.3, 0.2]) + drift * np.array([-0.25, -0.05, 0.3])
    return pa.table(
        {
            "amount": amount,
            "night": night,
            "country": chance.choice(["NO", "SE", "DE"], rows, p=shares),
            "age_of_card_days": chance.integers(1, 2500, rows),
            "sex": sex,
            "label": label,
            "prediction": (risk > 0.4).astype(int),
            "probability": risk,
        }
    )


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def wait_until(done: Any, *, seconds_max: float = 60.0) -> None:
    """Wait for what the worker does by itself."""
    last = time.monotonic() + seconds_max
    while not done():
        assert time.monotonic() < last, "It did not happen in time."
        time.sleep(0.05)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A Chromium for one file of tests: the tests of others must not meet its event loop."""
    with browser.chromium() as started:
        yield started


@dataclass(kw_only=True)
class Seen:
    """A page of the browser, with what it complained about and whom it asked."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def look(chromium: Any) -> Iterator[Any]:
    """Open a page of the browser, signed in as somebody where asked; at the end nothing may have gone wrong."""
    opened: list[tuple[Any, Seen, str]] = []

    def open_page(served: Served, *, who: str | None = None, **options: Any) -> Seen:
        context = chromium.new_context(base_url=served.url, **options)
        seen = Seen(page=context.new_page())
        seen.page.on("console", lambda said: seen.complaints.append(said.text) if said.type == "error" else None)
        seen.page.on("pageerror", lambda problem: seen.complaints.append(str(problem)))
        seen.page.on("request", lambda request: seen.asked.append(request.url))
        opened.append((context, seen, served.url))
        if who:
            seen.page.goto(f"/sign-in#token={served.tokens[who]}")
            seen.page.wait_for_url("**/")
        return seen

    yield open_page
    for context, seen, url in opened:
        context.close()
        assert [each for each in seen.asked if not each.startswith((url, "data:"))] == []
