"""Whatever is done to cards in whatever order, crashes among it: versions never change and the log is in step with the rows."""

import contextlib
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from modelward.governance.access import use_cases as access
from modelward.governance.access.entities import SYSTEM
from modelward.governance.access.permissions import Persona
from modelward.governance.cards import comments, copying, deletion, use_cases
from modelward.governance.cards.entities import CardStatus
from modelward.kernel.actors import Actor
from modelward.kernel.errors import Conflict, Invalid, NotAllowed
from modelward.kernel.refs import CardRef
from modelward.storage import event_log
from modelward.storage.database import Database
from support.workshops import ANA, verified, workshop_on

BEN = Actor(id="ben", name="Ben", kind=ANA.kind, permissions=ANA.permissions)
NAMES = ["a", "b", "c"]
STATUSES = list(CardStatus)
SETTINGS = settings(max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
names, people = st.sampled_from(NAMES), st.sampled_from([ANA, BEN])
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


class Crash(RuntimeError):
    """The process ended before the commit."""


class Cards(RuleBasedStateMachine):
    """Cards in a real database, beside a model of what must be there."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.open()
        for name in ("ana", "ben"):
            self.workshop.write(SYSTEM, lambda w, name=name: access.add_person(w, id=name, persona=Persona.OWNER))
        # name -> number -> (digest, content): what was acknowledged.
        self.versions = {}
        self.status = {}
        self.comments = {}
        self.approved = set()
        self.told = []

    def open(self):
        self.database = Database.in_folder(Path(self.folder.name))
        self.workshop = workshop_on(self.database, Path(self.folder.name))

    def teardown(self):
        self.database.close()
        self.folder.cleanup()

    def do(self, who, task, *expected):
        """Do something; a refusal leaves nothing. Returns None when it was refused."""
        before = self.counts()
        try:
            return self.workshop.write(who, task)
        except expected:
            assert self.counts() == before
            return None

    def counts(self):
        tables = ("card", "card_version", "card_comment", "card_comment_text", "card_status", "event")
        return self.database.read(lambda c: [c.scalar(sa.text(f"SELECT count(*) FROM {each}")) for each in tables])

    @rule(name=names, who=people, text=texts)
    def create(self, name, who, text):
        made = self.do(who, lambda w: use_cases.create_card(w, name=name, content=content(text)), Conflict)
        assert (made is None) == (name in self.versions)
        if made is not None:
            self.begin(name, made)
            self.told.append(("CardCreated", name))

    def begin(self, name, made):
        self.versions[name] = {1: made.digest}
        self.status[name], self.comments[name] = CardStatus.DRAFT, 0
        self.approved.discard(name)

    @precondition(lambda self: self.versions)
    @rule(data=st.data(), who=people, text=texts)
    def edit(self, data, who, text):
        name = data.draw(st.sampled_from(sorted(self.versions)))
        before = max(self.versions[name])
        card = self.do(who, lambda w: use_cases.edit_card(w, CardRef(name), content=content(text)), Conflict)
        assert (card is None) == (self.status[name] is CardStatus.ARCHIVED)
        if card is None:
            return
        assert card.number in (before, before + 1)
        if card.number > before:
            self.versions[name][card.number] = card.digest
            self.told.append(("CardEdited", name))
            if self.status[name] is CardStatus.APPROVED:
                self.told.append(("CardStatusChanged", name))
        self.status[name] = card.status

    @precondition(lambda self: self.versions)
    @rule(data=st.data(), who=people, status=st.sampled_from(STATUSES))
    def move(self, data, who, status):
        name = data.draw(st.sampled_from(sorted(self.versions)))
        moved = self.do(who, lambda w: use_cases.change_status(w, CardRef(name), status=status), Conflict, NotAllowed)
        if moved is not None:
            assert self.status[name] is not CardStatus.ARCHIVED
            assert moved.number == max(self.versions[name])
            self.status[name] = status
            self.approved |= {name} if status is CardStatus.APPROVED else set()
            self.told.append(("CardStatusChanged", name))

    @precondition(lambda self: self.versions)
    @rule(data=st.data(), name=names, who=people)
    def clone(self, data, name, who):
        source = data.draw(st.sampled_from(sorted(self.versions)))
        made = self.do(who, lambda w: copying.clone_card(w, CardRef(source), name=name), Conflict)
        assert (made is None) == (name in self.versions)
        if made is not None:
            self.begin(name, made)
            self.told += [("CardCreated", name), ("CardCloned", name)]

    @precondition(lambda self: self.versions)
    @rule(data=st.data(), who=people)
    def delete(self, data, who):
        name = data.draw(st.sampled_from(sorted(self.versions)))
        gone = self.do(who, lambda w: deletion.delete_card(w, CardRef(name)), Conflict)
        assert (gone is not None) == (self.status[name] is CardStatus.DRAFT and name not in self.approved)
        if gone is not None:
            del self.versions[name], self.status[name], self.comments[name]
            self.told.append(("CardDeleted", name))

    @precondition(lambda self: self.versions)
    @rule(data=st.data(), who=people, text=texts)
    def comment(self, data, who, text):
        name = data.draw(st.sampled_from(sorted(self.versions)))
        said = self.do(who, lambda w: comments.write_comment(w, CardRef(name), text=text + "@ben"), Invalid)
        if said is not None:
            self.comments[name] += 1
            self.told.append(("CommentWritten", name))

    @precondition(lambda self: self.versions)
    @rule(data=st.data(), text=texts)
    def crash(self, data, text):
        """The process ends before the commit of an edit, a comment and a clone; another one opens the database."""
        name = data.draw(st.sampled_from(sorted(self.versions)))

        def task(work):
            comments.write_comment(work, CardRef(name), text="lost")
            copying.clone_card(work, CardRef(name), name="lost")
            if self.status[name] is not CardStatus.ARCHIVED:
                use_cases.edit_card(work, CardRef(name), content=content("lost" + text))
            raise Crash

        with contextlib.suppress(Crash):
            self.workshop.write(ANA, task)
        self.database.close()
        self.open()

    @invariant()
    def the_rows_are_what_was_acknowledged(self):
        found = self.database.read(
            lambda c: c.execute(sa.text("SELECT card, number, digest FROM card_version ORDER BY card, number")).all()
        )
        assert [tuple(row) for row in found] == [
            (name, number, digest)
            for name, kept in sorted(self.versions.items())
            for number, digest in sorted(kept.items())
        ]
        assert all(sorted(kept) == list(range(1, len(kept) + 1)) for kept in self.versions.values())
        cards = self.database.read(lambda c: c.execute(sa.text("SELECT name, number, status FROM card")).all())
        assert {row[0]: (row[1], row[2]) for row in cards} == {
            name: (max(kept), self.status[name].value) for name, kept in self.versions.items()
        }
        talk = self.database.read(
            lambda c: c.execute(sa.text("SELECT card, count(*) FROM card_comment GROUP BY card")).all()
        )
        assert {row[0]: row[1] for row in talk} == {name: count for name, count in self.comments.items() if count}

    @invariant()
    def the_log_tells_exactly_what_happened_and_is_whole(self):
        events = self.database.read(lambda c: event_log.read(c, after=0, limit=10_000))
        assert [(each.name, each.subject) for each in events if each.name in {name for name, _ in KINDS}] == self.told
        assert verified(self.database).whole


KINDS = [
    ("CardCreated", ""), ("CardEdited", ""), ("CardStatusChanged", ""), ("CardCloned", ""), ("CardDeleted", ""),
    ("CommentWritten", ""),
]  # fmt: skip


def content(text):
    """A content that may have any status."""
    return {
        "model_overview": {"model_description": text},
        "business_details": {"business_problem": "x"},
        "intended_uses": {"purpose_of_model": "x", "risk_rating": "Low", "explanations_for_risk_rating": "x"},
    }


TestCards = Cards.TestCase
TestCards.settings = SETTINGS
