"""What holds for the life around a card: comments, requests to look at it, inboxes, owners, clones, deletion."""

import pytest

from modelward.governance.access.permissions import Persona
from modelward.governance.cards import (
    comments,
    inbox,
    owning,
    reviewing,
    use_cases,
)
from modelward.governance.cards.conversation import CommentRef, RequestClosed, RequestState, names_in
from modelward.governance.cards.rules import CardArchived
from modelward.kernel.errors import Invalid, NotAllowed, NotFound
from modelward.kernel.pages import PageRequest
from modelward.storage import event_log
from modelward.storage.blobs import digest_of
from support.cards import (
    ANA,
    BEN,
    EVA,
    PAGE,
    events_of,
    inbox_of,
    let_in,
    move,
    new_card,
    person,
    write,
)


@pytest.fixture
def people(workshop):
    return let_in(workshop)


@pytest.mark.parametrize(
    "text, names",
    [
        ("@ana", ["ana"]),
        ("See @ana, @ben. And @ana-b_c.", ["ana", "ben", "ana-b_c"]),
        ("write to ana@example.org or a@b", []),
        ("@@ana @", []),
        ("(@ana) @ben!", ["ana", "ben"]),
        ("@<script> @../x", []),
    ],
)
def test_a_name_behind_an_at_sign_is_a_mention_and_an_address_is_none(text, names):
    assert names_in(text) == names


def test_who_is_mentioned_gets_one_notice_and_an_unknown_name_or_oneself_gets_none(people):
    card = new_card(people)

    said = write(people, card, "@ben @ben @nobody @ana: is this right?", path="$.intended_uses.risk_rating")

    assert said.mentions == ["ben", "ana"]
    assert [(each.kind, each.about, each.path) for each in inbox_of(people, BEN)] == [
        ("mention", said.id, "$.intended_uses.risk_rating")
    ]
    assert inbox_of(people, ANA) == []


def test_who_may_not_read_cards_gets_no_notice(people):
    card = new_card(people)

    said = write(people, card, "@probe look")

    assert said.mentions == []
    assert inbox_of(people, person("probe", Persona.CAPTURE_AGENT)) == []


def test_an_answer_belongs_to_the_thread_and_tells_those_who_spoke_in_it(people):
    card = new_card(people)
    first = write(people, card, "First.", path="$.intended_uses")
    answer = write(people, card, "Second.", by=BEN, reply_to=first.id)

    third = write(people, card, "Third.", by=EVA, reply_to=answer.id)

    assert {answer.thread, third.thread} == {first.id}
    assert third.path == "$.intended_uses"
    assert [each.kind for each in inbox_of(people, ANA)] == ["reply", "reply"]
    assert [each.kind for each in inbox_of(people, BEN)] == ["reply"]


def test_threads_are_listed_whole_and_page_by_page(people):
    card = new_card(people)
    firsts = [write(people, card, f"{number}") for number in range(3)]
    for first in firsts:
        write(people, card, "answer", by=BEN, reply_to=first.id)
    found, cursor = [], None

    while True:
        page = PageRequest(limit=2, cursor=cursor)
        part = people.read(ANA, lambda work, page=page: comments.list_comments(work, card, page=page))
        found += part.items
        cursor = part.next_cursor
        if cursor is None:
            break

    assert sorted(each.text for each in found if each.begins) == ["0", "1", "2"]
    assert len(found) == 6
    assert all(one.thread == other.thread for one, other in zip(found[::2], found[1::2], strict=True))
    assert all(each.begins for each in found[::2])


def test_a_thread_is_resolved_as_a_whole_and_an_answer_opens_it_again(people):
    card = new_card(people)
    first = write(people, card, "First.")
    answer = write(people, card, "Second.", by=BEN, reply_to=first.id)

    def listed(*, resolved):
        return people.read(ANA, lambda w: comments.list_comments(w, card, page=PAGE, resolved=resolved)).items

    people.write(BEN, lambda work: comments.resolve_thread(work, answer.id))
    assert (len(listed(resolved=True)), len(listed(resolved=False))) == (2, 0)
    write(people, card, "But.", by=EVA, reply_to=first.id)

    assert (len(listed(resolved=True)), len(listed(resolved=False))) == (0, 3)
    assert events_of(people, card)[-2:] == ["CommentWritten", "ThreadReopened"]


def test_only_the_author_changes_a_comment_and_what_it_said_stays_readable(people):
    card = new_card(people)
    said = write(people, card, "First @ben.")

    with pytest.raises(NotAllowed, match="ana wrote this comment"):
        people.write(BEN, lambda work: comments.edit_comment(work, said.id, text="Mine."))
    people.write(ANA, lambda work: comments.edit_comment(work, said.id, text="Second @ben @eva."))

    history = people.read(ANA, lambda work: comments.comment_history(work, said.id))
    assert [(each.edition, each.text) for each in history] == [(1, "First @ben."), (2, "Second @ben @eva.")]
    assert len(inbox_of(people, BEN)) == len(inbox_of(people, EVA)) == 1


def test_a_comment_tells_which_version_it_speaks_of(people):
    card = new_card(people)
    people.write(
        ANA, lambda work: use_cases.edit_card(work, card, patch={"business_details": {"line_of_business": "x"}})
    )

    assert write(people, card, "Now.").number == 2
    assert write(people, card, "Then.", number=1).number == 1
    with pytest.raises(NotFound, match="no version 3"):
        write(people, card, "Never.", number=3)


