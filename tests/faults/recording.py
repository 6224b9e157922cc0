"""What a real process wrote to its files, call by call, and the disks that a power cut could have left.

strace shows every write, sync, rename and truncate of the process with its data, and the acknowledgements that it printed
in between. A disk after a power cut holds what was synced, and of what was not: nothing, the beginning, a random half, or
all of it in another order, some of it torn.
"""

import codecs
import random
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

CALLS = "openat,write,pwrite64,writev,fdatasync,fsync,ftruncate,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat"
TORN_SHARE = 0.15
LINE = re.compile(
    r"^(\d+) +(?:(\w+)\((.*)\) += (-?\d+)(?:<([^>]*)>)?.*|<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)(?:<([^>]*)>)?.*)$"
)
UNFINISHED = re.compile(r"^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$")


class Call(NamedTuple):
    """One thing that the process did: to a file (a path below the folder), or the acknowledgement of an operation."""

    kind: str  # create, write, truncate, sync, sync_folder, rename, unlink, mkdir, ack
    path: str = ""
    data: bytes = b""
    number: int = 0  # offset of a write, length of a truncate
    target: str = ""


def record(program: str, folder: Path, *arguments: str) -> list[Call]:
    """Run a Python program under strace and return what it did below the folder."""
    log = folder.parent / f"{folder.name}.strace"
    command = [
        "strace",
        "-f",
        "-qq",
        "-y",
        "-xx",
        "-s",
        "8000000",
        "-e",
        f"trace={CALLS}",
        "-e",
        "signal=none",
        "-o",
        str(log),
    ]
    subprocess.run([*command, sys.executable, "-c", program, str(folder), *arguments], check=True, timeout=300)
    calls = list(_read(log, folder))
    log.unlink()
    return calls


def _read(log: Path, folder: Path):
    root = str(folder) + "/"
    begun: dict[str, str] = {}
    with log.open() as lines:
        for line in lines:
            if half := UNFINISHED.match(line.rstrip("\n")):
                begun[half[1]] = half[3]
                if half[2] == "write" and (ack := _ack(half[3])):
                    yield ack  # told to the world from this moment on
                    begun[half[1]] = ""
                continue
            if not (found := LINE.match(line)):
                continue
            pid, name, arguments, result, opened = found[1], found[2], found[3], found[4], found[5]
            if name is None:
                name, result, opened = found[6], found[8], found[9]
                arguments = begun.pop(pid, "") + found[7]
            if int(result) >= 0 and arguments:
                yield from _call(name, arguments, root, opened)


def _text(quoted: str) -> bytes:
    return codecs.decode(quoted.strip().strip('"').replace("\\x", ""), "hex")


def _path(quoted: str) -> str:
    plain = quoted.strip().strip('"')
    return _text(plain).decode() if "\\x" in plain else plain


def _ack(arguments: str) -> Call | None:
    parts = arguments.split(", ")
    if len(parts) < 2 or "\\x" not in parts[1]:
        return None
    data = _text(parts[1])
    return Call("ack", data=data[4:].strip()) if data.startswith(b"ack ") else None


def _call(name: str, arguments: str, root: str, opened: str | None):
    if name == "write" and (ack := _ack(arguments)):
        yield ack
        return
    parts = arguments.split(", ")
    inside = re.search(r"<([^>]*)>", parts[0])
    path = _path(inside[1]) if inside else ""
    below = path.startswith(root)
    own = path.removeprefix(root) if below else ""
    if name == "openat":
        made = _path(opened or "")
        if made.startswith(root) and "O_CREAT" in arguments:
            yield Call("create", made.removeprefix(root))
        if made.startswith(root) and "O_TRUNC" in arguments:
            yield Call("truncate", made.removeprefix(root))
    elif name in ("fsync", "fdatasync") and (below or path == root[:-1]):
        yield Call("sync", own)
    elif name == "pwrite64" and below:
        yield Call("write", own, _text(parts[1]), int(parts[3]))
    elif name == "write" and below:
        yield Call("write", own, _text(parts[1]), -1)
    elif name == "writev" and below:
        raise AssertionError("writev is not modelled")
    elif name == "ftruncate" and below:
        yield Call("truncate", own, number=int(parts[1]))
    elif name in ("unlink", "unlinkat", "mkdir", "mkdirat", "rename", "renameat", "renameat2"):
        named = [_path(each) for each in parts if '"' in each]
        if all(each.startswith(root) for each in named):
            short = [each.removeprefix(root) for each in named]
            kind = name.rstrip("2").removesuffix("at")
            yield Call(kind, short[0], target=short[1] if kind == "rename" else "")


