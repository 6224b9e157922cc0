"""Models and their versions: what they are, who registered and approved them, where they run, what they came from."""

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.approvals import use_cases as approvals
from modelward.governance.cards import use_cases as cards
from modelward.governance.evaluations import use_cases as evaluations
from modelward.governance.registry import use_cases as registry
from modelward.governance.serving import use_cases as serving
from modelward.interfaces.web import lineage
from modelward.interfaces.web.history import history_of
from modelward.interfaces.web.views import Shown, Views, show
from modelward.kernel.pages import PageRequest
from modelward.kernel.refs import ModelRef, VersionRef
from modelward.storage.work import Work

views = Views()
MODELS_ON_A_PAGE = 50
VERSIONS_ON_A_PAGE = 30


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Which models to list."""

    text: str = ""
    cursor: str | None = None


@views.page("GET", "/models", permission=Permission.MODEL_READ)
def list_models(work: Work, query: Listed) -> Shown:
    """Models in the order of their names, each with its newest version."""
    page = PageRequest(limit=MODELS_ON_A_PAGE, cursor=query.cursor)
    found = registry.list_models(work, page=page, text=query.text.strip())
    newest = {
        model.name: registry.get_version(work, VersionRef.of(model.name, model.versions))
        for model in found.items
        if model.versions
    }
    return show("models.html", models=found.items, newest=newest, query=query, next_cursor=found.next_cursor)


@views.page("GET", "/models/{model}", permission=Permission.MODEL_READ)
def show_model(work: Work, model: ModelRef, query: Listed) -> Shown:
    """A model: its versions, where they run, what came from what, and what happened."""
    found = registry.get_model(work, model)
    page = registry.list_versions(work, model, page=PageRequest(limit=VERSIONS_ON_A_PAGE, cursor=query.cursor))
    refs = [version.ref for version in page.items]
    endpoints = {ref: serving.list_endpoints(work, page=PageRequest(), version=ref).items for ref in refs}
    cards_of = {ref: cards.find_card_of(work, ref) for ref in refs}
    reviews = [each for ref in refs for each in approvals.list_reviews(work, page=PageRequest(), version=ref).items]
    return show(
        "model.html",
        model=found,
        versions=page.items,
        next_cursor=page.next_cursor,
        endpoints=endpoints,
        cards=cards_of,
        reviews={review.version: review for review in reversed(reviews)},
        picture=lineage.picture_of(work, f"version:{refs[0]}") if refs else None,
        history=history_of(
            work, model, *refs, *(card.name for card in cards_of.values() if card), *(each.id for each in reviews)
        ),
    )


@views.page("GET", "/versions/{version}", permission=Permission.MODEL_READ)
def show_version(work: Work, version: VersionRef) -> Shown:
    """A version: its facts, artifact, evaluations, review, card and endpoints."""
    found = registry.get_version(work, version)
    artifact = registry.get_artifact(work, found.artifact) if found.artifact else None
    reviews = approvals.list_reviews(work, page=PageRequest(), version=version).items
    card = cards.find_card_of(work, version)
    made = evaluations.list_evaluations(work, version, page=PageRequest()).items
    endpoints = serving.list_endpoints(work, page=PageRequest(), version=version).items
    return show(
        "version.html",
        version=found,
        model=registry.get_model(work, found.model),
        artifact=artifact,
        reviews=reviews,
        card=card,
        evaluations=made,
        endpoints=endpoints,
        picture=lineage.picture_of(work, f"version:{version}"),
        history=history_of(work, version, *(each.id for each in reviews), *(each.id for each in made)),
    )
