"""The pages as an ASGI app: find the page, see who asks, allow, read the form, run in one unit of work, draw."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast
from urllib.parse import parse_qsl, quote

import msgspec

from modelward.governance.access.permissions import Permission, allow
from modelward.interfaces.http import Receive, Scope, Send, header, read_body, respond
from modelward.interfaces.identity import Identity
from modelward.interfaces.web import sessions
from modelward.interfaces.web.assets import Assets
from modelward.interfaces.web.families import all_views
from modelward.interfaces.web.rendering import Renderer, Visitor
from modelward.interfaces.web.views import FORM_BYTES_MAX, Paths, Redirect, Shown, View, no_page
from modelward.kernel import codec
from modelward.kernel.actors import NOBODY, Actor
from modelward.kernel.errors import Invalid, ModelwardError, NotSignedIn
from modelward.storage.work import Work, Workshop

log = logging.getLogger("modelward.web")
HTML = b"text/html; charset=utf-8"
NOT_KEPT = (b"cache-control", b"no-store")
URL_CHARACTERS = "/?&=%#@:+,;~!*'()"
LOOK_IN_THE_LOG = "The server's log tells more under this request id."
FORM_KINDS = ("application/x-www-form-urlencoded", "")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for what."""

    scope: Scope
    actor: Actor
    secret: str
    visit: str
    is_new_visit: bool

    @property
    def form_secret(self) -> str:
        """What form tokens are bound to: the session, or before it the visit."""
        return self.secret or self.visit

    @property
    def address(self) -> str:
        """The path with its query."""
        query = self.scope["query_string"].decode("latin-1")
        return quote(self.scope["path"], safe="/@:") + (f"?{query}" if query else "")


