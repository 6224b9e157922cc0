"""The charts of a card as Vega-Lite descriptions: one for the page, the PDF and the HTML. Pure; no colours here."""

from typing import Any

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
BARS_MAX = 60
POINTS_MAX = 2000
LABEL_CHARACTERS_MAX = 63


def spec_of(metric: dict[str, Any]) -> dict[str, Any] | None:
    """The description of the chart that a metric of a card asks for; None where it is a plain value."""
    draw = {"bar_chart": _bars, "linear_graph": _line, "matrix": _matrix}.get(metric.get("type", ""))
    if draw is None or not isinstance(metric.get("value"), list):
        return None
    return {"$schema": SCHEMA, "title": str(metric.get("name", "")), **draw(metric)}


def words_for(metric: dict[str, Any]) -> str:
    """What a chart shows, for who cannot see it."""
    value, name = metric["value"], metric["name"]
    if metric["type"] == "bar_chart":
        labels = _labels(metric.get("x_axis_name"), len(value))
        shown = "; ".join(f"{label} {each:.4g}" for label, each in list(zip(labels, value, strict=True))[:12])
        more = f"; and {len(value) - 12} more" if len(value) > 12 else ""
        return f"Bar chart of {name}: {shown}{more}."
    if metric["type"] == "linear_graph":
        first, last = value[0], value[-1]
        return (
            f"Line graph of {name}, {len(value)} points from ({first[0]:.4g}, {first[1]:.4g}) "
            f"to ({last[0]:.4g}, {last[1]:.4g})."
        )
    rows = "; ".join(" ".join(f"{each:.4g}" for each in row) for row in value[:8])
    return f"Matrix of {name}, {len(value)} rows: {rows}."


def _bars(metric: dict[str, Any]) -> dict[str, Any]:
    numbers = metric["value"]
    labels = _labels(metric.get("x_axis_name"), len(numbers))
    values = [{"name": label, "value": each} for label, each in zip(labels, numbers, strict=True)][:BARS_MAX]
    cut = len(numbers) - len(values)
    return {
        "data": {"values": values},
        "mark": {"type": "bar"},
        "encoding": {
            "y": {"field": "name", "type": "nominal", "title": None, "sort": [each["name"] for each in values]},
            "x": {"field": "value", "type": "quantitative", "title": _title(metric.get("y_axis_name"))},
        },
        "description": f"The first {len(values)} of {len(numbers)} bars." if cut else "",
    }


def _line(metric: dict[str, Any]) -> dict[str, Any]:
    points = metric["value"]
    step = -(-len(points) // POINTS_MAX)
    kept = points[::step]
    return {
        "data": {"values": [{"x": each[0], "y": each[1], "place": n} for n, each in enumerate(kept)]},
        "mark": {"type": "line", "point": len(kept) <= 20},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "title": _title(metric.get("x_axis_name"))},
            "y": {"field": "y", "type": "quantitative", "title": _title(metric.get("y_axis_name"))},
            # As the card lists them: a curve may turn back.
            "order": {"field": "place", "type": "quantitative"},
        },
        "description": f"Every {step}th of {len(points)} points." if step > 1 else "",
    }


def _matrix(metric: dict[str, Any]) -> dict[str, Any]:
    rows = metric["value"]
    across = _labels(metric.get("x_axis_name"), max(len(row) for row in rows))
    down = _labels(metric.get("y_axis_name"), len(rows))
    values = [
        {"down": down[y], "across": across[x], "value": each}
        for y, row in enumerate(rows)
        for x, each in enumerate(row)
    ]
    place = {
        "x": {"field": "across", "type": "nominal", "title": None, "sort": across},
        "y": {"field": "down", "type": "nominal", "title": None, "sort": down},
    }
    return {
        "data": {"values": values},
        "encoding": place,
        "layer": [
            {"mark": "rect", "encoding": {"color": {"field": "value", "type": "quantitative", "legend": None}}},
            {"mark": "text", "encoding": {"text": {"field": "value", "type": "quantitative", "format": ",.6~g"}}},
        ],
        "description": "",
    }


def _title(name: Any) -> str | None:
    return name if isinstance(name, str) and name else None


def _labels(names: Any, count: int) -> list[str]:
    """A label for each place, no two the same: those that lack a name or share one get their number."""
    given = [str(each)[:LABEL_CHARACTERS_MAX] for each in names[:count]] if isinstance(names, list) else []
    labels: list[str] = []
    seen: set[str] = set()
    for place in range(count):
        label = given[place] if place < len(given) and given[place] else str(place + 1)
        if label in seen:
            label = f"{label} ({place + 1})"
        while label in seen:
            label += "'"
        seen.add(label)
        labels.append(label)
    return labels
