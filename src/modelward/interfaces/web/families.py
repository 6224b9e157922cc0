"""All pages, gathered from their families."""

from modelward.interfaces.web import (
    alerts,
    audit,
    cards,
    endpoints,
    evaluations,
    models,
    monitors,
    overview,
    people,
    reviews,
    sign_in,
)
from modelward.interfaces.web.views import View, Views

FAMILIES: list[Views] = [
    sign_in.views,
    overview.views,
    models.views,
    cards.views,
    reviews.views,
    evaluations.views,
    endpoints.views,
    monitors.views,
    alerts.views,
    audit.views,
    people.views,
]


def all_views() -> list[View]:
    """Every page there is."""
    return [view for family in FAMILIES for view in family.all]
