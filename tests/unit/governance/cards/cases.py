"""Cards and evidence to be used by the tests of their laws."""

from datetime import timedelta
from itertools import count

from modelward.governance.access.entities import SYSTEM
from modelward.governance.cards import binding, use_cases
from modelward.governance.cards.entities import CardStatus
from modelward.governance.cards.evidence import Evidence, EvidenceKind, EvidenceRef
from modelward.governance.registry import use_cases as registry
from modelward.kernel.refs import CardRef, ModelRef, VersionRef
from modelward.storage import event_log
from modelward.storage.blobs import digest_of
from support.cards import ANA, BEN

NUMBERS = count()
FULL = {
    "intended_uses": {
        "purpose_of_model": "Tell which payments a person looks at.",
        "risk_rating": "Low",
        "explanations_for_risk_rating": "Advice only.",
    },
    "business_details": {"business_problem": "Queues."},
}


def a_version(workshop):
    """A registered version of a model of its own."""
    model = ModelRef(f"model-{next(NUMBERS)}")
    workshop.write(ANA, lambda work: registry.register_model(work, name=model))
    workshop.write(ANA, lambda work: registry.register_version(work, model))
    return VersionRef.of(model, 1)


def a_card(workshop, *, content=None, version=None, by=ANA, **known):
    name = CardRef(f"card-{next(NUMBERS)}")
    content = FULL if content is None else content
    workshop.write(by, lambda work: use_cases.create_card(work, name=name, content=content, version=version, **known))
    return name


def evidence(version, value, *, kind="quality", series="s", days_old=0, now=None, **known):
    """A piece of evidence with one measure and one metric group."""
    id = f"evaluation-{next(NUMBERS)}"
    at = now - timedelta(days=days_old)
    fields = {
        "id": EvidenceRef(id),
        "kind": EvidenceKind(kind),
        "series": f"evaluation {version} {series}",
        "source": f"the evaluation {id}",
        "model": version.model,
        "version": version,
        "digest": digest_of(f"{id} {value}".encode()),
        "outcome": "passed",
        "at": at,
        "known_at": now,
        "measures": {"auc": value, "word": "good"},
        "groups": [{"name": kind, "metric_data": [{"name": "auc", "type": "number", "value": value}]}],
    }
    return Evidence(**(fields | known))


def keep(workshop, piece):
    workshop.write(SYSTEM, lambda work: binding.keep_evidence(work, piece))
    return piece


def bind(workshop, card, piece, path, *, by=ANA, **how):
    return workshop.write(by, lambda work: binding.bind_field(work, card, path=path, evidence=piece.id, **how))


def move(workshop, card, status, by=BEN):
    return workshop.write(by, lambda work: use_cases.change_status(work, card, status=CardStatus(status)))


def full(workshop, card):
    return workshop.read(ANA, lambda work: use_cases.get_full_card(work, card))


def events(workshop, card):
    return [each.name for each in workshop.database.read(lambda c: event_log.read(c, subjects=[card]))][::-1]