@dataclass
class File:
    """The bytes of a file: what the disk holds for certain, and the writes and truncates that it may or may not hold."""

    durable: bytes = b""
    pending: list[Call] = field(default_factory=list)
    size: int = 0


@dataclass
class Disk:
    """A folder on a disk that has a cache. Names, too, are certain only after their folder was synced."""

    files: dict[int, File] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    durable_names: dict[str, int] = field(default_factory=dict)
    acked: list[bytes] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path) -> "Disk":
        """The disk as it stands, all of it durable."""
        disk = cls()
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.name.endswith("-shm"):
                content = path.read_bytes()
                disk._name(str(path.relative_to(folder)), File(content, [], len(content)))
        disk.durable_names = dict(disk.names)
        return disk

    def _name(self, path: str, file: File) -> None:
        self.files[len(self.files)] = file
        self.names[path] = len(self.files) - 1

    def run(self, call: Call) -> None:
        """Do what the process did."""
        if call.kind == "ack":
            self.acked.append(call.data)
        elif call.path.endswith("-shm") or call.kind == "mkdir":
            return
        elif call.kind == "create":
            if call.path not in self.names:
                self._name(call.path, File())
        elif call.kind == "unlink":
            self.names.pop(call.path, None)
        elif call.kind == "rename":
            self.names[call.target] = self.names.pop(call.path)
        elif call.kind == "sync" and call.path not in self.names:
            self._sync_folder(call.path)
        else:
            self._change(self.files[self.names[call.path]], call)

    def _change(self, file: File, call: Call) -> None:
        if call.kind == "sync":
            file.durable = _applied(file.durable, file.pending)
            file.pending = []
            return
        if call.kind == "write":
            call = call._replace(number=file.size if call.number < 0 else call.number)
            file.size = max(file.size, call.number + len(call.data))
        else:
            file.size = call.number
        file.pending.append(call)

    def _sync_folder(self, folder: str) -> None:
        inside = {name for name in {*self.names, *self.durable_names} if name.rpartition("/")[0] == folder}
        for name in inside:
            if name in self.names:
                self.durable_names[name] = self.names[name]
            else:
                del self.durable_names[name]

    def after_power_cut(self, folder: Path, chance: random.Random) -> None:
        """Write one of the disks that a power cut at this moment could have left."""
        way = chance.choice(["nothing", "beginning", "half", "reordered"])
        names = dict(self.durable_names)
        for name in sorted({*self.names, *self.durable_names}):
            if self.names.get(name) != self.durable_names.get(name) and way != "nothing" and chance.random() < 0.5:
                names.pop(name, None)
                if name in self.names:
                    names[name] = self.names[name]
        shutil.rmtree(folder, ignore_errors=True)
        for name, number in names.items():
            file = self.files[number]
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(_applied(file.durable, _survivors(file.pending, way, chance)))


def _survivors(pending: list[Call], way: str, chance: random.Random) -> list[Call]:
    if way == "nothing":
        return []
    kept = list(pending)
    if way == "beginning":
        kept = kept[: chance.randint(0, len(kept))]
    elif way == "half":
        kept = [each for each in kept if chance.random() < 0.5]
    else:
        chance.shuffle(kept)
    return [_torn(each, chance) if each.kind == "write" and chance.random() < TORN_SHARE else each for each in kept]


def _torn(call: Call, chance: random.Random) -> Call:
    return call._replace(data=call.data[: chance.randint(0, len(call.data))])


def _applied(content: bytes, calls: list[Call]) -> bytes:
    if not calls:
        return content
    changed = bytearray(content)
    for call in calls:
        if call.kind == "truncate":
            del changed[call.number :]
            changed.extend(bytes(call.number - len(changed)))
        else:
            if len(changed) < call.number:
                changed.extend(bytes(call.number - len(changed)))
            changed[call.number : call.number + len(call.data)] = call.data
    return bytes(changed)
