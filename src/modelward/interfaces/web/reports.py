"""How the kept report of an evaluation reads on a page: the parts that are shown, and charts of them. Pure."""

import msgspec

from modelward.interfaces.web import charts
from modelward.interfaces.web.charts import Chart as Chart


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its interval, and where there is one its judgement."""

    name: str = ""
    title: str = ""
    value: float | None = None
    infinite: int = 0
    low: float | None = None
    high: float | None = None
    tolerance: tuple[float, float] | None = None
    tolerance_source: str = ""
    outcome: str | None = None
    reason: str = ""
    sentence: str = ""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One group against everyone else."""

    group: str
    group_rows: int = 0
    rest_rows: int = 0
    label_share_group: float | None = None
    label_share_rest: float | None = None
    predicted_share_group: float | None = None
    predicted_share_rest: float | None = None
    metrics: list[Measure] = []


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A judged measure in a sentence."""

    outcome: str
    sentence: str
    group: str = ""


class Confusion(msgspec.Struct, frozen=True, kw_only=True):
    """Rows by label and prediction."""

    classes: list[str] = []
    counts: list[list[int]] = []


class Tenth(msgspec.Struct, frozen=True, kw_only=True):
    """A tenth of the probability: what was predicted and what was observed."""

    rows: int = 0
    predicted: float | None = None
    observed: float | None = None


class Curves(msgspec.Struct, frozen=True, kw_only=True):
    """Curves of a classifier with probabilities."""

    roc: list[list[float | None]] = []
    calibration: list[Tenth] = []


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One report inside the file: of quality, or of one facet of bias."""

    rows: int = 0
    incomplete: int = 0
    notes: list[str] = []
    facet: str = ""
    outcome: str = ""
    reason: str = ""
    favourable: list[str] = []
    comparisons: list[Comparison] = []
    findings: list[Finding] = []
    unchecked: list[list[str]] = []
    metrics: dict[str, Measure] = {}
    confusion: Confusion | None = None
    curves: Curves | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The kept report of an evaluation."""

    outcome: str
    reason: str
    reports: list[Part]


def read(kept: bytes) -> Report:
    """Read a kept report; fields that are not shown are passed over."""
    return msgspec.json.decode(kept, type=Report)


def group_rates(part: Part) -> Chart | None:
    """The favourable share of each group as labelled and as predicted."""
    fields = (("As labelled", "label_share_group"), ("As predicted", "predicted_share_group"))
    series = {}
    for title, field in fields:
        pairs = [(one.group, getattr(one, field)) for one in part.comparisons if getattr(one, field) is not None]
        if pairs:
            series[title] = pairs
    if not series:
        return None
    return charts.grouped_bars(series, label=f"Favourable share by {part.facet}", of="favourable share")


def roc(part: Part) -> Chart | None:
    """The receiver operating characteristic of a classifier."""
    points = [[x, y] for x, y, *_ in (part.curves.roc if part.curves else []) if x is not None and y is not None]
    if not points:
        return None
    label = "Recall against false positive rate (ROC curve)"
    return charts.curve(points, label=label, across="false positive rate", up="recall", diagonal=True)


def calibration(part: Part) -> Chart | None:
    """Predicted probability against the observed share."""
    tenths = part.curves.calibration if part.curves else []
    points = [
        [each.predicted, each.observed] for each in tenths if each.predicted is not None and each.observed is not None
    ]
    if not points:
        return None
    label = "Predicted probability against observed share, by tenths"
    return charts.curve(points, label=label, across="predicted probability", up="observed share", diagonal=True)
