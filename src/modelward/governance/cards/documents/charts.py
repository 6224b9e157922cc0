"""The charts of a card as Vega-Lite descriptions: one for the page, the PDF and the HTML. Pure; no colours here."""

from typing import Any

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
BARS_MAX = 60
POINTS_MAX = 2000
LABEL_CHARACTERS_MAX = 63


# A metric of this name beside a bar chart says what its bars should keep: one number for all, or one for each bar.
LIMIT = " - limit"
BIAS = ("pre_training_bias_metrics", "post_training_bias_metrics")
BARS_LEAST = 2


def with_limits(metrics: list[dict[str, Any]]) -> list[tuple[dict[str, Any], list[float]]]:
    """The metrics of a group, each bar chart with the limits of its bars (none: empty), which are drawn in it."""
    kinds = {each.get("name"): each for each in metrics if each.get("type") == "bar_chart"}
    found: dict[str, list[float]] = {}
    taken: list[dict[str, Any]] = []
    for each in metrics:
        name = str(each.get("name", ""))
        chart = kinds.get(name.removesuffix(LIMIT)) if name.endswith(LIMIT) else None
        if chart is None or not isinstance(chart.get("value"), list):
            continue
        value, count = each.get("value"), len(chart["value"])
        if each.get("type") == "number" and isinstance(value, int | float):
            found[str(chart["name"])] = [value] * count
        elif each.get("type") == "bar_chart" and isinstance(value, list) and len(value) == count:
            found[str(chart["name"])] = value
            taken.append(each)
    return [
        (each, found.get(str(each.get("name", "")), [])) for each in metrics if not any(each is one for one in taken)
    ]


def drawn_besides(group: dict[str, Any]) -> dict[str, Any] | None:
    """A bar chart of the numbers of a group that tells of bias, which is kept as other tools keep it: without one."""
    if not str(group.get("name", "")).startswith(BIAS):
        return None
    told = [each for each in group["metric_data"] if each.get("type") == "number"]
    if len(told) < BARS_LEAST or any(each.get("type") == "bar_chart" for each in group["metric_data"]):
        return None
    labels, values = [str(each["name"]) for each in told], [each["value"] for each in told]
    return {"name": "Bias metrics", "type": "bar_chart", "value": values, "x_axis_name": labels}


def spec_of(metric: dict[str, Any], limits: list[float] | None = None) -> dict[str, Any] | None:
    """The description of the chart that a metric of a card asks for; None where it is a plain value.

    ``limits`` are what the bars of a bar chart should keep, one for each.
    """
    if limits and metric.get("type") == "bar_chart":
        return {"$schema": SCHEMA, "title": str(metric.get("name", "")), **_bars_with_limits(metric, limits)}
    draw = {"bar_chart": _bars, "linear_graph": _line, "matrix": _matrix}.get(metric.get("type", ""))
    if draw is None or not isinstance(metric.get("value"), list):
        return None
    return {"$schema": SCHEMA, "title": str(metric.get("name", "")), **draw(metric)}


def words_for(metric: dict[str, Any], limits: list[float] | None = None) -> str:
    """What a chart shows, for who cannot see it."""
    value, name = metric["value"], metric["name"]
    if metric["type"] == "bar_chart":
        labels = _labels(metric.get("x_axis_name"), len(value))
        kept = [f" (limit {each:.4g})" for each in limits] if limits else [""] * len(value)
        told = list(zip(labels, value, kept, strict=True))
        shown = "; ".join(f"{label} {each:.4g}{limit}" for label, each, limit in told[:12])
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


def _bars_with_limits(metric: dict[str, Any], limits: list[float]) -> dict[str, Any]:
    drawn = _bars(metric)
    values = [{**each, "limit": limit} for each, limit in zip(drawn["data"]["values"], limits, strict=False)]
    mark = {"type": "tick", "thickness": 2, "opacity": 1}
    limit = {"field": "limit", "type": "quantitative"}
    layers = [
        {"mark": drawn["mark"], "encoding": {"x": drawn["encoding"]["x"]}},
        {"mark": mark, "encoding": {"x": limit}},
    ]
    told = f"{drawn['description']} The upright marks are the limits.".strip()
    return {
        "data": {"values": values},
        "encoding": {"y": drawn["encoding"]["y"]},
        "layer": layers,
        "description": told,
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
