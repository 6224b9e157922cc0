"""Signing in and out, and the page about this installation."""

import msgspec

from modelward.governance.access import use_cases
from modelward.governance.access.permissions import Permission
from modelward.interfaces.http import Open
from modelward.interfaces.web.views import Redirect, Shown, Views, show
from modelward.kernel.errors import ModelwardError
from modelward.storage.work import Work

views = Views()
VENDORED = [("htmx", "0BSD"), ("Pico CSS", "MIT"), ("Vega, Vega-Lite, Vega-Embed", "BSD-3-Clause")]


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """Where to go afterwards, and what to say."""

    next: str = "/"
    done: str = ""


class GivenToken(msgspec.Struct, frozen=True, kw_only=True):
    """The token of one who wants in."""

    token: str = ""
    next: str = "/"


@views.page("GET", "/sign-in", permission=Open("this is where one gets a session"))
def sign_in(work: Work, query: SignIn) -> Shown:
    """The form that takes a token."""
    return show("sign_in.html", next=_local(query.next), done=query.done, problem=None)


def sign_in_again(work: Work, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The form once more, after a token that opened nothing."""
    return show("sign_in.html", next=_local(form.get("next", "/")), done="", problem=problem)


@views.page("POST", "/sign-in", permission=Open("this is where one gets a session"), again=sign_in_again)
def take_token(work: Work, form: GivenToken) -> Redirect:
    """Trade a token for a session."""
    secret, _ = use_cases.sign_in(work, secret=form.token.strip())
    return Redirect(to=_local(form.next), session=secret)


@views.page("POST", "/sign-out", permission=Permission.SELF_READ)
def sign_out(work: Work, secret: str) -> Redirect:
    """End the session."""
    use_cases.sign_out(work, secret=secret)
    return Redirect(to="/sign-in?done=signed-out", session="")


@views.page("GET", "/about", permission=Permission.SELF_READ)
def about(work: Work) -> Shown:
    """What this is and what the visitor may do."""
    return show("about.html", vendored=VENDORED)


def _local(address: str) -> str:
    # Only a path of this server: neither //host nor /\host, which browsers read as another host.
    safe = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if safe and "\\" not in address else "/"
