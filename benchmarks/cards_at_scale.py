"""Lists, searches and saves of model cards with 10,000 of them in ten versions each: p50, p95, and the limit.

Everything goes through the use cases, on SQLite in a folder, or with --postgres on a PostgreSQL that is started for it; a
save is flushed to disk before it counts. The reactions that follow a save are not run meanwhile.
"""

import argparse
import contextlib
import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.figures import Goal, conclude, data_folder, machine, percentile, ratio, table
from benchmarks.postgres import postgres
from modelward.governance.access.entities import SYSTEM
from modelward.governance.cards import use_cases
from modelward.governance.cards.entities import CardStatus, RiskRating
from modelward.kernel.actors import Actor, ActorKind
from modelward.kernel.pages import PageRequest
from modelward.kernel.refs import CardRef
from modelward.storage.blobs import FolderBlobs
from modelward.storage.database import Database
from modelward.storage.migrations import upgrade
from modelward.storage.work import Work, Workshop

LIST_MS_MAX, SAVE_MS_MAX = 50.0, 30.0
AT_ONCE = 100
ANA = Actor(id="ana", name="Ana", kind=ActorKind.PERSON, permissions=SYSTEM.permissions)
WORDS = [
    "applicant",
    "arrears",
    "balance",
    "basket",
    "churn",
    "claim",
    "collateral",
    "credit",
    "customer",
    "default",
    "delay",
    "demand",
    "driver",
    "employer",
    "energy",
    "exposure",
    "forecast",
    "fraud",
    "freight",
    "grade",
    "hospital",
    "income",
    "insurance",
    "invoice",
    "journey",
    "latency",
    "ledger",
    "liquidity",
    "loan",
    "margin",
    "merchant",
    "mortgage",
    "network",
    "outage",
    "payment",
    "policy",
    "premium",
    "price",
    "recovery",
    "refund",
    "region",
    "reserve",
    "retail",
    "return",
    "risk",
    "route",
    "sample",
    "score",
    "segment",
    "sensor",
    "shift",
    "signal",
    "staff",
    "stock",
    "supplier",
    "tariff",
    "tenant",
    "threshold",
    "traffic",
    "transfer",
    "turbine",
    "underwriter",
    "vendor",
    "visit",
    "weather",
    "yield",
]


def main(arguments: list[str] | None = None) -> int:
    """Fill, measure, print, keep."""
    options = _options(arguments)
    with data_folder() as folder:
        where = machine(folder)
        with _database(folder, options) as database:
            upgrade(database)
            workshop = Workshop(database=database, blobs=FolderBlobs(folder / "blobs"))
            began = time.perf_counter()
            _fill(workshop, options.cards, options.versions)
            filled = time.perf_counter() - began
            size = _megabytes(database, folder)
            print(f"{options.cards} cards in {options.versions} versions each: filled in {filled:.0f} s, {size:.0f} MB")
            _tidy(database)
            found = _measure(workshop, options)
    limits = {name: SAVE_MS_MAX if name.startswith("save") else LIST_MS_MAX for name in found}
    rows = []
    for name, times in found.items():
        p95 = percentile(times, 0.95)
        rows.append([name, len(times), percentile(times, 0.5), p95, limits[name], ratio(p95, limits[name])])
    print(table(["what", "times", "p50 ms", "p95 ms", "limit ms", "p95 / limit"], rows))
    goals = [
        Goal(name=f"{name}: p95", figure=percentile(times, 0.95), must=limits[name], at_least=False, unit=" ms")
        for name, times in found.items()
    ]
    record = {"machine": where, "cards": options.cards, "versions": options.versions, "megabytes": round(size)}
    name = "cards-postgres" if options.postgres else "cards"
    return conclude(name, {**record, "filled_seconds": round(filled), "rows": rows}, goals, quick=options.quick)


@contextlib.contextmanager
def _database(folder: Path, options: argparse.Namespace) -> Iterator[Database]:
    """A database in the folder, or in a PostgreSQL of our own."""
    if not options.postgres:
        with contextlib.closing(Database.in_folder(folder)) as database:
            yield database
        return
    with postgres(folder) as (url, _), contextlib.closing(Database(url)) as database:
        yield database


