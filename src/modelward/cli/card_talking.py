"""`modelward card comment|comments|request-review|reviews ...`: what people say about cards, and ask each other to look at."""

from typing import Any

import click

from modelward.cli.showing import as_json_option, client, show_json, show_table, shown, told

STATES = ("open", "done", "declined", "withdrawn")


@click.command()
@click.argument("name")
@click.argument("text")
@click.option("--path", default="$", help="The section or field it is about; the whole card if left out.")
@click.option("--number", type=int, help="The version it speaks of; the current one if left out.")
@click.option("--reply-to", help="The comment that it answers.")
@as_json_option
def comment(name: str, text: str, path: str, number: int | None, reply_to: str | None, as_json: bool) -> None:
    """Comment on a card or a section of it; @ana in the text tells Ana of it."""
    with client() as modelward:
        made = modelward.cards.comments.write(name, text, path=path, number=number, reply_to=reply_to)
    _show(made, as_json, f"{made.id} on {name} {made.path}, version {made.number}.")


@click.command()
@click.argument("name")
@click.option("--section", help="Only those on this path.")
@click.option("--resolved/--open", "resolved", default=None, help="Only threads that are resolved, or that are not.")
@as_json_option
def comments(name: str, section: str | None, resolved: bool | None, as_json: bool) -> None:
    """List the comments on a card, thread by thread."""
    with client() as modelward:
        found = list(modelward.cards.comments.list(name, section=section, resolved=resolved))
    if as_json:
        show_json(found)
        return
    for each in found:
        begins = each.id == each.thread
        indent = "" if begins else "  "
        done = f", resolved by {shown(each.resolved_by)}" if begins and each.to_dict().get("resolved_at") else ""
        when = str(each.at)[:16].replace("T", " ")
        click.secho(
            f"{indent}{shown(each.by)}, {when} UTC, {shown(each.path)} of version {each.number}{done}  ({each.id})",
            bold=begins,
        )
        for line in told(each.text).split("\n"):
            click.echo(f"{indent}  {line}")
    if not found:
        click.echo("There is no such comment.")


@click.command("resolve")
@click.argument("comment")
@as_json_option
def resolve(comment: str, as_json: bool) -> None:
    """Mark the thread of a comment as dealt with. COMMENT is an id, as `modelward card comments` shows it."""
    with client() as modelward:
        _show(modelward.cards.comments.resolve(comment), as_json, "The thread is resolved.")


@click.command("reopen")
@click.argument("comment")
@as_json_option
def reopen(comment: str, as_json: bool) -> None:
    """Open the thread of a comment again. COMMENT is an id, as `modelward card comments` shows it."""
    with client() as modelward:
        _show(modelward.cards.comments.reopen(comment), as_json, "The thread is open again.")


@click.command("request-review")
@click.argument("name")
@click.argument("reviewer")
@click.option("--path", default="$", help="The section or field to look at; the whole card if left out.")
@click.option("--note", default="", help="What to look for.")
@as_json_option
def request_review(name: str, reviewer: str, path: str, note: str, as_json: bool) -> None:
    """Ask somebody to look at a card or a section of it. (`modelward card status` moves the card itself.)"""
    with client() as modelward:
        made = modelward.cards.review_requests.ask(name, reviewer, path=path, note=note)
    _show(made, as_json, f"{made.id}: {shown(made.reviewer)} is asked to look at {name} {made.path}.")


@click.command()
@click.argument("name", required=False)
@click.option("--reviewer", help="Only those that this person was asked for.")
@click.option("--state", type=click.Choice(STATES), help="Only those of this state.")
@as_json_option
def reviews(name: str | None, reviewer: str | None, state: str | None, as_json: bool) -> None:
    """List the requests to look at a card, or at any card, the newest first."""
    with client() as modelward:
        found = list(modelward.cards.review_requests.list(card=name, reviewer=reviewer, state=state))
    if as_json:
        show_json(found)
        return
    columns = {
        "id": "request", "card": "card", "path": "path", "number": "version", "reviewer": "reviewer",
        "asked_by": "asked by", "state": "state", "answer": "answer",
    }  # fmt: skip
    show_table(found, columns, nothing="There is no such request.")


@click.command("answer-review")
@click.argument("request")
@click.option("--done/--declined", "done", required=True, help="Whether you looked; declining needs a text.")
@click.option("--text", default="", help="What you found.")
@as_json_option
def answer_review(request: str, done: bool, text: str, as_json: bool) -> None:
    """Answer a request to look at a card, as the one who was asked. REQUEST is an id, as `card reviews` shows it."""
    with client() as modelward:
        answered = modelward.cards.review_requests.answer(request, done=done, text=text)
    _show(answered, as_json, f"The request is {answered.state}.")


@click.command("withdraw-review")
@click.argument("request")
@as_json_option
def withdraw_review(request: str, as_json: bool) -> None:
    """Take back a request to look at a card. REQUEST is an id, as `card reviews` shows it."""
    with client() as modelward:
        _show(modelward.cards.review_requests.withdraw(request), as_json, "The request is withdrawn.")


def _show(answer: Any, as_json: bool, words: str) -> None:
    if as_json:
        show_json(answer)
    else:
        click.echo(words)


ALL = (comment, comments, resolve, reopen, request_review, reviews, answer_review, withdraw_review)
