"""Reading a window of captured records: which files and rows are in it, and their bytes. The joining stands in tables.py."""

import contextlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from modelward.governance.access.permissions import Permission, require
from modelward.governance.monitoring import capture_store as store
from modelward.governance.monitoring import tables
from modelward.governance.monitoring.entities import CaptureFile
from modelward.kernel.actors import Actor
from modelward.kernel.refs import Digest, EndpointRef
from modelward.storage.blobs import Blobs
from modelward.storage.work import Work, Workshop


@contextmanager
def open_window(
    workshop: Workshop, actor: Actor, endpoint: EndpointRef, *, start: datetime, end: datetime
) -> Iterator[tables.Window]:
    """The records of ``[start, end)``, filed or not, each once: files and rows are looked up on one snapshot."""

    def look(work: Work) -> tuple[list[CaptureFile], tables.Part, list[str]]:
        require(work, Permission.CAPTURE_READ, on=endpoint)
        files = store.files_of_window(work.connection, endpoint, start=start, end=end)
        chunks = store.hot_chunks(work.connection, endpoint, start=start, end=end)
        return files, *tables.records_part(chunks)

    files, hot, notes = workshop.read(actor, look)
    with contextlib.ExitStack() as opened:
        parts = []
        for file in files:
            path = opened.enter_context(local_file(workshop.blobs, file.digest))
            parts.append(tables.file_part(file, str(path), start=start, end=end))
            notes += file.notes
        yield tables.window_of([*parts, hot], notes)


@contextmanager
def local_file(blobs: Blobs, digest: Digest) -> Iterator[Path]:
    """A blob as a file, checked against its digest: itself where blobs are files, else a copy while it is needed."""
    path = blobs.path(digest)
    if path is not None:
        for _ in blobs.open(digest):
            pass
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="modelward-") as copy:
        for piece in blobs.open(digest):
            copy.write(piece)
        copy.flush()
        yield Path(copy.name)
