"""What follows from what: one table from events to reactions in other capabilities.

A reaction is a job whose id is the event's id and the reaction's name, so a crash or a second delivery does the work once.
"""

from collections.abc import Callable, Mapping

from msgspec.structs import asdict
from sqlalchemy.engine import Connection

from modelward.governance.access.entities import SYSTEM
from modelward.governance.alerts import use_cases as alerts
from modelward.governance.alerts.entities import RunFact
from modelward.governance.approvals import use_cases as approvals
from modelward.governance.cards import use_cases as cards
from modelward.governance.cards.entities import Chart, EvaluationEntry
from modelward.governance.cards.prefill import RegisteredVersion
from modelward.governance.evaluations import use_cases as evaluations
from modelward.governance.lineage import use_cases as lineage
from modelward.governance.lineage.rules import DRAWS as LINEAGE_DRAWS
from modelward.governance.monitoring import filing
from modelward.governance.monitoring import use_cases as monitoring
from modelward.governance.monitoring.entities import Run
from modelward.governance.monitoring.rules import cause_of
from modelward.governance.registry import use_cases as registry
from modelward.governance.serving import use_cases as serving
from modelward.jobs import queue
from modelward.jobs.queue import Job
from modelward.kernel import codec
from modelward.kernel.clock import Clock
from modelward.kernel.errors import NotFound
from modelward.kernel.events import Event
from modelward.kernel.refs import EndpointRef, EvaluationRef, RunRef, VersionRef
from modelward.storage import event_log
from modelward.storage.work import Work, Workshop

Reaction = Callable[[Work, Event], None]
REACTION_JOB = "reaction"


def draft_card(work: Work, event: Event) -> None:
    """A version was registered: draft its card from what was registered."""
    version = registry.get_version(work, VersionRef(event.subject))
    model = registry.get_model(work, version.model)
    told = {
        **asdict(version.facts),
        **asdict(version),
        "description": version.description or model.description,
        "owner": model.owner,
    }
    cards.draft_card(work, codec.convert(told, RegisteredVersion))


def start_review(work: Work, event: Event) -> None:
    """A version was registered: open its review."""
    approvals.start_review(work, VersionRef(event.subject), because="The version was registered.")


def show_evaluation(work: Work, event: Event) -> None:
    """An evaluation finished: tell of it in the version's card, while that is a draft."""
    done = evaluations.get_evaluation(work, EvaluationRef(event.subject))
    if done.report is None or done.outcome is None:
        return
    entry = EvaluationEntry(
        evaluation=done.id,
        kind=done.kind.value,
        outcome=done.outcome.value,
        reason=done.reason,
        report=done.report,
        dataset=done.dataset,
        metrics=done.summary.metrics,
        charts=[Chart(**asdict(each)) for each in done.summary.charts],
    )
    cards.add_evaluation(work, done.version, entry)


def judge_review(work: Work, event: Event) -> None:
    """Something that a review looks at has changed: judge its checks anew."""
    if event.detail.get("version"):
        approvals.check_review(work, VersionRef(event.detail["version"]))


def let_approval_lapse(work: Work, event: Event) -> None:
    """Something that an approval may be bound to has changed: where it is, the approval lapses."""
    if event.detail.get("version"):
        approvals.let_lapse(work, VersionRef(event.detail["version"]))


def judge_all_reviews(work: Work, event: Event) -> None:
    """Another policy is in force: judge all open reviews by it."""
    approvals.check_all_reviews(work)


def let_approvals_lapse(work: Work, event: Event) -> None:
    """Another policy is in force: approvals given under an earlier one lapse."""
    approvals.let_all_lapse(work)


def note_approval(work: Work, event: Event) -> None:
    """A version was approved, rejected or lost its approval: show it on the endpoints that serve it."""
    version = registry.get_version(work, VersionRef(event.subject))
    serving.note_approval(work, version.ref, status=version.status.value)


def begin_filing(work: Work, event: Event) -> None:
    """An endpoint was created: its records will have to be filed."""
    filing.begin_filing(work)


def pause_monitors(work: Work, event: Event) -> None:
    """An endpoint was removed: nothing comes any more that its monitors could look at."""
    monitoring.pause_monitors(work, EndpointRef(event.subject))


def judge_alert(work: Work, event: Event) -> None:
    """A run reached a verdict: open the monitor's alert, go on with it, or note that all is well again."""
    run = monitoring.get_run(work, RunRef(event.subject))
    endpoint = serving.get_endpoint(work, run.endpoint)
    judged = alerts.get_rule(work, run.monitor).runs_judged
    last = monitoring.last_decided_runs(work, run.monitor, limit=judged)
    alerts.judge_runs(
        work,
        run.monitor,
        endpoint=endpoint.name,
        version=endpoint.version,
        latest=_fact(run),
        runs=[_fact(each) for each in last],
    )


def _fact(run: Run) -> RunFact:
    assert run.outcome is not None
    return RunFact(run=run.id, window_end=run.window_end, outcome=run.outcome, cause=cause_of(run))


def draw_lineage(work: Work, event: Event) -> None:
    """Draw the edges that an event tells of."""
    lineage.draw_lineage(work, event)


REACTIONS: dict[str, list[Reaction]] = {
    "CardCreated": [judge_review, let_approval_lapse],
    "CardEdited": [judge_review, let_approval_lapse],
    "CardStatusChanged": [judge_review, let_approval_lapse],
    "EndpointCreated": [begin_filing],
    "EndpointRemoved": [pause_monitors],
    "EvaluationFailed": [judge_review],
    "EvaluationFinished": [show_evaluation, judge_review, let_approval_lapse],
    "PolicyAdopted": [judge_all_reviews, let_approvals_lapse],
    "RunFinished": [judge_alert],
    "VersionRegistered": [draft_card, start_review],
    "VersionStatusChanged": [note_approval],
}
for _name in LINEAGE_DRAWS:
    REACTIONS.setdefault(_name, []).append(draw_lineage)


def enqueue(
    connection: Connection, events: list[Event], *, reactions: Mapping[str, list[Reaction]] = REACTIONS
) -> None:
    """Make a job for each reaction to these events, in the transaction that wrote them."""
    for event in events:
        for reaction in reactions.get(event.name, ()):
            name = reaction.__name__
            payload = {"event": event.id, "reaction": name}
            queue.enqueue(connection, id=f"{event.id}/{name}", kind=REACTION_JOB, payload=payload, now=event.at)


def run(workshop: Workshop, job: Job, *, clock: Clock, reactions: Mapping[str, list[Reaction]] = REACTIONS) -> None:
    """Run one reaction. Its effects and the end of its job are one transaction."""

    def task(work: Work) -> None:
        event = event_log.get(work.connection, job.payload["event"])
        if event is None:
            raise NotFound(f"The event {job.payload['event']} is not in the log.")
        by_name = {each.__name__: each for each in reactions.get(event.name, ())}
        reaction = by_name.get(job.payload["reaction"])
        if reaction is not None:
            reaction(work, event)
        queue.finish(work.connection, job, now=clock())

    workshop.write(SYSTEM, task)
