"""A card as one HTML page that needs nothing else: no scripts, no addresses to load from, charts as inline SVG."""

from functools import cache
from typing import TYPE_CHECKING

from modelward.governance.cards.documents import drawing
from modelward.governance.cards.documents.facts import CardFacts
from modelward.governance.cards.documents.outline import outline
from modelward.governance.cards.documents.telling import (
    days_before,
    identity,
    state_words,
    status_words,
    visible,
    when,
)

if TYPE_CHECKING:
    from jinja2 import Template


def render(facts: CardFacts) -> bytes:
    """Write the page."""
    told = outline(facts.content, facts.origins)
    page = _template().render(
        facts=facts, told=told, identity=identity(facts), status=status_words(facts), as_of=facts.as_of
    )
    return page.encode("utf-8", "replace")


@cache
def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def lines(text: str) -> Markup:
        return Markup("<br>").join(visible(text).split("\n"))

    def svg(spec: dict[str, object], alt: str) -> Markup:
        drawn = drawing.svg_of(spec, show=visible)
        label = Markup.escape(visible(alt))
        return Markup(drawn.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1))

    environment = Environment(
        loader=PackageLoader("modelward.governance.cards.documents"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"lines": lines, "when": when, "days_before": days_before, "state": state_words, "svg": svg}
    return environment.get_template("card.html")
