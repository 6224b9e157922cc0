"""Searches of AWS clients among 10,000 cards and 10,000 packages: p50, p95, and the limit.

Each search goes through the operation as a client's would once it is let in, and its answer is written as JSON. On SQLite in
a folder, or with --postgres on a PostgreSQL that is started for it. The reactions to what is filled in are not run.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from benchmarks.cards_at_scale import ANA, WORDS, _content, _database
from benchmarks.figures import Goal, conclude, data_folder, machine, percentile, ratio, table
from modelward.governance.access.permissions import Permission
from modelward.governance.cards import use_cases as cards
from modelward.governance.registry import life
from modelward.governance.registry import use_cases as registry
from modelward.governance.registry.entities import Stage, VersionFacts
from modelward.governance.tags import use_cases as tags
from modelward.interfaces.aws.answering import answer_writer
from modelward.interfaces.aws.operations import Call
from modelward.interfaces.aws.search import search
from modelward.kernel.refs import ModelRef
from modelward.storage.blobs import FolderBlobs
from modelward.storage.migrations import upgrade
from modelward.storage.work import Work, Workshop

LIMIT_MS_MAX = 50.0
AT_ONCE = 100
GROUPS = 100
ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/group-{:03}/{}"


def main(arguments: list[str] | None = None) -> int:
    """Fill, measure, print, keep."""
    options = _options(arguments)
    with data_folder() as folder:
        where = machine(folder)
        with _database(folder, options) as database:
            upgrade(database)
            workshop = Workshop(database=database, blobs=FolderBlobs(folder / "blobs"))
            _fill(workshop, options.things)
            found = _measure(workshop, options)
    rows, goals = [], []
    for name, times in found.items():
        p95 = percentile(times, 0.95)
        rows.append([name, len(times), percentile(times, 0.5), p95, LIMIT_MS_MAX, ratio(p95, LIMIT_MS_MAX)])
        goals.append(Goal(name=f"{name}: p95", figure=p95, must=LIMIT_MS_MAX, at_least=False, unit=" ms"))
    print(table(["what", "times", "p50 ms", "p95 ms", "limit ms", "p95 / limit"], rows))
    name = "aws-search-postgres" if options.postgres else "aws-search"
    return conclude(name, {"machine": where, "things": options.things, "rows": rows}, goals, quick=options.quick)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.aws_search_at_scale", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1,000 of each; the figures are rough")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL instead of SQLite")
    parser.add_argument("--things", type=int, default=10_000, help="how many cards, and how many packages")
    parser.add_argument("--times", type=int, default=60, help="how often each is asked for")
    options = parser.parse_args(arguments)
    if options.quick:
        options.things, options.times = 1_000, 20
    return options


def _fill(workshop: Workshop, things: int) -> None:
    chance = random.Random(7)
    for start in range(0, things, AT_ONCE):

        def some(work: Work, start: int = start) -> None:
            for number in range(start, min(start + AT_ONCE, things)):
                _add(work, number, chance)

        workshop.write(ANA, some)


def _add(work: Work, number: int, chance: random.Random) -> None:
    group, edition = number % GROUPS, number // GROUPS + 1
    model, team = ModelRef(f"group-{group:03}"), {"team": chance.choice(WORDS)}
    if edition == 1:
        registry.register_model(work, name=model, tags=team)
    version = registry.register_version(work, model, facts=VersionFacts(inference_environment=["image:1"]), tags=team)
    if chance.random() < 0.3:
        life.stage_version(work, version.ref, stage=Stage(name=chance.choice(["QA", "Production"]), status="Approved"))
    told = {"Domain": chance.choice(["MACHINE_LEARNING", "COMPUTER_VISION"])}
    life.keep_version_particulars(work, version.ref, told, changed=["Domain"])
    content = _content(chance, number)
    content["model_package_details"] = {"model_package_arn": ARN.format(group, edition)}
    card = cards.create_card(work, name=f"card-{number:05}", content=content)
    tags.put_tags(work, f"card/{card.name}", team, permission=Permission.CARD_WRITE)


def _filter(name: str, operator: str, value: str = "") -> dict[str, str]:
    return {"Name": name, "Operator": operator, **({"Value": value} if value else {})}


def _asked(workshop: Workshop, chance: random.Random, things: int) -> dict[str, Callable[[], dict[str, Any]]]:
    """What is asked for: the resource, its filters and whatever else."""
    hour = (workshop.clock() - timedelta(hours=1)).isoformat()

    def cards_by(*filters: dict[str, str], **more: Any) -> dict[str, Any]:
        return {"Resource": "ModelCard", "SearchExpression": {"Filters": list(filters)}, "MaxResults": 10, **more}

    def packages_by(*filters: dict[str, str], **more: Any) -> dict[str, Any]:
        return {"Resource": "ModelPackage", "SearchExpression": {"Filters": list(filters)}, "MaxResults": 10, **more}

    def word() -> str:
        return chance.choice(WORDS)

    def group() -> str:
        return f"group-{chance.randrange(GROUPS):03}"

    either = [
        {"Filters": [_filter("RiskRating", "Equals", "High")]},
        {"Filters": [_filter("Tags.team", "In", "fraud,churn")]},
    ]
    return {
        "cards: all": cards_by,
        "cards: all, 100 at once": lambda: cards_by(MaxResults=100),
        "cards: by package": lambda: cards_by(_filter("ModelId", "Equals", ARN.format(chance.randrange(GROUPS), 3))),
        "cards: by group": lambda: cards_by(_filter("ModelPackageGroupName", "Equals", group())),
        "cards: by risk": lambda: cards_by(_filter("RiskRating", "Equals", "High")),
        "cards: by status, not another": lambda: cards_by(_filter("ModelCardStatus", "NotEquals", "Approved")),
        "cards: name contains": lambda: cards_by(
            _filter("ModelCardName", "Contains", f"{chance.randrange(things):04}")
        ),
        "cards: by tag": lambda: cards_by(_filter("Tags.team", "Equals", word())),
        "cards: tag absent": lambda: cards_by(_filter("Tags.level", "NotExists")),
        "cards: changed since, by name": lambda: cards_by(
            _filter("LastModifiedTime", "GreaterThan", hour), SortBy="ModelCardName", SortOrder="Ascending"
        ),
        "cards: either of two": lambda: {
            "Resource": "ModelCard",
            "SearchExpression": {"SubExpressions": either, "Operator": "Or"},
            "MaxResults": 10,
        },
        "packages: all": packages_by,
        "packages: all, 100 at once": lambda: packages_by(MaxResults=100),
        "packages: by group": lambda: packages_by(_filter("ModelPackageGroupName", "Equals", group())),
        "packages: by approval": lambda: packages_by(_filter("ModelApprovalStatus", "Equals", "PendingManualApproval")),
        "packages: by stage": lambda: packages_by(_filter("ModelLifeCycle.Stage", "Equals", "QA")),
        "packages: by tag": lambda: packages_by(_filter("Tags.team", "Equals", word())),
        "packages: by domain": lambda: packages_by(_filter("Domain", "Equals", "COMPUTER_VISION")),
        "packages: newer than, newest first": lambda: packages_by(
            _filter("ModelPackageVersion", "GreaterThan", "90"), SortBy="CreationTime"
        ),
        "groups: by name": lambda: {
            "Resource": "ModelPackageGroup",
            "SearchExpression": {"Filters": [_filter("ModelPackageGroupName", "Equals", group())]},
        },
    }


def _measure(workshop: Workshop, options: argparse.Namespace) -> dict[str, list[float]]:
    asked = _asked(workshop, random.Random(11), options.things)
    found: dict[str, list[float]] = {name: [] for name in asked}

    def ask(work: Work, request: dict[str, Any]) -> bytes:
        call = Call(work=work, account="123456789012", region="us-east-1", request_id="r")
        return msgspec.json.encode(answer_writer("sagemaker", "Search")(search(call, request)))

    for _ in range(options.times):
        for name, make in asked.items():
            request = make()
            began = time.perf_counter()
            workshop.read(ANA, lambda work, request=request: ask(work, request))
            found[name].append((time.perf_counter() - began) * 1e3)
    return found


if __name__ == "__main__":
    sys.exit(main())