class Pages:
    """The pages. What a page reads and draws runs in a thread, so that slow ones do not hold up the rest."""

    def __init__(self, workshop: Workshop, identity: Identity, *, version: str) -> None:
        self.views = all_views()
        self._workshop, self._identity = workshop, identity
        self._paths = Paths(self.views)
        self._assets = Assets()
        self._renderer = Renderer(self._assets, version=version)
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="modelward-web")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = self._request(scope)
        try:
            if scope["path"].startswith("/static/"):
                await self._assets.serve(scope, send)
                return
            answer = await self._answer(request, receive)
        except NotSignedIn as problem:
            answer = self._to_sign_in(request, problem)
        except ModelwardError as problem:
            answer = _error(problem, scope)
        except Exception:
            log.exception("Page request %s failed.", scope.get("request_id"))
            answer = _error(ModelwardError(hint=LOOK_IN_THE_LOG), scope)
        await self._send(request, answer, send)

    def _request(self, scope: Scope) -> Request:
        secret = sessions.cookie(scope, sessions.SESSION)
        actor = self._identity.by_session(secret) if secret else NOBODY
        visit = sessions.cookie(scope, sessions.VISIT)
        secret = secret if actor is not NOBODY and actor.permissions else ""
        return Request(
            scope=scope,
            actor=actor,
            secret=secret,
            visit=visit or sessions.new_visit(),
            is_new_visit=not visit and not secret,
        )

    async def _answer(self, request: Request, receive: Receive) -> Shown | Redirect:
        scope = request.scope
        raw = scope.get("raw_path") or quote(scope["path"]).encode()
        view, texts = self._paths.find(scope["method"], raw)
        if isinstance(view.permission, Permission):
            allow(request.actor, view.permission)
        arguments = {name: _path_value(view.path_types[name], text) for name, text in texts.items()}
        if view.query_type is not None:
            arguments["query"] = _query(view.query_type, scope)
        if "secret" in view.wants:
            arguments["secret"] = request.secret
        if view.writes:
            return await self._write(view, request, arguments, receive)
        if "form" in view.wants:
            arguments["form"] = {}
        shown = await self._in_thread(self._workshop.read, request.actor, lambda work: view.handler(work, **arguments))
        return cast("Shown | Redirect", shown)

    async def _write(
        self, view: View, request: Request, arguments: dict[str, Any], receive: Receive
    ) -> Shown | Redirect:
        fields = await _fields(request.scope, receive)
        sessions.check_form(request.scope, secret=request.form_secret, token=fields.pop(sessions.FORM_FIELD, ""))
        try:
            if view.form_type is not None:
                arguments["form"] = _form(view.form_type, fields)
            submitted = self._workshop.submit(request.actor, lambda work: view.handler(work, **arguments))
            return cast("Shown | Redirect", await asyncio.wrap_future(submitted))
        except ModelwardError as problem:
            again = view.again
            if again is None or problem.status not in (400, 401, 403, 409):
                raise
            refused = {**arguments, "form": fields, "problem": problem}

            def once_more(work: Work) -> Shown | Redirect:
                return again(work, **refused)

            shown = await self._in_thread(self._workshop.read, request.actor, once_more)
            return msgspec.structs.replace(shown, status=problem.status) if isinstance(shown, Shown) else shown

    async def _in_thread(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    def _to_sign_in(self, request: Request, problem: NotSignedIn) -> Shown | Redirect:
        if request.scope["method"] != "GET":
            return _error(problem, request.scope)
        if header(request.scope, b"sec-fetch-site") == "cross-site":
            # A link from another site comes without our strict cookie; a step from our own page brings it along.
            return Shown(template="arrive.html", values={"to": request.address})
        return Redirect(to=f"/sign-in?next={quote(request.address, safe='/')}")

    async def _send(self, request: Request, answer: Shown | Redirect, send: Send) -> None:
        headers = [NOT_KEPT]
        if request.is_new_visit:
            headers.append(sessions.set_cookie(request.scope, sessions.VISIT, request.visit))
        if isinstance(answer, Redirect):
            if answer.session is not None:
                headers.append(sessions.set_cookie(request.scope, sessions.SESSION, answer.session))
            await respond(
                send,
                303,
                b"",
                kind=HTML,
                headers=[*headers, (b"location", quote(answer.to, safe=URL_CHARACTERS).encode())],
            )
            return
        status, body = await self._in_thread(self._draw, request, answer)
        await respond(send, status, body, kind=HTML, headers=headers)

    def _draw(self, request: Request, shown: Shown) -> tuple[int, bytes]:
        visitor = Visitor(
            actor=request.actor,
            path=request.scope["path"],
            now=self._workshop.clock(),
            form_token=sessions.form_token(request.form_secret),
        )
        try:
            return shown.status, self._renderer.render(shown, visitor)
        except Exception:
            log.exception("Page request %s could not be drawn.", request.scope.get("request_id"))
            problem = _error(ModelwardError(hint=LOOK_IN_THE_LOG), request.scope)
            return problem.status, self._renderer.render(problem, visitor)


def _path_value(kind: Any, text: str) -> Any:
    try:
        return kind.parse(text) if hasattr(kind, "parse") else text
    except Invalid as problem:
        # What cannot be a name cannot be the name of anything.
        raise no_page() from problem


def _query(kind: type[msgspec.Struct], scope: Scope) -> Any:
    known = {field.name for field in msgspec.structs.fields(kind)}
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), max_num_fields=100)
    return codec.convert({name: value for name, value in pairs if name in known}, kind, field="address", strict=False)


async def _fields(scope: Scope, receive: Receive) -> dict[str, str]:
    kind = header(scope, b"content-type").partition(";")[0].strip().lower()
    if kind not in FORM_KINDS:
        raise Invalid(f"A form was expected, and {kind[:80]!r} came.", field="body")
    body = await read_body(receive, bytes_max=FORM_BYTES_MAX)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=2000, errors="strict")
    except ValueError as problem:
        raise Invalid("The form could not be read.", field="body") from problem
    # Browsers send line breaks as CR LF; texts are kept with LF.
    return {name: value.replace("\r\n", "\n") for name, value in pairs}


def _form(kind: Any, fields: dict[str, str]) -> Any:
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return fields
    known = {field.name: field for field in msgspec.structs.fields(kind)}
    given = {name: value for name, value in fields.items() if name in known and (value or known[name].type is str)}
    return codec.convert(given, kind, field="form", strict=False)


def _error(problem: ModelwardError, scope: Scope) -> Shown:
    values = {"problem": problem, "request_id": scope.get("request_id", "")}
    return Shown(template="error.html", values=values, status=problem.status)
