"""Draws the charts of a card as SVG from their Vega-Lite descriptions: vectors, no scripts, the same bytes each time.

It knows the forms that ``charts`` writes (bars, with limits or without, a line, a matrix), not Vega-Lite at large.
"""

import math
import re
from collections.abc import Callable
from html import escape, unescape
from typing import Any

ACCENT, INK, QUIET, LINE = "#0b615a", "#16211f", "#4a5a57", "#d5dedc"
NEGATIVE = "#a3402a"
FONT = "Libertinus Serif, Georgia, serif"
WIDTH = 480.0
LABEL_WIDTH = 150.0
LABEL_SHOWN_MAX = 28
BAR_STEP = 18.0
TICKS = 5
SIZE = 10.0
CELL_WIDTH_MAX = 90.0
_SHOWN = re.compile(r">([^<>]*)</text>")


def svg_of(spec: dict[str, Any], *, show: Callable[[str], str] = str) -> str:
    """Draw a description that ``charts.spec_of`` made; its texts pass through ``show``."""
    values = spec["data"]["values"]
    mark = spec.get("mark", {})
    if "layer" in spec and spec["layer"][0]["mark"] == "rect":
        height, body = _matrix(values, spec["encoding"])
    elif "layer" in spec:
        height, body = _bars(values, spec["layer"][0]["encoding"]["x"]["title"])
    elif mark["type"] == "bar":
        height, body = _bars(values, spec["encoding"]["x"]["title"])
    else:
        encoding = spec["encoding"]
        height, body = _line(values, encoding["x"]["title"], encoding["y"]["title"], points=bool(mark.get("point")))
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" width="{WIDTH:g}" '
        f'height="{height:g}" font-family="{FONT}" font-size="{SIZE:g}">{"".join(body)}</svg>'
    )
    # At the end, since labels that show alike must still be told apart while they are placed.
    return _SHOWN.sub(lambda one: f">{escape(show(unescape(one[1])))}</text>", drawn)


def _bars(values: list[dict[str, Any]], title: str | None) -> tuple[float, list[str]]:
    numbers = [_number(each["value"]) for each in values]
    limits = [_number(each["limit"]) for each in values if "limit" in each]
    low, high, ticks = _scale([0.0, *numbers, *limits])
    top, left, right = 6.0, LABEL_WIDTH + 8, WIDTH - 52
    bottom = top + BAR_STEP * len(values)

    def across(value: float) -> float:
        return left + _share(value, low, high) * (right - left)

    body = []
    for tick in ticks:
        body.append(_stroke(across(tick), top, across(tick), bottom, LINE))
        body.append(_text(across(tick), bottom + 13, _figure(tick), anchor="middle", colour=QUIET))
    zero = across(min(max(0.0, low), high))
    for place, (each, number) in enumerate(zip(values, numbers, strict=True)):
        y, end = top + place * BAR_STEP + 3, across(number)
        colour = ACCENT if number >= 0 else NEGATIVE
        body.append(
            f'<rect x="{min(zero, end):.1f}" y="{y:.1f}" width="{max(abs(end - zero), 0.6):.1f}" '
            f'height="{BAR_STEP - 6:.1f}" fill="{colour}"/>'
        )
        body.append(_text(LABEL_WIDTH, y + 9.5, _cut(each["name"]), anchor="end"))
        past = max(end, zero, across(_number(each["limit"])) if "limit" in each else zero)
        body.append(_text(past + 4, y + 9.5, _figure(number), colour=QUIET))
        if "limit" in each:
            x = across(_number(each["limit"]))
            body.append(_stroke(x, y - 2, x, y + BAR_STEP - 4, NEGATIVE, width=1.6))
    body.append(_stroke(zero, top, zero, bottom, QUIET))
    height = bottom + 20
    if title:
        body.append(_text((left + right) / 2, height + 8, _cut(title, 60), anchor="middle", colour=QUIET))
        height += 16
    return height, body


