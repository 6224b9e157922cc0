"""Charts as Vega-Lite descriptions, each with the same figures as rows for the table beside it. Pure; no colours here."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from modelward.kernel.clock import timestamp

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
BARS_MAX = 40


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A drawing: its description, what it shows in words, and its figures."""

    spec: str
    label: str
    columns: list[str]
    rows: list[list[Any]]
    note: str = ""


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One bar drawn by the server: ``width`` in percent of the longest."""

    label: str
    value: float
    width: float
    negative: bool


def bars(named: Iterable[tuple[str, float]], *, full: float | None = None) -> list[Bar]:
    """Named numbers as bars; ``full`` is the value of a whole bar (1 for shares), else the largest is."""
    pairs = [(label, value) for label, value in named if value == value and abs(value) != float("inf")]
    top = full or max((abs(value) for _, value in pairs), default=0.0) or 1.0
    return [
        Bar(label=label, value=value, width=round(min(abs(value) / top, 1) * 100, 1), negative=value < 0)
        for label, value in pairs
    ]


def _spec(values: list[dict[str, Any]], *, height: int, **parts: Any) -> str:
    spec = {
        "$schema": SCHEMA,
        "width": "container",
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"values": values},
        **parts,
    }
    return msgspec.json.encode(spec).decode()


def grouped_bars(series: dict[str, list[tuple[str, float]]], *, label: str, of: str, share: bool = True) -> Chart:
    """Bars side by side: for each name, one bar per series."""
    values: list[dict[str, Any]] = [
        {"name": name, "series": title, "value": value}
        for title, pairs in series.items()
        for name, value in pairs[:BARS_MAX]
    ]
    names = list(dict.fromkeys(each["name"] for each in values))
    axis = {"format": ".0%", "tickCount": 5} if share else {"tickCount": 5}
    encoding = {
        "y": {"field": "name", "type": "nominal", "title": None, "sort": names},
        "x": {"field": "value", "type": "quantitative", "title": of, "axis": axis},
        "yOffset": {"field": "series", "sort": list(series)},
        "color": {"field": "series", "type": "nominal", "title": None, "sort": list(series)},
        "tooltip": [{"field": "name"}, {"field": "series"}, {"field": "value", "format": ".4~g"}],
    }
    rows = [[name, *(dict(pairs).get(name) for pairs in series.values())] for name in names]
    height = len(names) * (16 * len(series) + 10)
    spec = _spec(values, height=height, mark={"type": "bar", "cornerRadiusEnd": 2}, encoding=encoding)
    return Chart(spec=spec, label=label, columns=["Group", *series], rows=rows)


def over_time(
    lines: dict[str, list[tuple[datetime, float]]], *, label: str, of: str, limit: float | None = None, note: str = ""
) -> Chart:
    """Lines over time, each point marked; with a dashed line at the limit where there is one."""
    values: list[dict[str, Any]] = [
        {"at": timestamp(at), "series": name, "value": value} for name, points in lines.items() for at, value in points
    ]
    encoding = {
        "x": {"field": "at", "type": "temporal", "title": None, "scale": {"type": "utc"}, "axis": {"tickCount": 6}},
        "y": {"field": "value", "type": "quantitative", "title": of, "axis": {"tickCount": 5}},
        "color": {"field": "series", "type": "nominal", "title": None, "sort": list(lines)},
        "tooltip": [
            {"field": "at", "type": "temporal", "title": "until"},
            {"field": "series", "title": "column"},
            {"field": "value", "format": ".4~g"},
        ],
    }
    layers: list[dict[str, Any]] = [{"mark": {"type": "line", "point": {"size": 26}}, "encoding": encoding}]
    if limit is not None:
        rule = {"mark": {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 1.5}, "encoding": {"y": {"datum": limit}}}
        layers.append(rule)
    moments = sorted({each["at"] for each in values})
    known = {(each["at"], each["series"]): each["value"] for each in values}
    rows = [[at[:16].replace("T", " "), *(known.get((at, name)) for name in lines)] for at in moments]
    said = [note] if note else []
    if limit is not None:
        said.append(f"The dashed line is the limit, {limit:g}.")
    spec = _spec(values, height=240, layer=layers)
    return Chart(spec=spec, label=label, columns=["Until (UTC)", *lines], rows=rows, note=" ".join(said))


def columns_over_days(days: list[tuple[datetime, int]], *, label: str, of: str) -> Chart:
    """A count for each day as columns."""
    values = [{"at": f"{at:%Y-%m-%d}T00:00:00Z", "value": count} for at, count in days]
    encoding = {
        "x": {
            "field": "at",
            "type": "temporal",
            "timeUnit": "utcyearmonthdate",
            "title": None,
            "axis": {"format": "%-d %b", "tickCount": 8, "labelOverlap": True},
        },
        "y": {"field": "value", "type": "quantitative", "title": of, "axis": {"tickCount": 4, "format": "~s"}},
        "tooltip": [
            {"field": "at", "type": "temporal", "timeUnit": "utcyearmonthdate", "title": "day"},
            {"field": "value", "format": ",", "title": of},
        ],
    }
    spec = _spec(values, height=170, mark={"type": "bar"}, encoding=encoding)
    return Chart(spec=spec, label=label, columns=["Day", of], rows=[[f"{at:%Y-%m-%d}", count] for at, count in days])


def curve(
    points: Sequence[Sequence[float]], *, label: str, across: str, up: str, diagonal: bool = False, note: str = ""
) -> Chart:
    """One curve through points in [0, 1] x [0, 1]; the diagonal shows chance, or agreement."""
    values = [{"x": point[0], "y": point[1]} for point in points]
    axis = {"tickCount": 5}
    encoding = {
        "x": {"field": "x", "type": "quantitative", "title": across, "scale": {"domain": [0, 1]}, "axis": axis},
        "y": {"field": "y", "type": "quantitative", "title": up, "scale": {"domain": [0, 1]}, "axis": axis},
    }
    layers: list[dict[str, Any]] = [{"mark": {"type": "line", "point": len(values) <= 20}, "encoding": encoding}]
    if diagonal:
        ends = {"values": [{"x": 0, "y": 0}, {"x": 1, "y": 1}]}
        mark = {"type": "line", "strokeDash": [4, 4], "strokeWidth": 1, "opacity": 0.6}
        layers.append({"data": ends, "mark": mark, "encoding": encoding})
    shown = values[:: max(1, len(values) // 20)]
    rows = [[each["x"], each["y"]] for each in shown]
    spec = _spec(values, height=230, layer=layers)
    return Chart(spec=spec, label=label, columns=[across, up], rows=rows, note=note)


def line(points: Sequence[Sequence[float]], *, label: str, across: str, up: str) -> Chart:
    """A line through points of any range, as a card gives them."""
    values = [{"x": point[0], "y": point[1]} for point in points if len(point) == 2]
    axis = {"tickCount": 5}
    encoding = {
        "x": {"field": "x", "type": "quantitative", "title": across or "x", "scale": {"zero": False}, "axis": axis},
        "y": {"field": "y", "type": "quantitative", "title": up or "y", "scale": {"zero": False}, "axis": axis},
        "order": {"field": "place", "type": "quantitative"},
        "tooltip": [{"field": "x", "format": ".4~g"}, {"field": "y", "format": ".4~g"}],
    }
    for place, each in enumerate(values):
        each["place"] = place
    spec = _spec(values, height=190, mark={"type": "line", "point": len(values) <= 20}, encoding=encoding)
    shown = values[:: max(1, len(values) // 20)]
    return Chart(
        spec=spec, label=label, columns=[across or "x", up or "y"], rows=[[each["x"], each["y"]] for each in shown]
    )
