"""Several facets in one pass, and their crossings: who is at a disadvantage may be seen in no facet alone."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from modelward.analysis.bias.groups import SMALL
from modelward.analysis.bias.report import (
    GROUP_ROWS_MIN,
    BiasReport,
    Facet,
    Question,
    named_groups,
    report_of,
)
from modelward.analysis.sources import Source
from modelward.analysis.tallies import Coder, Tally, tallies
from modelward.kernel.errors import Invalid

FACETS_MAX = 20
CROSSED_GROUPS_MAX = 1_000


def bias_reports(
    source: Source,
    *,
    facets: Sequence[str | Facet],
    label: str,
    prediction: str | None = None,
    favourable: object = None,
    group: str | None = None,
    prediction_threshold: float | None = None,
    intersections: bool = False,
    group_rows_min: int = GROUP_ROWS_MIN,
    seed: int = 0,
) -> tuple[BiasReport, ...]:
    """Bias reports of several facets from one pass over the table, in the order of the facets.

    With ``intersections`` a last report follows, of the crossings of all facets (a facet with a threshold has two sides,
    one with values those and the rest): each crossing in turn against everyone else. Crossings with fewer than
    ``group_rows_min`` rows are pooled into one group. Of the rest, see ``bias_report``.

    Raises:
        NotFound, Invalid: as ``bias_report``; or no facet, too many of them, or more than 1,000 crossings.
    """
    chosen = [Facet(column=one) if isinstance(one, str) else one for one in facets]
    if not chosen or len(chosen) > FACETS_MAX:
        raise Invalid(f"{len(chosen)} facets are named; from 1 to {FACETS_MAX} can be.", field="facets")
    question = Question(
        label=label,
        prediction=prediction,
        favourable=favourable,
        group=group,
        prediction_threshold=prediction_threshold,
        group_rows_min=group_rows_min,
        seed=seed,
    )
    shared, coders = question.coders(), [one.coder() for one in chosen]
    questions = [[coder, *shared] for coder in coders]
    if intersections:
        if len(chosen) < 2:
            raise Invalid("Crossings need at least two facets.", field="intersections")
        questions.append([*coders, *shared])
    counted = tallies(source, questions)
    reports = [
        report_of(
            counts,
            question,
            one.column,
            named_groups(counts.coders[0], one.column, one.value),
            turned=one.value is None and one.threshold is None,
        )
        for counts, one in zip(counted, chosen, strict=False)
    ]
    if intersections:
        reports.append(_crossed(counted[-1], question, chosen))
    return tuple(reports)


def _crossed(counts: Tally, question: Question, facets: list[Facet]) -> BiasReport:
    sides = [_sides(coder, one) for coder, one in zip(counts.coders, facets, strict=False)]
    many = int(np.prod([float(len(names)) for names, _ in sides]))
    if many > CROSSED_GROUPS_MAX:
        raise Invalid(
            f"The facets have {many} crossings; at most {CROSSED_GROUPS_MAX} can be compared.",
            field="facets",
            hint="Give thresholds or values, or cross fewer facets.",
        )
    table = counts.counts
    for axis, (_, masks) in enumerate(sides):
        # One facet after the other: its values are folded to its sides.
        table = np.stack([table.compress(mask, axis=axis).sum(axis=axis) for mask in masks], axis=axis)
    table = table.reshape(many, *table.shape[len(facets) :])
    names = [" & ".join(cell) for cell in itertools.product(*(names for names, _ in sides))]
    rows = table.sum(axis=tuple(range(1, table.ndim)))
    crossing = " & ".join(one.column for one in facets)
    flat = Tally([Coder(crossing), *counts.coders[len(facets) :]], table, counts.rows, counts.incomplete)
    every = np.arange(many)
    groups: list[tuple[str, Any]] = [
        (name, every == place) for place, name in enumerate(names) if rows[place] >= question.group_rows_min
    ]
    small = (rows > 0) & (rows < question.group_rows_min)
    if small.any():
        alone = names[int(small.argmax())]
        groups.append((alone if small.sum() == 1 else f"{SMALL} ({int(small.sum())})", small))
    return report_of(flat, question, crossing, groups, turned=True)


def _sides(coder: Coder, facet: Facet) -> tuple[list[str], list[Any]]:
    """The names of a facet's groups and which of its values each holds; together they hold all."""
    groups = named_groups(coder, facet.column, facet.value)
    names, masks = [f"{facet.column} {name}" for name, _ in groups], [mask for _, mask in groups]
    rest = ~np.logical_or.reduce(masks) if masks else np.zeros(0, bool)
    if rest.any():
        names.append(
            f"{facet.column} the rest" if facet.threshold is None else f"{facet.column} up to {facet.threshold:g}"
        )
        masks.append(rest)
    return names, masks
