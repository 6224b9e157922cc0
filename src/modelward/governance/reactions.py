"""What follows from what: one table from events to reactions in other capabilities.

A reaction is a job whose id is the event's id and the reaction's name, so a crash or a second delivery does the work once.
"""

from collections.abc import Callable, Mapping

from sqlalchemy.engine import Connection

from modelward.governance.access.entities import SYSTEM
from modelward.jobs import queue
from modelward.jobs.queue import Job
from modelward.kernel.clock import Clock
from modelward.kernel.errors import NotFound
from modelward.kernel.events import Event
from modelward.storage import event_log
from modelward.storage.work import Work, Workshop

Reaction = Callable[[Work, Event], None]
REACTION_JOB = "reaction"

REACTIONS: dict[str, list[Reaction]] = {}


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
