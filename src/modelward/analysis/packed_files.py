"""Text files as bytes, unpacked where they are packed: by their first bytes, whatever their name says."""

import bz2
import gzip
import io
import lzma
import os
import shutil
import zlib
from collections.abc import Callable
from typing import IO, Any

import pyarrow as pa

from modelward.kernel.errors import Invalid

PACKED = {".gz": "a gzip", ".zst": "a zstd", ".bz2": "a bzip2", ".xz": "an xz"}
BROKEN = (EOFError, OSError, zlib.error, lzma.LZMAError)
_FIRST_BYTES = {b"\x1f\x8b": ".gz", b"\x28\xb5\x2f\xfd": ".zst", b"BZh": ".bz2", b"\xfd7zXZ\x00": ".xz"}
_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def packing_of(path: str) -> str:
    """How a file is packed: ``.gz``, ``.zst``, ``.bz2``, ``.xz``, or not at all.

    Raises:
        Invalid: its name says that it is packed, and it is not.
    """
    with open(path, "rb") as file:
        head = file.read(6)
    found = next((ending for first, ending in _FIRST_BYTES.items() if head.startswith(first)), "")
    ending = os.path.splitext(path)[1].lower()
    if ending in PACKED and found != ending:
        raise damaged(path, OSError("it does not begin as one does"))
    return found


def lines_of(path: str) -> IO[bytes]:
    """A file as bytes, unpacked.

    Raises:
        Invalid: its name says that it is packed, and it is not.
    """
    packing = packing_of(path)
    if packing == ".zst":
        return io.BufferedReader(pa.CompressedInputStream(pa.OSFile(path), "zstd"), 1 << 20)
    opened: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    file: IO[bytes] = opened.get(packing, open)(path, "rb")
    return file


def unpacked(path: str, folder: str, number: int) -> str:
    """A file that DuckDB can read by its name: the same, or a copy in the folder.

    Raises:
        Invalid: it is damaged, or is UTF-16.
    """
    packing = packing_of(path)
    must_be_bytes_of_utf8(path)
    if packing in ("", ".gz", ".zst") and os.path.splitext(path)[1].lower() in (packing, *_PLAIN[packing]):
        return path
    target = os.path.join(folder, f"unpacked-{number}.txt")
    try:
        with lines_of(path) as file, open(target, "wb") as copy:
            shutil.copyfileobj(file, copy, 1 << 20)
    except BROKEN as problem:
        raise damaged(path, problem) from problem
    return target


_PLAIN: dict[str, tuple[str, ...]] = {
    "": (".csv", ".tsv", ".txt", ".asc", ".json", ".jsonl", ".ndjson", ""), ".gz": (), ".zst": ()
}  # fmt: skip


def must_be_bytes_of_utf8(path: str) -> None:
    """Refuse what begins as UTF-16 does, with its mark or with zeros at every second place.

    Raises:
        Invalid: it does; or the archive is damaged.
    """
    try:
        with lines_of(path) as file:
            head = file.read(512)
    except BROKEN as problem:
        raise damaged(path, problem) from problem
    pairs = len(head) // 2
    zeros = max(head[0::2].count(0), head[1::2].count(0))
    if head[:2] in _MARKS or (pairs >= 2 and zeros > 0.8 * pairs):
        raise Invalid(
            f"The file {path!r} is not UTF-8: it looks like UTF-16.",
            hint="Convert it to UTF-8, for example with `iconv -f UTF-16 -t UTF-8`.",
        )


def damaged(path: str, problem: BaseException) -> Invalid:
    """The error of an archive that ends too early or is none."""
    try:
        with open(path, "rb") as file:
            head = file.read(6)
    except OSError:
        head = b""
    found = next((ending for first, ending in _FIRST_BYTES.items() if head.startswith(first)), "")
    kind = PACKED.get(os.path.splitext(path)[1].lower()) or PACKED.get(found)
    if kind is None:
        return Invalid(f"{path} cannot be read: {problem}.")
    return Invalid(f"{path} is {kind} archive that is cut short or damaged: {problem}.", hint="Copy the file again.")
