"""The pages as an ASGI app: find the page, see who asks, allow, read the form, run in one unit of work, draw."""

import asyncio
import logging
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast
from urllib.parse import parse_qsl, quote

import msgspec

from modelward.governance.access.permissions import Permission, allow
from modelward.governance.cards import inbox
from modelward.interfaces.http import Receive, Scope, Send, header, read_body, respond
from modelward.interfaces.identity import Identity
from modelward.interfaces.web import sessions
from modelward.interfaces.web.assets import Assets
from modelward.interfaces.web.families import all_views
from modelward.interfaces.web.rendering import UNREAD_SHOWN_MAX, Renderer, Visitor
from modelward.interfaces.web.uploads import Uploaded, boundary_of, receive_form, take_apart
from modelward.interfaces.web.views import (
    FIELDS_MAX,
    FORM_BYTES_MAX,
    Download,
    Paths,
    Redirect,
    Shown,
    View,
    no_page,
)
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
FILE_FORM = "multipart/form-data"
Answer = Shown | Redirect | Download


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

    async def _answer(self, request: Request, receive: Receive) -> Answer:
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
        if not view.has_form:
            if "form" in view.wants:
                arguments["form"] = {}
            return await self._read(request, view.handler, arguments)
        if "file" not in view.wants:
            return await self._take(view, request, arguments, await _fields(scope, receive))
        with tempfile.TemporaryFile(prefix="modelward-") as file:
            limit = FORM_BYTES_MAX + self._workshop.attachment_bytes_max
            await receive_form(file, receive, bytes_max=limit)
            boundary = boundary_of(_file_form(scope))
            fields, uploaded = await self._in_thread(take_apart, file, boundary)
            _check_form(request, fields)
            arguments["file"] = await self._in_thread(self._keep, view, uploaded)
            return await self._take(view, request, arguments, fields, is_checked=True)

    def _keep(self, view: View, uploaded: Uploaded | None) -> Uploaded | None:
        if uploaded is None or not view.keeps_file:
            return uploaded
        if uploaded.size > self._workshop.attachment_bytes_max:
            size = self._workshop.attachment_bytes_max
            raise Invalid(f"{uploaded.name[:80]} is larger than {size} bytes; nothing was kept.", field="file")
        digest, _ = self._workshop.blobs.put(uploaded.chunks())
        return msgspec.structs.replace(uploaded, digest=str(digest))

    async def _read(self, request: Request, handler: Any, arguments: dict[str, Any]) -> Answer:
        def read(work: Work) -> Answer:
            answer = cast("Answer", handler(work, **arguments))
            if not isinstance(answer, Shown) or Permission.SELF_READ not in work.actor.permissions:
                return answer
            # In the same read as the page: one row of an index more.
            return msgspec.structs.replace(answer, unread=inbox.count_unread(work, most=UNREAD_SHOWN_MAX + 1))

        return cast("Answer", await self._in_thread(self._workshop.read, request.actor, read))

    async def _take(
        self,
        view: View,
        request: Request,
        arguments: dict[str, Any],
        fields: dict[str, str],
        *,
        is_checked: bool = False,
    ) -> Answer:
        if not is_checked:
            _check_form(request, fields)
        try:
            if view.form_type is not None:
                arguments["form"] = _form(view.form_type, fields)
            if view.reads:
                return await self._read(request, view.handler, arguments)
            submitted = self._workshop.submit(request.actor, lambda work: view.handler(work, **arguments))
            return cast("Answer", await asyncio.wrap_future(submitted))
        except ModelwardError as problem:
            again = view.again
            if again is None or problem.status not in (400, 401, 403, 409):
                raise
            refused = {**arguments, "form": fields, "problem": problem}
            refused.pop("file", None)
            shown = await self._read(request, again, refused)
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

    async def _send(self, request: Request, answer: Answer, send: Send) -> None:
        if isinstance(answer, Download):
            await self._send_file(answer, send)
            return
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

    async def _send_file(self, download: Download, send: Send) -> None:
        pieces = iter(download.chunks)
        # The first piece is read before the answer begins, so that a file that is gone is still told as an error.
        piece = await self._in_thread(next, pieces, b"")
        await send({"type": "http.response.start", "status": 200, "headers": download.headers})
        while piece:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await self._in_thread(next, pieces, b"")
        await send({"type": "http.response.body", "body": b""})

    def _draw(self, request: Request, shown: Shown) -> tuple[int, bytes]:
        visitor = Visitor(
            actor=request.actor,
            path=request.scope["path"],
            now=self._workshop.clock(),
            form_token=sessions.form_token(request.form_secret),
            unread=shown.unread,
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


def _check_form(request: Request, fields: dict[str, str]) -> None:
    sessions.check_form(request.scope, secret=request.form_secret, token=fields.pop(sessions.FORM_FIELD, ""))


def _file_form(scope: Scope) -> str:
    kind = header(scope, b"content-type")
    if kind.partition(";")[0].strip().lower() != FILE_FORM:
        raise Invalid(f"A form with a file was expected, and {kind[:80]!r} came.", field="body")
    return kind


async def _fields(scope: Scope, receive: Receive) -> dict[str, str]:
    kind = header(scope, b"content-type").partition(";")[0].strip().lower()
    if kind not in FORM_KINDS:
        raise Invalid(f"A form was expected, and {kind[:80]!r} came.", field="body")
    body = await read_body(receive, bytes_max=FORM_BYTES_MAX)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
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
