"""How a page is declared: method, path, permission, and a function from a unit of work to what is shown.

A page without a permission cannot be registered.
"""

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any, get_type_hints
from urllib.parse import unquote

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.interfaces.http import Open, PermissionMissing
from modelward.kernel.errors import Invalid, ModelwardError, NotFound
from modelward.storage.work import Work

Handler = Callable[..., "Shown | Redirect | Download"]
FORM_BYTES_MAX = 1 << 20
FIELDS_MAX = 6000
EXTRAS = frozenset({"query", "form", "problem", "secret", "file"})


class MethodNotAllowed(Invalid):
    """This address knows no such method."""

    status = 405


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A template and what to fill it with; ``unread`` is how many notices wait for the visitor, counted up to a hundred."""

    template: str
    values: dict[str, Any]
    status: int = 200
    unread: int = 0


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes to be kept as a file; ``headers`` say its name and that it is never shown in the browser."""

    chunks: Iterable[bytes]
    headers: list[tuple[bytes, bytes]]


class Redirect(msgspec.Struct, frozen=True, kw_only=True):
    """Go there with GET. ``session`` sets the cookie of the session; an empty one takes it away."""

    to: str
    session: str | None = None


def show(template: str, *, status: int = 200, **values: Any) -> Shown:
    """Fill a template."""
    return Shown(template=template, values=values, status=status)


class View(msgspec.Struct, frozen=True, kw_only=True):
    """One page, read off the signature of its handler."""

    method: str
    path: str
    permission: Permission | Open
    handler: Handler
    again: Handler | None
    path_types: dict[str, Any]
    query_type: type[msgspec.Struct] | None
    form_type: Any
    wants: frozenset[str]
    reads: bool = False
    keeps_file: bool = False

    @property
    def has_form(self) -> bool:
        """Whether a form is sent to it."""
        return self.method != "GET"


class Views:
    """The pages of one family, gathered by decorator."""

    def __init__(self) -> None:
        self.all: list[View] = []

    def page(
        self,
        method: str,
        path: str,
        *,
        permission: Permission | Open,
        again: Handler | None = None,
        reads: bool = False,
        keeps_file: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Declare a page.

        The handler takes ``work: Work``, the path's parts by name, and where wanted ``query`` (a struct), ``form`` (a
        struct or ``dict[str, str]``) and ``secret`` (that of the session). When a form is refused, ``again`` shows it
        once more: it takes the same path, the ``form`` as given and the ``problem``.

        A form with ``reads`` changes nothing, so it does not wait for the writer: it is drawn anew, or checked. A page
        that takes a ``file`` gets the one of the form (None where none was chosen); with ``keeps_file`` its bytes are
        in the blob store by then.

        Raises:
            PermissionMissing: no permission was given.
        """
        if not isinstance(permission, Permission | Open):
            raise PermissionMissing(f"{method} {path} has no permission: every page declares one.")

        def declare(handler: Handler) -> Handler:
            hints = get_type_hints(handler)
            names = re.findall(r"{(\w+)}", path)
            given = set(inspect.signature(handler).parameters)
            if not {"work", *names} <= given or given - {"work", *names} - EXTRAS or hints.get("work") is not Work:
                raise TypeError(f"{handler.__name__} must take work, {', '.join(names)} and at most {sorted(EXTRAS)}.")
            self.all.append(
                View(
                    method=method,
                    path=path,
                    permission=permission,
                    handler=handler,
                    again=again,
                    path_types={name: hints.get(name, str) for name in names},
                    query_type=hints.get("query"),
                    form_type=hints.get("form") if method == "POST" else None,
                    wants=frozenset(given),
                    reads=reads,
                    keeps_file=keeps_file,
                )
            )
            return handler

        return declare


class Paths:
    """The tree of all pages by the parts of their paths."""

    def __init__(self, views: list[View]) -> None:
        self._tree: dict[str, Any] = {}
        for view in views:
            node = self._tree
            for part in view.path.strip("/").split("/"):
                node = node.setdefault("{}" if part.startswith("{") else part, {}) if part else node
            methods = node.setdefault("", {})
            if view.method in methods:
                raise TypeError(f"{view.method} {view.path} is declared twice.")
            methods[view.method] = view

    def find(self, method: str, raw_path: bytes) -> tuple[View, dict[str, str]]:
        """The page at a path, with the texts of the path's parts.

        Raises:
            NotFound: nothing is there.
            MethodNotAllowed: something is there, but not for this method.
        """
        node, values = self._tree, []
        # Split first and decode each part once, so that an encoded slash stays inside its part.
        for part in raw_path.decode("ascii", "replace").split("?")[0].split("/"):
            if not part:
                continue
            if part in node:
                node = node[part]
            elif "{}" in node:
                node = node["{}"]
                values.append(unquote(part))
            else:
                raise no_page()
        methods = node.get("", {})
        if not methods:
            raise no_page()
        view = methods.get("GET" if method == "HEAD" else method)
        if view is None:
            raise MethodNotAllowed(hint="Use the links and buttons of the pages.")
        return view, dict(zip(view.path_types, values, strict=True))


def no_page() -> ModelwardError:
    """There is no page here."""
    return NotFound("There is no page at this address.", hint="Start again from the overview.")