def _line(
    values: list[dict[str, Any]], across_title: str | None, up_title: str | None, *, points: bool
) -> tuple[float, list[str]]:
    xs, ys = [_number(each["x"]) for each in values], [_number(each["y"]) for each in values]
    (x_low, x_high, x_ticks), (y_low, y_high, y_ticks) = _scale(xs), _scale(ys)
    left, right, top = 56.0, WIDTH - 16, 22.0 if up_title else 8.0
    bottom = top + 165

    def place(x: float, y: float) -> tuple[float, float]:
        return left + _share(x, x_low, x_high) * (right - left), bottom - _share(y, y_low, y_high) * (bottom - top)

    body = []
    for tick in y_ticks:
        _, y = place(x_low, tick)
        body.append(_stroke(left, y, right, y, LINE))
        body.append(_text(left - 6, y + 3.5, _figure(tick), anchor="end", colour=QUIET))
    for tick in x_ticks:
        x, _ = place(tick, y_low)
        body.append(_stroke(x, bottom, x, bottom + 4, QUIET))
        body.append(_text(x, bottom + 15, _figure(tick), anchor="middle", colour=QUIET))
    body.append(_stroke(left, bottom, right, bottom, QUIET))
    corners = [place(x, y) for x, y in zip(xs, ys, strict=True)]
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    body.append(f'<polyline points="{drawn}" fill="none" stroke="{ACCENT}" stroke-width="1.6"/>')
    if points:
        body += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.4" fill="{ACCENT}"/>' for x, y in corners]
    if up_title:
        body.append(_text(left - 40, 12, _cut(up_title, 60), colour=QUIET))
    height = bottom + 22
    if across_title:
        body.append(_text((left + right) / 2, height + 8, _cut(across_title, 60), anchor="middle", colour=QUIET))
        height += 16
    return height, body


def _matrix(values: list[dict[str, Any]], encoding: dict[str, Any]) -> tuple[float, list[str]]:
    columns, rows = encoding["x"]["sort"], encoding["y"]["sort"]
    left, top = 96.0, 24.0
    wide = min(CELL_WIDTH_MAX, (WIDTH - left - 4) / len(columns))
    high = 26.0 if wide >= 34 else 20.0
    small = SIZE if wide >= 34 else max(5.0, wide / 3.4)
    numbers = [_number(each["value"]) for each in values]
    least, most = min(numbers), max(numbers)
    place_x = {name: place for place, name in enumerate(columns)}
    place_y = {name: place for place, name in enumerate(rows)}
    fits = max(3, int(wide / (small * 0.5)))
    body = [
        _text(left + (place + 0.5) * wide, top - 7, _cut(name, fits), anchor="middle", colour=QUIET, size=small)
        for name, place in place_x.items()
    ]
    body += [
        _text(left - 7, top + (place + 0.5) * high + 3.5, _cut(name, 16), anchor="end", colour=QUIET)
        for name, place in place_y.items()
    ]
    for each, number in zip(values, numbers, strict=True):
        x, y = left + place_x[each["across"]] * wide, top + place_y[each["down"]] * high
        share = _share(number, least, most) if most > least else 0.0
        body.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" fill="{_shade(share)}" '
            f'stroke="#ffffff" stroke-width="1"/>'
        )
        ink = "#ffffff" if share > 0.5 else INK
        shown = _cut(_figure(number), fits)
        body.append(_text(x + wide / 2, y + high / 2 + 3.5, shown, anchor="middle", colour=ink, size=small))
    return top + high * len(rows) + 6, body


def _shade(share: float) -> str:
    low, high = (0xE8, 0xF1, 0xEF), (0x0B, 0x61, 0x5A)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(low, high, strict=True))


def _scale(numbers: list[float]) -> tuple[float, float, list[float]]:
    """The lowest and highest value of an axis, on round steps of 1, 2 or 5, and those steps."""
    low, high = min(numbers), max(numbers)
    if high - low <= abs(high) * 1e-9:
        pad = abs(high) * 0.1 or 1.0
        low, high = low - pad, high + pad
    raw = high / TICKS - low / TICKS
    if not 1e-290 < raw < 1e290:
        return low, high, [low, high]
    size = 10.0 ** math.floor(math.log10(raw))
    step = next((size * each for each in (1, 2, 5, 10) if size * each >= raw), size * 10)
    first, last = math.floor(low / step), math.ceil(high / step)
    ticks = [place * step for place in range(first, last + 1)]
    return ticks[0], ticks[-1], ticks


def _share(value: float, low: float, high: float) -> float:
    # Halved first: the distance between two huge numbers may be more than a float holds.
    span = high / 2 - low / 2
    return min(1.0, max(0.0, (value / 2 - low / 2) / span)) if span else 0.0


def _number(value: Any) -> float:
    try:
        found = float(value)
    except OverflowError:
        found = math.copysign(1e300, value)
    return min(max(found, -1e300), 1e300)


def _figure(value: float) -> str:
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}"
    return f"{value:.4g}"


def _cut(text: str, most: int = LABEL_SHOWN_MAX) -> str:
    text = " ".join(str(text).split())
    return text if len(text) <= most else text[: max(1, most - 1)] + "…"


def _stroke(x1: float, y1: float, x2: float, y2: float, colour: str, *, width: float = 0.7) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width:g}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", colour: str = INK, size: float = SIZE) -> str:
    sized = f' font-size="{size:g}"' if size != SIZE else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{sized}>{escape(text)}</text>'
