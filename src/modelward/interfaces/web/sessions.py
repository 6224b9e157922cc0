"""The cookie of a session, and how a form proves that it comes from one of our own pages. No session is kept here."""

import hashlib
import hmac
import secrets
from http.cookies import CookieError, SimpleCookie

from modelward.interfaces.http import Scope, header
from modelward.kernel.errors import NotAllowed

SESSION = "modelward-session"
VISIT = "modelward-visit"
FORM_FIELD = "form_token"


class FormRefused(NotAllowed):
    """This form was not sent from a page of this server, so nothing was done."""


def is_secure(scope: Scope) -> bool:
    """Whether the request came over TLS."""
    return str(scope.get("scheme", "http")) == "https"


def cookie(scope: Scope, name: str) -> str:
    """The value of a cookie of ours, or an empty text."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header(scope, b"cookie"))
    except CookieError:
        return ""
    found = jar.get(_full_name(scope, name))
    return found.value if found else ""


def set_cookie(scope: Scope, name: str, value: str) -> tuple[bytes, bytes]:
    """The header that sets a cookie of ours until the browser closes; an empty value takes it away."""
    parts = [f"{_full_name(scope, name)}={value}", "Path=/", "HttpOnly", "SameSite=Strict"]
    if is_secure(scope):
        parts.append("Secure")
    if not value:
        parts.append("Max-Age=0")
    return b"set-cookie", "; ".join(parts).encode()


def _full_name(scope: Scope, name: str) -> str:
    # The prefix makes browsers refuse the cookie from a neighbouring host, but they know it over TLS only.
    return f"__Host-{name}" if is_secure(scope) else name


def new_visit() -> str:
    """A random secret for one who is not signed in yet, so that the sign-in form is protected too."""
    return secrets.token_urlsafe(24)


def form_token(secret: str) -> str:
    """What every form carries: bound to the session (or visit), and useless without its cookie."""
    return hmac.new(secret.encode(), b"modelward form", hashlib.sha256).hexdigest()


def check_form(scope: Scope, *, secret: str, token: str) -> None:
    """Refuse a form from elsewhere: by what the browser says of its origin, then by its token.

    Raises:
        FormRefused: the form comes from another site, or its token is missing or of another session.
    """
    again = "Open the page again and repeat what you did there."
    site = header(scope, b"sec-fetch-site")
    if site and site != "same-origin":
        raise FormRefused(f"{FormRefused.__doc__} The browser says it came from: {site}.", hint=again)
    origin = header(scope, b"origin")
    # Our Referrer-Policy makes browsers write `null` here; then the token alone decides.
    if origin and origin != "null" and origin != f"{scope.get('scheme', 'http')}://{header(scope, b'host')}":
        raise FormRefused(f"{FormRefused.__doc__} It came from another origin.", hint=again)
    if not secret or not hmac.compare_digest(token.encode(), form_token(secret).encode()):
        raise FormRefused(f"{FormRefused.__doc__} Its token is missing or of an ended session.", hint=again)
