"""From a template and values to HTML: everything is escaped, and times, numbers and outcomes read the same everywhere."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
import msgspec

from modelward.governance.access.permissions import Permission
from modelward.interfaces.web import words
from modelward.interfaces.web.assets import Assets
from modelward.interfaces.web.views import Shown
from modelward.kernel.actors import Actor

UNREAD_SHOWN_MAX = 99
FOLDER = Path(__file__).parent / "templates"


class Place(msgspec.Struct, frozen=True):
    """An entry of the navigation: its name, address, and who may go there; ``covers`` are the paths below it."""

    name: str
    path: str
    permission: Permission
    icon: str
    covers: tuple[str, ...] = ()


PLACES = [
    Place("Overview", "/", Permission.MODEL_READ, "overview"),
    Place("Models", "/models", Permission.MODEL_READ, "model", ("/models", "/versions", "/evaluations")),
    Place("Cards", "/cards", Permission.CARD_READ, "card", ("/cards", "/new-card", "/comments", "/card-packs")),
    Place("Reviews", "/reviews", Permission.REVIEW_READ, "review", ("/reviews",)),
    Place("Endpoints", "/endpoints", Permission.ENDPOINT_READ, "endpoint", ("/endpoints", "/monitors", "/runs")),
    Place("Alerts", "/alerts", Permission.ALERT_READ, "alert", ("/alerts",)),
    Place("Audit", "/audit", Permission.AUDIT_READ, "audit", ("/audit",)),
    Place("Inbox", "/inbox", Permission.SELF_READ, "inbox", ("/inbox",)),
    Place("Webhooks", "/webhooks", Permission.WEBHOOK_MANAGE, "webhook", ("/webhooks",)),
    Place("People", "/people", Permission.ACCESS_MANAGE, "people", ("/people",)),
]


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """For whom a page is drawn, and when."""

    actor: Actor
    path: str
    now: datetime
    form_token: str
    unread: int = 0

    @property
    def unread_shown(self) -> str:
        """How many notices are unread, in few letters."""
        return str(self.unread) if self.unread <= UNREAD_SHOWN_MAX else f"{UNREAD_SHOWN_MAX}+"

    def may(self, permission: str) -> bool:
        """Whether the visitor has a permission."""
        return permission in self.actor.permissions

    def places(self) -> list[tuple[Place, bool]]:
        """Where the visitor may go, and whether the page is there."""
        return [(place, self._is_at(place)) for place in PLACES if place.permission in self.actor.permissions]

    def _is_at(self, place: Place) -> bool:
        return self.path == place.path or any(
            self.path == root or self.path.startswith(root + "/") for root in place.covers
        )


class Renderer:
    """Draws pages."""

    def __init__(self, assets: Assets, *, version: str) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(asset=assets.url, product_version=version, words=words)
        filters: dict[str, Callable[..., Any]] = {name: getattr(words, name) for name in words.FILTERS}
        self._environment.filters.update(filters)

    def render(self, shown: Shown, visitor: Visitor) -> bytes:
        """Draw one page."""
        template = self._environment.get_template(shown.template)
        return template.render(**shown.values, visitor=visitor, now=visitor.now, status=shown.status).encode()
