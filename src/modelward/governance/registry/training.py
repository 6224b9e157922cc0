"""What one can do with training runs: record them, read them. Modelward trains nothing; it keeps what was done elsewhere."""

from typing import Any

from modelward.governance.access.permissions import Permission, require
from modelward.governance.registry import rules, training_store
from modelward.governance.registry.training_run import TrainingFacts, TrainingRecorded, TrainingRun, TrainingState
from modelward.kernel.browsing import Browse, Found
from modelward.kernel.errors import Conflict, Invalid, NotFound
from modelward.kernel.refs import checked_name
from modelward.storage.work import Work

ENTRIES_MAX = 100


class TrainingFinished(Conflict):
    """The training run has ended; what is known of it does not change any more."""


def record_training(
    work: Work, *, name: str, facts: TrainingFacts, particulars: dict[str, Any] | None = None
) -> TrainingRun:
    """Record a training run; one that was recorded as running may be recorded again, with more or with its end.

    Raises:
        TrainingFinished: it was recorded as ended already, with other facts.
        Invalid: a text is too long or there are too many entries.
    """
    require(work, Permission.VERSION_REGISTER, on=name)
    checked_name(name)
    _check(facts)
    known = training_store.find(work, name)
    if known and known.facts == facts and particulars is None:
        return known
    if known and known.facts.state is not TrainingState.RUNNING:
        raise TrainingFinished(
            f"The training run {name} is recorded as {known.facts.state.value}.",
            field="name",
            hint="Record another run under another name.",
        )
    run = TrainingRun(
        name=name,
        facts=facts,
        created_at=known.created_at if known else work.now,
        created_by=known.created_by if known else work.actor.id,
        modified_at=work.now,
    )
    training_store.put(work, run, particulars or {}, known=known is not None)
    work.record(TrainingRecorded(training=name, state=facts.state, artifact_uri=facts.artifact_uri))
    return run


def _check(facts: TrainingFacts) -> None:
    for field in ("artifact_uri", "image", "algorithm", "role", "failure_reason"):
        rules.check_text(getattr(facts, field), field=field)
    for field in ("hyperparameters", "metrics", "datasets"):
        entries = getattr(facts, field)
        if len(entries) > ENTRIES_MAX:
            raise Invalid(f"{field} has {len(entries)} entries; at most {ENTRIES_MAX} are kept.", field=field)
        for key, value in entries.items():
            rules.check_text(key + str(value), field=f"{field}.{key[:40]}")


def get_training(work: Work, name: str) -> TrainingRun:
    """A training run by name.

    Raises:
        NotFound: none of this name was recorded.
    """
    require(work, Permission.MODEL_READ, on=name)
    found = training_store.find(work, name)
    if found is None:
        raise NotFound(f"No training run named {name} was recorded.", field="training")
    return found


def browse_trainings(
    work: Work, browse: Browse, *, state: TrainingState | None = None, artifact_uri: str | None = None
) -> Found[TrainingRun]:
    """Training runs by name, age, state and the artifact they made."""
    require(work, Permission.MODEL_READ)
    return training_store.browse(work, browse, state=state, artifact_uri=artifact_uri)


def read_particulars(work: Work, names: list[str]) -> dict[str, dict[str, Any]]:
    """What an outside interface told of some training runs, word for word."""
    require(work, Permission.MODEL_READ)
    return training_store.list_particulars(work, names)
