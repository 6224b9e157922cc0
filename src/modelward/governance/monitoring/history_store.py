"""What a monitor with a budget remembers of its runs, and the profiles of baselines by groups."""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from modelward.kernel.clock import moment, timestamp
from modelward.kernel.errors import Conflict
from modelward.kernel.refs import BaselineRef, Digest, MonitorRef
from modelward.storage.upserts import insert_into
from modelward.storage.work import Work

metadata = sa.MetaData()
monitor_history = sa.Table(
    "monitor_history",
    metadata,
    sa.Column("monitor", sa.Text, primary_key=True),
    sa.Column("baseline", sa.Text, nullable=False),
    sa.Column("edition", sa.Integer, nullable=False),
    sa.Column("covered", sa.Text, nullable=False),
    sa.Column("runs", sa.Integer, nullable=False),
    sa.Column("profiles", sa.LargeBinary, nullable=False),
)
baseline_segments = sa.Table(
    "baseline_segments",
    metadata,
    sa.Column("baseline", sa.Text, primary_key=True),
    sa.Column("columns", sa.Text, primary_key=True),
    sa.Column("profile", sa.Text, nullable=False),
)


class HistoryOvertaken(Conflict):
    """Another run of this monitor has entered its history meanwhile; judge again."""


class KeptHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of a monitor against one baseline that are judged together.

    ``covered``: the stretches of time whose records were counted, in order and apart. ``runs``: how many have been added
    since the last alarm. ``profiles``: their sums, as ``RunHistory.to_bytes`` writes them; empty: none. ``edition``
    counts the changes; 0: nothing is kept yet.
    """

    monitor: MonitorRef
    baseline: BaselineRef
    edition: int = 0
    covered: list[tuple[datetime, datetime]] = []
    runs: int = 0
    profiles: bytes = b""


def find_history(work: Work, name: MonitorRef) -> KeptHistory | None:
    """What is kept of a monitor's runs, or None."""
    row = work.execute(sa.select(monitor_history).where(monitor_history.c.monitor == name)).first()
    if row is None:
        return None
    return KeptHistory(
        monitor=MonitorRef(row.monitor),
        baseline=BaselineRef(row.baseline),
        edition=row.edition,
        covered=[(moment(start), moment(end)) for start, end in msgspec.json.decode(row.covered)],
        runs=row.runs,
        profiles=bytes(row.profiles),
    )


def put_history(work: Work, changed: KeptHistory) -> None:
    """Keep the next edition of a history.

    Raises:
        HistoryOvertaken: the edition that it follows is not the one that is kept.
    """
    row: dict[str, Any] = {
        "baseline": changed.baseline,
        "edition": changed.edition + 1,
        "covered": msgspec.json.encode([(timestamp(a), timestamp(b)) for a, b in changed.covered]).decode(),
        "runs": changed.runs,
        "profiles": changed.profiles,
    }
    if changed.edition == 0:
        add = insert_into(monitor_history, work.connection.dialect.name).values(monitor=changed.monitor, **row)
        nothing_else = add.on_conflict_do_nothing(index_elements=["monitor"])
        done = work.execute(nothing_else.returning(monitor_history.c.edition)).first()
    else:
        same = (monitor_history.c.monitor == changed.monitor, monitor_history.c.edition == changed.edition)
        put = sa.update(monitor_history).where(*same).values(row)
        done = work.execute(put.returning(monitor_history.c.edition)).first()
    if done is None:
        raise HistoryOvertaken(f"Another run of {changed.monitor} was counted meanwhile.")


def find_segments(work: Work, name: BaselineRef, columns: list[str]) -> Digest | None:
    """The digest of the profile of a baseline by groups, where it was made."""
    same = (baseline_segments.c.baseline == name, baseline_segments.c.columns == _key(columns))
    found = work.execute(sa.select(baseline_segments.c.profile).where(*same)).scalar()
    return Digest(found) if found else None


def note_segments(work: Work, name: BaselineRef, columns: list[str], profile: Digest) -> None:
    """Keep where the profile of a baseline by groups is. It follows from the baseline, so it has no event."""
    add = insert_into(baseline_segments, work.connection.dialect.name)
    row = {"baseline": name, "columns": _key(columns), "profile": profile}
    work.connection.execute(add.values(row).on_conflict_do_nothing(index_elements=["baseline", "columns"]))


def _key(columns: list[str]) -> str:
    return msgspec.json.encode(columns).decode()
