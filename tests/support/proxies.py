"""`modelward aws proxy` as a process, and the environment with which clients go through it."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LINES_MAX = 20


@contextmanager
def proxy_of(url: str, folder: Path) -> Iterator[dict[str, str]]:
    """Run a proxy to a server for a while; what is given are the environment lines that it prints."""
    program = "from modelward.cli.main import main; main()"
    command = [sys.executable, "-c", program, "aws", "proxy", "--port", "0", "--url", url, "--folder", str(folder)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MODELWARD_")}
    environment = {**kept, "PYTHONUNBUFFERED": "1"}
    log = folder.parent / f"{folder.name}.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
        try:
            yield _lines(process, log)
        finally:
            process.terminate()
            process.wait(20)
            if process.stdout:
                process.stdout.close()


def _lines(process: subprocess.Popen[str], log: Path) -> dict[str, str]:
    assert process.stdout is not None
    found: dict[str, str] = {}
    for _ in range(LINES_MAX):
        line = process.stdout.readline()
        name, equals, value = line.removeprefix("export ").partition("=")
        if line.startswith("export ") and equals:
            found[name] = shlex.split(value)[0] if value.strip() else ""
        if "REQUESTS_CA_BUNDLE" in found:
            return found
        if not line:
            break
    raise RuntimeError(f"The proxy did not start: {log.read_text()}")
