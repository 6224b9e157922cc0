"""What follows from what: one table from events to reactions in other capabilities.

A reaction is a job whose id is the event's id and the reaction's name, so a crash or a second delivery does the work once.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

from msgspec.structs import asdict
from sqlalchemy.engine import Connection

from modelward.governance.access.entities import SYSTEM
from modelward.governance.alerts import use_cases as alerts
from modelward.governance.alerts.entities import RunFact
from modelward.governance.approvals import use_cases as approvals
from modelward.governance.cards import binding as card_evidence
from modelward.governance.cards import debts as card_debts
from modelward.governance.cards import reports as card_reports
from modelward.governance.cards import use_cases as cards
from modelward.governance.cards.documents import delivery, shipping
from modelward.governance.cards.documents import use_cases as card_documents
from modelward.governance.cards.documents.delivery import DeliveryState
from modelward.governance.cards.documents.entities import ExportRef
from modelward.governance.cards.entities import Chart, EvaluationEntry
from modelward.governance.cards.prefill import RegisteredVersion
from modelward.governance.cards.run_evidence import Distance, RunEvidence, evidence_of
from modelward.governance.evaluations import use_cases as evaluations
from modelward.governance.lineage import use_cases as lineage
from modelward.governance.lineage.rules import DRAWS as LINEAGE_DRAWS
from modelward.governance.monitoring import filing
from modelward.governance.monitoring import use_cases as monitoring
from modelward.governance.monitoring.entities import Run
from modelward.governance.monitoring.rules import cause_of
from modelward.governance.objects import use_cases as objects
from modelward.governance.objects.entities import Piece
from modelward.governance.registry import use_cases as registry
from modelward.governance.registry.rules import kept_status
from modelward.governance.serving import use_cases as serving
from modelward.governance.webhooks import sending as webhooks
from modelward.jobs import queue
from modelward.jobs.queue import Job
from modelward.kernel import codec
from modelward.kernel.clock import Clock
from modelward.kernel.errors import Invalid, NotFound
from modelward.kernel.events import Event
from modelward.kernel.refs import CardRef, EndpointRef, EvaluationRef, RunRef, VersionRef
from modelward.storage import event_log
from modelward.storage.work import Work, Workshop

Reaction = Callable[[Work, Event], None]
REACTION_JOB = "reaction"


def draft_card(work: Work, event: Event) -> None:
    """A version was registered: draft its card from what was registered."""
    version = registry.get_version(work, VersionRef(event.subject))
    model = registry.get_model(work, version.model)
    stored = registry.get_artifact(work, version.artifact) if version.artifact else None
    told = {
        **asdict(version.facts),
        "features": [asdict(each) for each in version.facts.features],
        **asdict(version),
        "artifact_bytes": stored.bytes if stored else None,
        "artifact_name": stored.name if stored else "",
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
    matrices, curves = card_reports.shapes_in({"reports": done.summary.shapes})
    entry = EvaluationEntry(
        evaluation=done.id,
        kind=done.kind.value,
        outcome=done.outcome.value,
        reason=done.reason,
        report=done.report,
        dataset=done.dataset,
        metrics=done.summary.metrics,
        charts=[Chart(**asdict(each)) for each in done.summary.charts],
        matrices=matrices,
        curves=curves,
        finished_at=done.finished_at,
    )
    card_evidence.add_evaluation(work, done.version, entry)


def keep_run(work: Work, event: Event) -> None:
    """A run reached a verdict: cards know of it, and what was bound to an earlier run of the monitor turns stale."""
    run = monitoring.get_run(work, RunRef(event.subject))
    endpoint = serving.get_endpoint(work, run.endpoint)
    assert run.outcome is not None
    assert run.report is not None
    fact = RunEvidence(
        run=run.id,
        monitor=run.monitor,
        version=endpoint.version,
        outcome=run.outcome.value,
        reason=run.reason,
        report=run.report,
        rows=run.rows or 0,
        violations=run.violations,
        drifted=run.drifted,
        window_start=run.window_start,
        window_end=run.window_end,
        finished_at=run.finished_at or work.now,
        distances=_distances(work, run),
    )
    card_evidence.keep_evidence(work, evidence_of(fact, known_at=work.now))


def _distances(work: Work, run: Run) -> list[Distance]:
    at = run.window_end
    points = monitoring.series(
        work, run.monitor, measure="drift", start=at, end=at + timedelta(seconds=1), limit=10_000
    )
    return [
        Distance(column=each.column, value=each.value, limit=each.threshold)
        for each in points
        if each.run == run.id and each.threshold is not None
    ]


def recount_debt(work: Work, event: Event) -> None:
    """Cards must have something else than before: count anew what they lack, some hundreds at a time."""
    card_debts.recount_debt(work, after=event.detail.get("upto", "") if event.detail.get("more", True) else None)


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
    serving.note_approval(work, version.ref, status=kept_status(version).value, until=version.approved_until)


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


def forget_exports(work: Work, event: Event) -> None:
    """A card was deleted: take its exports from the list."""
    card_documents.forget_exports(work, CardRef(event.subject))


def deliver_document(work: Work, event: Event) -> None:
    """The document of a card was written: where it is wanted in a bucket, put it there."""
    found = delivery.find_delivery(work, ExportRef(event.detail["export"]))
    if found is None:
        return
    bucket, key = delivery.place_of(found)
    if work.object_store and work.object_store.lists(bucket):
        shipping.ship(work, found)
        return
    export = card_documents.get_export(work, found.export)
    assert export.document is not None
    try:
        objects.store_object(
            work,
            bucket=bucket,
            key=key,
            pieces=[Piece(digest=str(export.document), size=export.size)],
            # As with encrypted objects the tag is no MD5: that would need the bytes, which may lie across a network.
            etag=export.document.hex[:32],
            headers={"content-type": export.media_type},
        )
    except (NotFound, Invalid) as problem:
        delivery.end_delivery(work, found, state=DeliveryState.FAILED, reason=str(problem))
        return
    delivery.end_delivery(work, found, state=DeliveryState.DELIVERED, artifact=f"s3://{bucket}/{key}")


def close_review(work: Work, event: Event) -> None:
    """A version was withdrawn: nobody needs to review it any more."""
    found = approvals.find_open(work, VersionRef(event.subject))
    if found is not None:
        approvals.withdraw_review(work, found.id, reason="The version was withdrawn.")


def draw_lineage(work: Work, event: Event) -> None:
    """Draw the edges that an event tells of."""
    lineage.draw_lineage(work, event)


REACTIONS: dict[str, list[Reaction]] = {
    "CardCreated": [judge_review, let_approval_lapse],
    "CardDebtCounted": [recount_debt],
    "CardDeleted": [judge_review, let_approval_lapse, forget_exports],
    "CardEdited": [judge_review, let_approval_lapse],
    "CardEvidenceStale": [judge_review, let_approval_lapse],
    "CardExported": [deliver_document],
    "CardLinked": [judge_review, let_approval_lapse],
    "CardStatusChanged": [judge_review, let_approval_lapse],
    "CardTemplateAdopted": [recount_debt],
    "EndpointCreated": [begin_filing],
    "EndpointRemoved": [pause_monitors],
    "EvaluationFailed": [judge_review],
    "EvaluationFinished": [show_evaluation, judge_review, let_approval_lapse],
    "PolicyAdopted": [judge_all_reviews, let_approvals_lapse],
    "RunFinished": [judge_alert, keep_run],
    "VersionArtifactRead": [judge_review, let_approval_lapse],
    "VersionApprovalTermChanged": [note_approval],
    "VersionRegistered": [draft_card, start_review],
    "VersionStatusChanged": [note_approval],
    "VersionWithdrawn": [close_review],
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
    webhooks.enqueue(connection, events)


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
