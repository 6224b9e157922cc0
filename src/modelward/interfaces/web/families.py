"""All pages, gathered from their families."""

from modelward.interfaces.web import (
    alerts,
    audit,
    card_controls,
    card_edit,
    card_evidence,
    card_files,
    card_new,
    card_packs,
    card_status,
    card_talk,
    card_versions,
    cards,
    endpoints,
    evaluations,
    keys,
    models,
    monitors,
    overview,
    people,
    reviews,
    sign_in,
    webhooks,
)
from modelward.interfaces.web.views import View, Views

FAMILIES: list[Views] = [
    sign_in.views,
    overview.views,
    models.views,
    cards.views,
    card_new.views,
    card_edit.views,
    card_status.views,
    card_versions.views,
    card_evidence.views,
    card_controls.views,
    card_packs.views,
    card_talk.views,
    card_files.views,
    reviews.views,
    evaluations.views,
    endpoints.views,
    monitors.views,
    alerts.views,
    audit.views,
    people.views,
    keys.views,
    webhooks.views,
]


def all_views() -> list[View]:
    """Every page there is."""
    return [view for family in FAMILIES for view in family.all]
