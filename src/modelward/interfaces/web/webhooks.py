"""Webhooks for administrators: add, change, test, remove, and see what was delivered."""

from typing import Any

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.webhooks import use_cases
from modelward.governance.webhooks.entities import DeliveryRef, DeliveryState, WebhookRef
from modelward.interfaces.web.views import Redirect, Shown, Views, show
from modelward.kernel.errors import ModelwardError
from modelward.kernel.pages import PageRequest
from modelward.storage.work import Work

views = Views()
DELIVERIES_ON_A_PAGE = 25


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries, and what was just done."""

    state: DeliveryState | None = None
    cursor: str | None = None
    done: str = ""


@views.page("GET", "/webhooks", permission=Permission.WEBHOOK_MANAGE)
def list_webhooks(work: Work, query: Listed) -> Shown:
    """All webhooks, and the form for one more."""
    return _webhooks(work, done=query.done, form={}, problem=None)


def webhooks_again(work: Work, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The same with the refusal."""
    return _webhooks(work, done="", form=form, problem=problem)


def _webhooks(work: Work, *, done: str, form: dict[str, str], problem: ModelwardError | None) -> Shown:
    return show(
        "webhooks.html",
        webhooks=use_cases.list_webhooks(work),
        events=use_cases.known_events(work),
        chosen=_chosen(form),
        form=form,
        done=done,
        problem=problem,
    )


def _chosen(form: dict[str, str]) -> list[str]:
    return [name.removeprefix("event.") for name in form if name.startswith("event.")]


@views.page("POST", "/webhooks", permission=Permission.WEBHOOK_MANAGE, again=webhooks_again)
def add_webhook(work: Work, form: dict[str, str]) -> Shown:
    """Add a webhook and show its secret, this once."""
    made = use_cases.add_webhook(
        work, name=form.get("name", "").strip(), url=form.get("url", "").strip(), events=_chosen(form)
    )
    return _webhook(work, made.webhook.name, secret=made.secret)


@views.page("GET", "/webhooks/{webhook}", permission=Permission.WEBHOOK_MANAGE)
def show_webhook(work: Work, webhook: WebhookRef, query: Listed) -> Shown:
    """A webhook with its deliveries."""
    return _webhook(work, webhook, query=query)


def webhook_again(work: Work, webhook: WebhookRef, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The webhook with the refusal of what was asked."""
    return _webhook(work, webhook, form=form, problem=problem)


def _webhook(
    work: Work,
    webhook: WebhookRef,
    *,
    query: Listed | None = None,
    secret: str = "",
    form: dict[str, str] | None = None,
    problem: ModelwardError | None = None,
) -> Shown:
    query = query or Listed()
    found = use_cases.get_webhook(work, webhook)
    page = PageRequest(limit=DELIVERIES_ON_A_PAGE, cursor=query.cursor)
    values: dict[str, Any] = {
        "webhook": found,
        "page": use_cases.list_deliveries(work, webhook, page=page, state=query.state),
        "events": use_cases.known_events(work),
        "chosen": _chosen(form) if form else found.events,
        "url": (form or {}).get("url", found.url),
        "states": list(DeliveryState),
    }
    return show("webhook.html", **values, query=query, secret=secret, done=query.done, problem=problem)


@views.page("POST", "/webhooks/{webhook}", permission=Permission.WEBHOOK_MANAGE, again=webhook_again)
def change_webhook(work: Work, webhook: WebhookRef, form: dict[str, str]) -> Redirect:
    """Change the address or the events of a webhook."""
    use_cases.change_webhook(work, webhook, url=form.get("url", "").strip(), events=_chosen(form))
    return Redirect(to=f"/webhooks/{webhook}?done=webhook")


@views.page("POST", "/webhooks/{webhook}/switch", permission=Permission.WEBHOOK_MANAGE, again=webhook_again)
def switch_webhook(work: Work, webhook: WebhookRef, form: dict[str, str]) -> Redirect:
    """Switch a webhook off or on."""
    use_cases.change_webhook(work, webhook, enabled=form.get("to") == "on")
    return Redirect(to=f"/webhooks/{webhook}?done=webhook")


@views.page("POST", "/webhooks/{webhook}/secret", permission=Permission.WEBHOOK_MANAGE, again=webhook_again)
def renew_secret(work: Work, webhook: WebhookRef, form: dict[str, str]) -> Shown:
    """Make a new secret and show it, this once."""
    return _webhook(work, webhook, secret=use_cases.renew_secret(work, webhook).secret)


@views.page("POST", "/webhooks/{webhook}/test", permission=Permission.WEBHOOK_MANAGE, again=webhook_again)
def test_webhook(work: Work, webhook: WebhookRef, form: dict[str, str]) -> Redirect:
    """Send a test."""
    use_cases.test_webhook(work, webhook)
    return Redirect(to=f"/webhooks/{webhook}?done=tested")


@views.page("POST", "/webhooks/{webhook}/remove", permission=Permission.WEBHOOK_MANAGE, again=webhook_again)
def remove_webhook(work: Work, webhook: WebhookRef, form: dict[str, str]) -> Redirect:
    """Remove a webhook; its name is not used again."""
    use_cases.remove_webhook(work, webhook)
    return Redirect(to="/webhooks?done=webhook-gone")


@views.page("POST", "/webhooks/{webhook}/deliveries/{delivery}", permission=Permission.WEBHOOK_MANAGE, again=None)
def deliver_again(work: Work, webhook: WebhookRef, delivery: DeliveryRef) -> Redirect:
    """Have a delivery sent once more."""
    use_cases.redeliver(work, delivery)
    return Redirect(to=f"/webhooks/{webhook}?done=again")