@pytest.mark.parametrize(
    "path", ["", "$.", "$..", "intended_uses", "$.no_such_section", "$" + ".a" * 200, "$.x[", "$\n"]
)
def test_a_path_that_points_at_no_section_is_refused(people, path):
    with pytest.raises(Invalid) as caught:
        write(people, new_card(people), "Where?", path=path)

    assert caught.value.field == "path"


@pytest.mark.parametrize("text", ["", "  \n", "x" * 10_001, "a\0b", "a\x1b[31m", "\ud800"])
def test_a_text_that_says_nothing_or_cannot_be_kept_is_refused(people, text):
    card = new_card(people)

    with pytest.raises(Invalid) as caught:
        write(people, card, text)

    assert caught.value.field == "text"
    assert people.read(ANA, lambda work: comments.list_comments(work, card, page=PAGE)).items == []


def test_a_comment_on_another_card_is_no_thread_of_this_one(people):
    first = write(people, new_card(people), "Here.")

    with pytest.raises(Invalid, match="is on the card"):
        write(people, new_card(people), "There.", reply_to=first.id)
    with pytest.raises(NotFound):
        write(people, new_card(people), "Where?", reply_to=CommentRef("comment-none"))


def test_who_was_asked_answers_and_nobody_else(people):
    card = new_card(people)
    asked = people.write(
        ANA, lambda w: reviewing.ask_for_review(w, card, reviewer="ben", path="$.intended_uses", note="Please.")
    )
    assert [(each.kind, each.about) for each in inbox_of(people, BEN)] == [("review-asked", asked.id)]
    people.write(
        ANA, lambda work: use_cases.edit_card(work, card, patch={"business_details": {"line_of_business": "x"}})
    )

    with pytest.raises(NotAllowed, match="ben was asked"):
        people.write(EVA, lambda work: reviewing.answer_review(work, asked.id, done=True))
    with pytest.raises(Invalid, match="text is empty"):
        people.write(BEN, lambda work: reviewing.answer_review(work, asked.id, done=False))
    answered = people.write(BEN, lambda work: reviewing.answer_review(work, asked.id, done=False, text="No time."))

    assert (answered.state, answered.number, answered.answered_number) == (RequestState.DECLINED, 1, 2)
    assert [each.kind for each in inbox_of(people, ANA)] == ["review-answered"]
    with pytest.raises(RequestClosed, match="declined already"):
        people.write(BEN, lambda work: reviewing.answer_review(work, asked.id, done=True))
    with pytest.raises(RequestClosed):
        people.write(ANA, lambda work: reviewing.withdraw_review(work, asked.id))


def test_a_request_is_withdrawn_by_who_asked_or_by_the_owner_of_the_card(people):
    card = new_card(people)

    def ask():
        return people.write(BEN, lambda work: reviewing.ask_for_review(work, card, reviewer="eva"))

    with pytest.raises(NotAllowed):
        people.write(EVA, lambda work, ref=ask().id: reviewing.withdraw_review(work, ref))
    for who in (ANA, BEN):
        gone = people.write(who, lambda work, ref=ask().id: reviewing.withdraw_review(work, ref))
        assert gone.state is RequestState.WITHDRAWN


@pytest.mark.parametrize("reviewer", ["ana", "nobody", "modelward", "probe", ""])
def test_nobody_is_asked_who_could_not_answer(people, reviewer):
    card = new_card(people)

    with pytest.raises(Invalid) as caught:
        people.write(ANA, lambda work: reviewing.ask_for_review(work, card, reviewer=reviewer))

    assert caught.value.field == "reviewer"


def test_a_notice_is_read_by_whom_it_is_for(people):
    card = new_card(people)
    write(people, card, "@ben")
    (notice,) = inbox_of(people, BEN)

    with pytest.raises(NotFound):
        people.write(EVA, lambda work: inbox.mark_read(work, notice.id))
    people.write(BEN, lambda work: inbox.mark_read(work, notice.id))

    assert people.read(BEN, inbox.count_unread) == 0


def test_who_creates_a_card_owns_it_until_somebody_else_does(people):
    card = new_card(people)

    changed = people.write(ANA, lambda work: owning.assign_owner(work, card, owner="ben"))

    assert changed.owner == "ben"
    assert people.read(ANA, lambda work: use_cases.get_card(work, card)) == changed
    assert changed.number == 1
    with pytest.raises(Invalid, match="nobody"):
        people.write(ANA, lambda work: owning.assign_owner(work, card, owner="nobody"))
    owned = people.read(ANA, lambda work: use_cases.list_cards(work, page=PAGE, owner="ben")).items
    assert [each.name for each in owned] == [card]


def test_nothing_is_asked_of_or_done_with_an_archived_card(people):
    card = new_card(people)
    move(people, card, "archived")

    with pytest.raises(CardArchived):
        people.write(ANA, lambda work: reviewing.ask_for_review(work, card, reviewer="ben"))
    with pytest.raises(CardArchived):
        people.write(ANA, lambda work: owning.assign_owner(work, card, owner="ben"))


def test_an_auditor_reads_comments_and_writes_none(people):
    card, auditor = new_card(people), person("tom", Persona.AUDITOR)
    write(people, card, "Here.")

    assert len(people.read(auditor, lambda work: comments.list_comments(work, card, page=PAGE)).items) == 1
    with pytest.raises(NotAllowed, match=r"card\.comment"):
        write(people, card, "There.", by=auditor)


def test_the_log_tells_of_a_text_by_its_digest_only(people):
    card = new_card(people)

    write(people, card, "a word in confidence")

    (told,) = people.database.read(lambda c: event_log.read(c, subjects=[card], names=["CommentWritten"]))
    assert told.detail["text"] == digest_of(b"a word in confidence")
    assert "confidence" not in str(told.detail)