def _tidy(database: Database) -> None:
    """What PostgreSQL does by itself within minutes, where the cards were not all written within minutes."""
    if database.dialect == "postgresql":
        import psycopg

        with psycopg.connect(database.url.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")


def _megabytes(database: Database, folder: Path) -> float:
    if database.dialect == "sqlite":
        return sum(each.stat().st_size for each in folder.rglob("*.db*")) / 1e6
    size = "SELECT pg_database_size(current_database())"
    return float(database.read(lambda connection: connection.exec_driver_sql(size).scalar() or 0)) / 1e6


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cards_at_scale", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1,000 cards; the figures are rough")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL instead of SQLite")
    parser.add_argument("--cards", type=int, default=10_000)
    parser.add_argument("--versions", type=int, default=10)
    parser.add_argument("--times", type=int, default=200, help="how often each is asked for")
    options = parser.parse_args(arguments)
    if options.quick:
        options.cards, options.versions, options.times = 1_000, 3, 50
    return options


def _content(chance: random.Random, number: int) -> dict[str, Any]:
    def text(words: int) -> str:
        return " ".join(chance.choices(WORDS, k=words)).capitalize() + f". Card {number}."

    metrics = [{"name": word, "type": "number", "value": chance.random()} for word in chance.sample(WORDS, 10)]
    content: dict[str, Any] = {
        "model_overview": {"model_description": text(40), "model_owner": chance.choice(WORDS)},
        "intended_uses": {"purpose_of_model": text(60), "risk_rating": chance.choice(list(RiskRating)).value},
        "additional_information": {"caveats_and_recommendations": text(80)},
        "evaluation_details": [{"name": "quality", "metric_groups": [{"name": "quality", "metric_data": metrics}]}],
    }
    if chance.random() < 0.5:
        content["business_details"] = {"business_problem": text(30)}
        content["intended_uses"]["explanations_for_risk_rating"] = text(20)
    return content


def _fill(workshop: Workshop, cards: int, versions: int) -> None:
    chance = random.Random(7)
    for start in range(0, cards, AT_ONCE):

        def some(work: Work, start: int = start) -> None:
            for number in range(start, min(start + AT_ONCE, cards)):
                use_cases.create_card(work, name=_name(number), content=_content(chance, number))
                for edition in range(2, versions + 1):
                    patch = {"business_details": {"line_of_business": f"{chance.choice(WORDS)} {edition}"}}
                    use_cases.edit_card(work, CardRef(_name(number)), patch=patch)

        workshop.write(ANA, some)


def _name(number: int) -> str:
    return f"{WORDS[number % len(WORDS)]}-{number:05}"


def _measure(workshop: Workshop, options: argparse.Namespace) -> dict[str, list[float]]:
    chance = random.Random(11)

    def listing(**wanted: Any) -> Callable[[], object]:
        page = PageRequest(limit=50)
        return lambda: workshop.read(ANA, lambda work: use_cases.list_cards(work, page=page, **wanted))

    def anywhere() -> Callable[[], object]:
        return listing(text=f"card {chance.randrange(options.cards)}.")

    def one() -> CardRef:
        return CardRef(_name(chance.randrange(options.cards)))

    def save(work: Work) -> None:
        patch = {"intended_uses": {"purpose_of_model": f"{' '.join(chance.choices(WORDS, k=60))}."}}
        use_cases.edit_card(work, one(), patch=patch)

    week = workshop.clock() - timedelta(days=7)
    asked: dict[str, Callable[[], Callable[[], object]]] = {
        "list: first page": listing,
        "list: by debt": lambda: listing(sort="-debt"),
        "list: changed last": lambda: listing(sort="-modified", modified_after=week),
        "list: high risk, drafts": lambda: listing(risk_rating=RiskRating.HIGH, status=CardStatus.DRAFT),
        "list: by risk": lambda: listing(sort="risk"),
        "list: with debt, an owner": lambda: listing(debt_min=1, owner="ana", sort="-debt"),
        "search: in few cards": anywhere,
        "search: in many cards": lambda: listing(text=chance.choice(WORDS)),
        "search: in many, by debt": lambda: listing(text=chance.choice(WORDS), sort="-debt"),
        "search: in none": lambda: listing(text="nowhere to be found"),
        "search: two letters": lambda: listing(text="ab"),
        "read: a whole card": lambda: lambda: workshop.read(ANA, lambda work: use_cases.get_full_card(work, one())),
        "save: an edit": lambda: lambda: workshop.write(ANA, save),
    }
    found: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(options.times):
        for name, make in asked.items():
            ask = make()
            began = time.perf_counter()
            ask()
            found[name].append((time.perf_counter() - began) * 1e3)
    return found


if __name__ == "__main__":
    sys.exit(main())
