"""`modelward card apply` and `modelward card check`: cards that live as YAML in a repository."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
import msgspec

from modelward.cli.card_editing import show_change
from modelward.cli.showing import as_json_option, client, show_json, shown, told
from modelward.kernel.errors import Invalid, ModelwardError, NotFound

if TYPE_CHECKING:
    from modelward.governance.cards.templates import Template
    from modelward.sdk.card_applying import Plan, Step
    from modelward.sdk.card_files import CardFile

PENDING, CONFLICT, REFUSED = 1, 2, 3
INCOMPLETE, UNDECIDED = 1, 2


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--plan", "only_plan", is_flag=True, help="Only say what would change; exit code 1 when something would.")
@click.option("--yes", "-y", is_flag=True, help="Apply without asking.")
@click.option("--force", is_flag=True, help="Overwrite what was changed by hand since the last time.")
@as_json_option
def apply(path: Path, only_plan: bool, yes: bool, force: bool, as_json: bool) -> None:
    """Bring cards to what a YAML file or folder says: shows the plan, then applies it. Applying twice changes nothing.

    The server tries everything out first; what it refuses is told card by card, and then nothing is applied. All cards
    are applied in one transaction (500 at a time).

    Exit code: 0 done, or nothing to do; 1 there are changes (with --plan) or they were declined; 2 somebody changed a
    field by hand since the last time; 3 something is wrong in the files or refused by the server, or it could not run.
    """
    from modelward.sdk.card_applying import Plan, apply_plan, plan
    from modelward.sdk.card_files import read_all

    cards, problems = read_all(path)
    if problems:
        _end(Plan(steps=[], problems=problems), as_json, force=force)
    with client() as modelward:
        made = plan(modelward, cards)
        if not as_json and not made.problems:
            _show_plan(made.steps)
        applies = bool(made.moving) and not (only_plan or made.problems or (made.conflicts and not force))
        if applies and not yes:
            applies = not as_json and click.confirm("Apply?")
        done: list[str] = []
        problem = _applied(apply_plan(modelward, made, force=force), done, as_json) if applies else None
    _end(made, as_json, force=force, done=done, problem=problem)


def _applied(steps: Iterator["Step"], done: list[str], as_json: bool) -> ModelwardError | None:
    """Take the steps; what was refused in the end, with ``done`` saying what was applied before it."""
    try:
        for step in steps:
            done.append(step.card)
            if not as_json:
                click.echo(f"{step.card}: {'created' if step.action == 'create' else 'changed'}.")
    except ModelwardError as problem:
        if not done:
            raise
        return problem
    return None


def _end(
    made: "Plan", as_json: bool, *, force: bool, done: list[str] | None = None, problem: ModelwardError | None = None
) -> NoReturn:
    """Say what is wrong or open, and end with the code for it."""
    done = done or []
    problems = [msgspec.to_builtins(each) for each in made.problems]
    if problem is not None:
        problems.append({"code": problem.code, "message": problem.message, "path": problem.field, "hint": problem.hint})
    if as_json:
        steps = [_told(step, done) for step in made.steps]
        show_json({"applied": bool(done) and not problems, "tried": made.tried, "steps": steps, "problems": problems})
    else:
        _show_problems(problems, done)
        if not made.tried:
            click.echo("The server did not try it out: that asks for the permission card.write.", err=True)
    if problems:
        sys.exit(REFUSED)
    if made.conflicts and not force:
        if not as_json:
            click.echo("Fields marked ! were changed by hand: take them over into the file, or use --force.", err=True)
        sys.exit(CONFLICT)
    sys.exit(PENDING if made.moving and not done else 0)


def _show_problems(problems: list[dict[str, Any]], done: list[str]) -> None:
    for each in problems:
        card = f"{each['card']}: " if each.get("card") else ""
        place = f"{each['file']}:{each['line']}: {card}" if each.get("line") else ""
        words = each["message"] if each["message"].startswith(each.get("file") or " ") else f"{place}{each['message']}"
        hint = f" {each['hint']}" if each.get("hint") else ""
        click.echo(f"modelward: {told(words)}{hint}", err=True)
    if len(problems) > 1:
        click.echo(f"modelward: {len(problems)} problems; nothing was applied.", err=True)
    if problems and done:
        click.echo(f"modelward: {len(done)} cards were applied before that; apply again to go on.", err=True)


def _show_plan(steps: "list[Step]") -> None:
    for step in steps:
        click.secho(f"{_SIGNS[step.action]} {shown(step.card)}  ({shown(step.file.where)})", bold=step.action != "keep")
        for each in step.changes:
            if each.edited:
                click.secho("  ! changed by hand since the last time:", fg="yellow")
            show_change(each.path, each.before, each.after)
        if step.owner:
            click.echo(f"  owner -> {shown(step.owner)}")
        if step.status:
            click.echo(f"  status -> {step.status}")
    counts = {action: sum(step.action == action for step in steps) for action in _SIGNS}
    click.echo(f"{counts['create']} to create, {counts['change']} to change, {counts['keep']} as they are.")


_SIGNS = {"create": "+", "change": "~", "keep": "="}


def _told(step: "Step", done: list[str]) -> dict[str, Any]:
    fields = [msgspec.to_builtins(each) for each in step.changes]
    told: dict[str, Any] = {"card": step.card, "file": step.file.where, "action": step.action, "changes": fields}
    return {**told, "owner": step.owner, "status": step.status, "applied": step.card in done}


@click.command()
@click.argument("card_or_path")
@click.option(
    "--for", "status", type=click.Choice(["pending-review", "approved"]), default="pending-review",
    help="Which status it must be complete for.",
)  # fmt: skip
@click.option("--template", type=click.Path(path_type=Path, dir_okay=False), help="A template; for files only.")
@as_json_option
def check(card_or_path: str, status: str, template: Path | None, as_json: bool) -> None:
    """Say whether cards are complete: a YAML file or folder (no server needed), or a card by its name.

    Exit code: 0 complete, 1 something is missing or wrong, 2 undecided (evidence), 3 could not run.
    """
    path = Path(card_or_path)
    if not path.exists() and (len(path.parts) > 1 or path.suffix in (".yaml", ".yml", ".json")):
        raise NotFound(f"There is no file or folder {card_or_path}.", field="path")
    found = _check_files(path, status, template) if path.exists() else [_check_card(card_or_path, status)]
    if as_json:
        show_json(found)
    else:
        for each in found:
            _show_verdict(each, status)
    outcomes = {each["outcome"] for each in found}
    sys.exit(INCOMPLETE if "failed" in outcomes else UNDECIDED if "undecided" in outcomes else 0)


def _check_files(path: Path, status: str, template: Path | None) -> list[dict[str, Any]]:
    from modelward.governance.cards import templates
    from modelward.sdk.card_files import read_cards

    if template is None:
        return [_check_file(each, status, templates.default()) for each in read_cards(path)]
    try:
        text = template.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise Invalid(f"The template {template} cannot be read: {problem}.", field="--template") from problem
    chosen = templates.parse(text, source=str(template))
    return [_check_file(each, status, chosen) for each in read_cards(path)]


def _check_file(card: "CardFile", status: str, template: "Template") -> dict[str, Any]:
    from modelward.governance.cards import rules, schema, templates
    from modelward.governance.cards.entities import CardStatus
    from modelward.sdk.card_applying import without_null

    content = without_null(card.content)
    try:
        schema.check_content(content)
    except Invalid as problem:
        wrong = [{"path": problem.field, "line": card.line(problem.field or "$"), "why": problem.message}]
        return {"card": card.card, "outcome": "failed", "missing": [], "wrong": wrong, "undecided": []}
    lack = templates.lacking(
        templates.required_of(template, content, rules.risk_rating_of(content)), CardStatus(status)
    )
    missing = [{"path": each.path, "line": card.line(each.path)} for each in lack if each.path.startswith("$")]
    # What only a server knows: whether evidence is bound.
    open_ones = [f"{each.path}: evidence is bound at a server" for each in lack if not each.path.startswith("$")]
    outcome = "failed" if missing else "undecided" if open_ones else "passed"
    return {"card": card.card, "outcome": outcome, "missing": missing, "wrong": [], "undecided": open_ones}


def _check_card(name: str, status: str) -> dict[str, Any]:
    with client() as modelward:
        card = modelward.cards.get(name).to_dict()
    required = card["completeness"].get("required", [])
    wanted = ("pending-review",) if status == "pending-review" else ("pending-review", "approved")
    missing = [
        {"path": each["path"], "line": ""} for each in required if each["status"] in wanted and not each["filled"]
    ]
    stale = [
        f"{each['path']}: newer evidence is known" for each in card.get("bindings", []) if each["state"] == "stale"
    ]
    outcome = "failed" if missing else "undecided" if stale else "passed"
    return {"card": name, "outcome": outcome, "missing": missing, "wrong": [], "undecided": stale}


def _show_verdict(found: dict[str, Any], status: str) -> None:
    colour = {"passed": "green", "failed": "red", "undecided": "yellow"}[found["outcome"]]
    words = {"passed": "complete", "failed": "incomplete", "undecided": "undecided"}[found["outcome"]]
    click.echo(f"{shown(found['card'])}: ", nl=False)
    click.secho(f"{words} for {status}", fg=colour)
    for each in found["wrong"]:
        click.echo(f"  wrong    {each['line']} {shown(each['why'], characters_max=200)}")
    for each in found["missing"]:
        click.echo(f"  missing  {each['path']}  {each['line']}".rstrip())
    for each in found["undecided"]:
        click.echo(f"  open     {each}")
