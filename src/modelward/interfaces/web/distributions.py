"""Pictures of a column then and now: the cells of ``analysis.pictures`` as bars of an SVG, and in words. Pure."""

import math

import msgspec

from modelward.analysis.pictures import Picture, picture
from modelward.analysis.profiles import Profile

CELLS = 24
TEXTS_SHOWN = 6
WIDTH, HEIGHT = 240.0, 56.0


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One cell of numbers: where it stands, and how high the baseline and the window are, in pixels."""

    x: float
    width: float
    base: float
    now: float


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """One text with its share in the baseline and in the window."""

    name: str
    base: float
    now: float


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """The picture of one column: bars of numbers, or shares of texts; ``words`` says it without a picture."""

    bars: list[Bar] = []
    low: str = ""
    high: str = ""
    texts: list[Text] = []
    words: str = ""


def read(kept: bytes) -> Profile:
    """Read a kept profile."""
    return Profile.from_bytes(kept)


def compare(base: Profile, now: Profile, name: str) -> Distribution | None:
    """The distribution of a column in the baseline and in the window; None where there is nothing to draw."""
    before, after = base.columns.get(name), now.columns.get(name)
    if before is None or after is None or not before.present or not after.present:
        return None
    drawn = picture(after, before, cells=CELLS)
    if drawn is None or not drawn.baseline or not drawn.current:
        return None
    if not drawn.ordered:
        return _texts(drawn)
    told = f"mean {_figure(before.mean)} in the baseline, {_figure(after.mean)} now"
    return _numbers(drawn, words=told, whole=before.whole and after.whole)


def _numbers(drawn: Picture, *, words: str, whole: bool) -> Distribution:
    low, high = drawn.labels[0].split(" to ")[0], drawn.labels[-1].split(" to ")[-1]
    if whole:
        # The cells of whole numbers begin and end half-way between two of them.
        low, high = f"{math.ceil(float(low))}", f"{math.floor(float(high))}"
    step, top = WIDTH / len(drawn.labels), drawn.highest
    return Distribution(
        bars=[
            Bar(
                x=round(place * step, 1),
                width=round(max(1.0, step - 1), 1),
                base=round(base / top * HEIGHT, 1),
                now=round(now / top * HEIGHT, 1),
            )
            for place, (base, now) in enumerate(zip(drawn.baseline, drawn.current, strict=True))
        ],
        low=low,
        high=high,
        words=words,
    )


def _texts(drawn: Picture) -> Distribution:
    cells = [
        Text(name=name, base=base, now=now)
        for name, base, now in zip(drawn.labels, drawn.baseline, drawn.current, strict=True)
    ]
    # The texts that moved most say the most.
    shown = sorted(cells, key=lambda cell: (-abs(cell.now - cell.base), cell.name))[:TEXTS_SHOWN]
    told = "; ".join(f"{each.name!r} {each.base:.0%} in the baseline, {each.now:.0%} now" for each in shown[:3])
    return Distribution(texts=shown, words=told)


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
