"""Where tables lie: files, folders, patterns of names, and objects at s3:// addresses; and of what format they are."""

import glob
import os
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pyarrow as pa

from modelward.analysis.packed_files import BROKEN, damaged, lines_of
from modelward.kernel.errors import Invalid, NotFound, Unavailable

Format: TypeAlias = Literal["parquet", "csv", "json", "captures"]

FORMATS: dict[str, Format] = {
    ".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".asc": "csv",
    ".json": "json", ".jsonl": "json", ".ndjson": "json",
}  # fmt: skip


def files_at(path: str) -> list[str]:
    """The files a path stands for.

    Raises:
        NotFound: there is none.
        Invalid: the file is empty, or the address is none that is read.
    """
    if path.startswith("s3://"):
        return [path]
    if "://" in path and not os.path.exists(path):
        raise Invalid(
            f"{path!r} cannot be read: addresses begin with s3://.", hint="Fetch the file, or put it into a bucket."
        )
    if not os.path.exists(path) and glob.has_magic(path):
        matching = [name for name in sorted(glob.glob(path, recursive=True)) if os.path.isfile(name)]
        return [file for name in matching for file in files_at(name)] or _none_match(path)
    if not os.path.exists(path):
        near = (
            sorted(os.listdir(os.path.dirname(path) or "."))[:5] if os.path.isdir(os.path.dirname(path) or ".") else []
        )
        hint = f"The folder holds: {', '.join(near)}." if near else None
        raise NotFound(f"There is no file {path!r}.", hint=hint)
    if os.path.isdir(path):
        files = sorted(str(file) for file in Path(path).rglob("*") if file.is_file() and _ending(str(file)) in FORMATS)
        if not files:
            raise NotFound(f"The folder {path!r} holds no Parquet, CSV or JSON lines file.")
        return files
    if not os.access(path, os.R_OK):
        raise Invalid(f"The file {path!r} must not be read by this user.")
    if os.path.getsize(path) == 0:
        raise Invalid(f"The file {path!r} is empty: it holds no bytes.")
    return [path]


def _none_match(pattern: str) -> list[str]:
    raise NotFound(f"No file matches {pattern!r}.")


def _ending(path: str) -> str:
    name = (path.partition("?")[0] if path.startswith("s3://") else path).lower()
    for packed in (".gz", ".zst", ".bz2", ".xz"):
        name = name.removesuffix(packed)
    return os.path.splitext(name)[1]


def format_of(path: str) -> Format:
    """Tell the format of a file by its ending, else by its first bytes.

    Raises:
        Invalid: the file is an archive cut short, or an Arrow file.
    """
    known = FORMATS.get(_ending(path))
    if known is not None or path.startswith("s3://"):
        return known or "parquet"
    try:
        with lines_of(path) as file:
            head = file.read(4096)
    except BROKEN as problem:
        raise damaged(path, problem) from problem
    if head[:4] == b"PAR1":
        return "parquet"
    if head[:6] == b"ARROW1":
        raise Invalid(
            f"{path!r} is an Arrow file, which is not read by its name.",
            hint="Give the table itself: pyarrow.ipc.open_file(path).read_all().",
        )
    return "json" if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") else "csv"


def remote(address: str) -> tuple[Any, str]:
    """The store of an object, as Arrow has it, and its name there.

    Raises:
        Unavailable: the store cannot be reached.
        NotFound: there is no such object.
    """
    from pyarrow import fs

    try:
        files, inner = fs.FileSystem.from_uri(address)
        found = files.get_file_info(inner)
    except (OSError, pa.ArrowInvalid) as problem:
        raise Unavailable(
            f"{address.partition('?')[0]} cannot be reached: {problem}", hint="Check the address and the credentials."
        ) from problem
    if found.type is not fs.FileType.File:
        raise NotFound(
            f"There is no object {address.partition('?')[0]!r}.", hint="Name one object, or a list of objects."
        )
    return files, inner


def fetched(path: str, folder: str) -> str:
    """A file here: the same, or a copy in the folder of an object elsewhere."""
    if not path.startswith("s3://"):
        return path
    from pyarrow import fs

    files, inner = remote(path)
    target = os.path.join(folder, f"{abs(hash(path))}-{os.path.basename(inner)}")
    fs.copy_files(inner, target, source_filesystem=files, destination_filesystem=fs.LocalFileSystem())
    return target
