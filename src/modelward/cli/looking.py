"""What `modelward watch` does before it shows anything: read the constraints, profile both tables, judge."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from modelward.cli.seen import Seen

if TYPE_CHECKING:
    from modelward.analysis import CheckReport, Constraints, Plan, Profile
    from modelward.analysis.engines.engine import Engine


class Asked(NamedTuple):
    """What the command line asks for."""

    data: str
    reference: str | None
    rules_path: str | None
    columns: tuple[str, ...] | None
    decimal: str
    quiet: bool
    segments: tuple[str, ...]
    engine: str
    together: bool
    history_path: str | None
    budget: tuple[float | None, float | None]


def look(asked: Asked) -> Seen:
    """Profile, and judge where there is something to judge by.

    Raises:
        ModelwardError: a table or a file of constraints cannot be read, or options do not go together.
    """
    from modelward.analysis import Plan, suggest
    from modelward.analysis.checking.constraints import counted_rules
    from modelward.kernel.errors import Invalid

    if asked.reference is None and (asked.together or asked.history_path):
        raise Invalid("--together and --history compare with a table.", hint="Name one with --reference.")
    rules = _read_rules(asked.rules_path) if asked.rules_path else None
    plan = Plan(columns=asked.columns, decimal="," if asked.decimal == "," else ".", segments=asked.segments)
    baseline = _profiled(asked.reference, plan, "reference", asked) if asked.reference else None
    counted = _with_rules(plan, counted_rules(rules)) if rules is not None else plan
    current = _profiled(asked.data, counted, "data", asked)
    in_use = _budgeted(rules if rules is not None else suggest(baseline if baseline is not None else current), asked)
    report = _judged(current, baseline, in_use, asked) if baseline is not None or rules is not None else None
    together = None
    if asked.together:
        from modelward.analysis.checking.classifier import classifier_test

        together = classifier_test(asked.data, asked.reference, columns=asked.columns)
    return Seen(
        asked.data,
        asked.reference,
        (current, baseline),
        in_use,
        report,
        rules_given=rules is not None,
        together=together,
    )


def _with_rules(plan: "Plan", rules: "tuple[object, ...]") -> "Plan":
    import msgspec

    return msgspec.structs.replace(plan, rules=rules)


def _budgeted(rules: "Constraints", asked: Asked) -> "Constraints":
    import msgspec

    alarms, runs = asked.budget
    if alarms is None and runs is None:
        return rules
    drift = msgspec.structs.replace(rules.drift, false_alarms_a_month=alarms, runs_a_month=runs)
    return msgspec.structs.replace(rules, drift=drift)


def _judged(current: "Profile", baseline: "Profile | None", rules: "Constraints", asked: Asked) -> "CheckReport":
    import time

    from modelward.analysis import check

    if asked.history_path is None:
        return check(current, baseline, rules, at=time.time())
    from modelward.analysis.checking.budget import RunHistory, check_run
    from modelward.kernel.errors import Invalid

    if rules.drift.false_alarms_a_month is None:
        raise Invalid(
            "A history carries what is left of a budget, and there is no budget of false alarms.",
            field="--history",
            hint="Say --false-alarms 1 --runs 30, or set drift.false_alarms_a_month and runs_a_month in the constraints.",
        )
    path = Path(asked.history_path)
    try:
        history = RunHistory.from_bytes(path.read_bytes()) if path.exists() else RunHistory()
    except OSError as problem:
        raise Invalid(f"The history {asked.history_path!r} cannot be read: {problem.strerror}.") from problem
    report, kept = check_run(current, baseline, rules, history, at=time.time())
    # Written beside and moved: a crash leaves the old history.
    beside = path.with_name(path.name + ".new")
    try:
        beside.write_bytes(kept.to_bytes())
        beside.replace(path)
    except OSError as problem:
        raise Invalid(f"The history {asked.history_path!r} cannot be written: {problem.strerror}.") from problem
    return report


def _engine(name: str) -> "Engine | None":
    if name == "processes":
        from modelward.analysis.engines.processes import Processes

        return Processes()
    if name == "spark":
        from modelward.analysis.engines.spark import Spark

        return Spark()
    return None


def _profiled(path: str, plan: "Plan", what: str, asked: Asked) -> "Profile":
    from modelward.analysis import profile

    engine = _engine(asked.engine)
    if asked.quiet or not sys.stderr.isatty():
        return profile(path, plan, engine=engine)
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"Reading the {what}", total=None)
        return profile(
            path,
            plan,
            engine=engine,
            progress=lambda done, steps: progress.update(task, completed=done, total=steps or None),
        )


def _read_rules(path: str) -> "Constraints":
    from modelward.analysis.checking.constraint_reading import read_constraints
    from modelward.kernel import codec
    from modelward.kernel.errors import Invalid, NotFound

    try:
        given = codec.decode(Path(path).read_bytes(), dict, field=path)
    except OSError as problem:
        raise NotFound(f"The constraints {path!r} cannot be read: {problem.strerror}.") from problem
    if "features" in given:
        raise Invalid(
            f"{path!r} holds the constraints of the hosted service.",
            hint="Judge by them with `modelward check DATA --baseline FOLDER --out FOLDER`.",
        )
    return read_constraints(given, field=path)
