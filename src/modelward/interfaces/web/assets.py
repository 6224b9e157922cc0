"""The files that pages need (styles, scripts, pictures): all from this server, cached for ever under their digest."""

import gzip
import hashlib
from pathlib import Path

import msgspec

from modelward.interfaces.http import Scope, Send, header, respond
from modelward.interfaces.web.views import no_page

FOLDER = Path(__file__).parent / "static"
KINDS = {".css": b"text/css; charset=utf-8", ".js": b"text/javascript; charset=utf-8", ".svg": b"image/svg+xml"}
FOR_EVER = (b"cache-control", b"public, max-age=31536000, immutable")


class Asset(msgspec.Struct, frozen=True):
    """One file: its bytes, plain and packed."""

    kind: bytes
    plain: bytes
    packed: bytes


class Assets:
    """All assets, by their address. Files are read and packed when first asked for."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.suffix in KINDS}
        self._urls: dict[str, str] = {}
        self._names = {self.url(name): name for name in self._files}
        self._loaded: dict[str, Asset] = {}

    def url(self, name: str) -> str:
        """The address of a file; it changes with the content."""
        if name not in self._urls:
            digest = hashlib.sha256(self._files[name].read_bytes()).hexdigest()[:16]
            self._urls[name] = f"/static/{digest}/{name}"
        return self._urls[name]

    async def serve(self, scope: Scope, send: Send) -> None:
        """Answer a request for a file.

        Raises:
            NotFound: there is no such file, or it has changed since.
        """
        name = self._names.get(scope["path"])
        if name is None or scope["method"] not in ("GET", "HEAD"):
            raise no_page()
        asset = self._loaded.get(name) or self._load(name)
        packed = "gzip" in header(scope, b"accept-encoding")
        extra = [FOR_EVER, (b"vary", b"accept-encoding"), *([(b"content-encoding", b"gzip")] if packed else [])]
        await respond(send, 200, asset.packed if packed else asset.plain, kind=asset.kind, headers=extra)

    def _load(self, name: str) -> Asset:
        plain = self._files[name].read_bytes()
        asset = Asset(KINDS[self._files[name].suffix], plain, gzip.compress(plain, 6, mtime=0))
        self._loaded[name] = asset
        return asset
