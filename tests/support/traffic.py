"""What clients do while a server is killed: each kind of traffic is one function, and so is what must hold afterwards."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from modelward.kernel.errors import Unavailable
from modelward.sdk import Client

DAY = timedelta(days=1)
PREDICTOR = "http://127.0.0.1:9"


class Ledger:
    """What the server acknowledged: it must be there for ever."""

    def __init__(self) -> None:
        self.versions: list[str] = []
        self.models: list[str] = []
        self.card_edits: list[tuple[str, str]] = []
        self.records: list[str] = []
        self.lock = threading.Lock()

    def note(self, kind: str, what: Any) -> None:
        """Write down an acknowledgement."""
        with self.lock:
            getattr(self, kind).append(what)

    def __len__(self) -> int:
        return len(self.versions) + len(self.models) + len(self.card_edits) + len(self.records)


def register_models(client: Client, ledger: Ledger, own: str, chance: random.Random) -> None:
    """Register a model of one's own."""
    name = f"{own}-{chance.randrange(10**9)}"
    client.models.register(name)
    ledger.note("models", name)


def register_versions(client: Client, ledger: Ledger, own: str, chance: random.Random) -> None:
    """Register a version of the model that all share."""
    made = client.versions.register(
        "shared", facts={"framework": own}, artifact=chance.choice([None, b"the same bytes"])
    )
    ledger.note("versions", made["ref"])


def edit_cards(client: Client, ledger: Ledger, own: str, chance: random.Random) -> None:
    """Edit the card that is one's own; the note tells the edits apart."""
    note = f"{own}-{chance.randrange(10**9)}"
    client.cards.edit(f"card-{own}", patch={"model_overview": {"model_description": note}}, note=note)
    ledger.note("card_edits", (f"card-{own}", note))


def capture_traffic(client: Client, ledger: Ledger, own: str, chance: random.Random) -> None:
    """Send some captured predictions, now and then the same again."""
    ids = [f"{own}-{chance.randrange(10**9)}" for _ in range(chance.randint(1, 20))]
    rows = [{"inference_id": each, "at": datetime.now(UTC), "features": {"x": 1.5}, "prediction": 1.0} for each in ids]
    client.captures.store("shared", rows)
    for each in ids:
        ledger.note("records", each)


KINDS: list[Callable[[Client, Ledger, str, random.Random], None]] = [
    register_models, register_versions, register_versions, edit_cards, capture_traffic,
]  # fmt: skip


def prepare(client: Client, people: list[str]) -> None:
    """Make what the traffic needs: a shared model with an endpoint, and a card for each."""
    client.models.register("shared")
    client.models.register("served")
    client.versions.register("served")
    client.endpoints.create("shared", "served@1", url=PREDICTOR)
    for own in people:
        client.cards.create(f"card-{own}")


def keep_going(client: Client, ledger: Ledger, own: str, *, over: threading.Event, seed: int) -> None:
    """Send traffic of all kinds until it is over."""
    chance = random.Random(seed)
    while not over.is_set():
        try:
            chance.choice(KINDS)(client, ledger, own, chance)
        except Unavailable:
            if not over.is_set():
                raise


def faults(client: Client, ledger: Ledger) -> list[str]:
    """What is wrong after everything; nothing: all that was acknowledged is there, once."""
    client.settle(seconds_max=120)
    return [*_lost(client, ledger), *_gaps(client), *_doubled(client), *_broken(client)]


def _lost(client: Client, ledger: Ledger) -> list[str]:
    models = {each["name"] for each in client.models.list()}
    versions = {each["ref"] for each in client.versions.list("shared")}
    notes = {
        (card, each["note"]) for card in {card for card, _ in ledger.card_edits} for each in client.cards.versions(card)
    }
    found = [f"The model {each} is lost." for each in ledger.models if each not in models]
    found += [f"The version {each} is lost." for each in ledger.versions if each not in versions]
    found += [f"The edit {each} is lost." for each in ledger.card_edits if each not in notes]
    return found + _miscounted(client, ledger)


def _miscounted(client: Client, ledger: Ledger) -> list[str]:
    """Every client has waited for its last answer, so what is kept is what was acknowledged, neither less nor more."""
    now = datetime.now(UTC)
    kept = {
        "versions": len(list(client.versions.list("shared"))),
        "card_edits": sum(len(list(client.cards.versions(card["name"]))) - 1 for card in client.cards.list("card-")),
        "records": sum(each["rows"] for each in client.endpoints.traffic("shared", now - DAY, now + DAY)),
    }
    told = {kind: len(getattr(ledger, kind)) for kind in kept}
    return [
        f"{kept[kind]} {kind} are kept, {told[kind]} were acknowledged." for kind in kept if kept[kind] != told[kind]
    ]


def _gaps(client: Client) -> list[str]:
    numbers = sorted(each["number"] for each in client.versions.list("shared"))
    found = [] if numbers == list(range(1, len(numbers) + 1)) else [f"The version numbers have gaps: {numbers}"]
    for card in client.cards.list("card-"):
        kept = sorted(each["number"] for each in client.cards.versions(card["name"]))
        if kept != list(range(1, len(kept) + 1)):
            found.append(f"The versions of {card['name']} have gaps: {kept}")
    return found


def all_events(client: Client) -> list[Any]:
    """The whole event log, the oldest first."""
    found, after = [], 0
    while page := client.events.list(after=after, limit=1000):
        found += page
        after = page[-1]["sequence"]
    return found


# Python that a server runs first: a reaction that is not idempotent by itself, so that a second run would show.
COUNTING = """
from modelward.governance import reactions
from modelward.kernel.events import Happening
class VersionCounted(Happening, frozen=True, kw_only=True):
    version: str
def count_version(work, event):
    work.record(VersionCounted(version=event.subject))
reactions.REACTIONS["VersionRegistered"].insert(0, count_version)
"""
# Each happens at most once for its subject, and what follows from a registration happens exactly once.
ONCE = ("ModelRegistered", "VersionRegistered", "ArtifactStored", "CardCreated", "ReviewOpened")


def _doubled(client: Client) -> list[str]:
    events = all_events(client)
    counts = Counter((each["name"], each["subject"]) for each in events if each["name"] in ONCE)
    found = [f"{name} of {subject} happened {count} times." for (name, subject), count in counts.items() if count > 1]
    registered = {each["subject"] for each in events if each["name"] == "VersionRegistered"}
    drafted = Counter(each["detail"].get("version") for each in events if each["name"] == "CardCreated")
    reviewed = Counter(
        each["detail"].get("version") for each in events if each["name"].startswith("Review") and each["name"] in ONCE
    )
    counted = Counter(each["subject"] for each in events if each["name"] == "VersionCounted")
    for told, effect in (("card", drafted), ("review", reviewed), ("count", counted)):
        found += [f"{each} has {effect[each]} {told}s." for each in registered if effect[each] != 1]
    return found


def _broken(client: Client) -> list[str]:
    report = client.events.verify()
    dead = client.get("/jobs", state="dead")
    found = [f"The chain is broken: {each['problem']}" for each in report["breaks"]]
    return found + [f"The job {each['id']} was given up: {each['error']}" for each in dead]
