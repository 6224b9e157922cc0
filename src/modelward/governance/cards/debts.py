"""What is done about debt in the background: counting it anew under another template, and marking evidence too old."""

from modelward.governance.access.entities import SYSTEM
from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import binding, keeping, listing, store, template_store, templates, templating
from modelward.governance.cards.entities import CardDebtCounted, CardStatus, CardTemplateAdopted
from modelward.governance.cards.lapsing import LAPSING_JOB as LAPSING_JOB
from modelward.governance.cards.listing import Wanted
from modelward.jobs import queue
from modelward.jobs.queue import Job
from modelward.kernel.clock import Clock
from modelward.kernel.pages import PageRequest, cursor_after
from modelward.storage.work import Work, Workshop

COUNTED_AT_ONCE = 200


def begin(work: Work, *, kept: str | None, source: str) -> None:
    """At the start: put the template of the data folder in force, or, unless another was adopted, the one that ships.

    An empty house needs no word of the shipped one: it counts where none was adopted.
    """
    if kept is not None:
        templating.adopt_template(work, text=kept, source=source)
        return
    last = template_store.find_template(work)
    if last is None:
        if not listing.list_cards(work, Wanted(), page=PageRequest(limit=1)).items:
            return
        # Cards from before there were templates: from now on what they lack is counted.
        text, digest = templates.default_text(), templates.digest_of(templates.default_text())
        template_store.add_template(work, digest=digest, source=templating.SHIPPED, text=text)
        work.record(CardTemplateAdopted(template=digest, source=templating.SHIPPED, before=None))
    elif last.source == templating.SHIPPED:
        templating.adopt_template(work, text=templates.default_text(), source=templating.SHIPPED)


def recount_debt(work: Work, *, after: str | None) -> int:
    """Count anew what some cards lack, those whose names come after one; return how many. None: there are no more."""
    require(work, Permission.CARD_WRITE)
    if after is None:
        return 0
    cursor = cursor_after(after) if after else None
    page = listing.list_cards(work, Wanted(), page=PageRequest(limit=COUNTED_AT_ONCE, cursor=cursor))
    for card in page.items:
        if card.status is not CardStatus.ARCHIVED:
            current = store.get_version(work, card.name, card.number)
            counted = keeping.counted(work, card, current, stale=card.stale)
            if counted != card:
                store.put_card(work, counted)
    if page.items:
        more = page.next_cursor is not None
        digest = templating.in_force(work).digest
        work.record(CardDebtCounted(template=digest, upto=page.items[-1].name, cards=len(page.items), more=more))
    return len(page.items)


def run_lapsing(workshop: Workshop, job: Job, *, clock: Clock) -> None:
    """Mark all evidence that is too old by now, some hundreds at a time, so that others can write in between."""
    while workshop.write(SYSTEM, binding.lapse_evidence):
        pass
    workshop.write(SYSTEM, lambda work: queue.finish(work.connection, job, now=clock()))
