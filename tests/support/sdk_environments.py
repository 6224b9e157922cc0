"""The clients' own environments: one venv each with the real, pinned packages, made when first wanted and then kept.

They are big (the newer SDK has a gigabyte), so they live in a cache folder: MODELWARD_TEST_ENVIRONMENTS, else the user's.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from support.needs import missing

CLIENTS = {
    "awscli": ("awscli==1.46.2",),
    "sagemaker-2": ("sagemaker==2.257.7",),
    "sagemaker-3": ("sagemaker==3.27.0",),
}
# Read once: tests run without the settings of who starts them.
_CHOSEN = os.environ.get("MODELWARD_TEST_ENVIRONMENTS")
INSTALL_SECONDS_MAX = 1800


def python_of(client: str) -> Path:
    """The interpreter of a client's environment, which is made first if need be; where that fails the test is skipped,
    except in CI.
    """
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    # Tests run in several processes; the first one makes the environment, the others wait.
    with (folder / f"{client}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _made(folder / client, client)


def _made(home: Path, client: str) -> Path:
    python, stamp = home / "bin" / "python", home / "made-of"
    wanted = "\n".join((*CLIENTS[client], f"{sys.version_info[0]}.{sys.version_info[1]}"))
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(home, ignore_errors=True)
    for command in ([sys.executable, "-m", "venv", str(home)], _install(python, CLIENTS[client])):
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX, check=False)
        if done.returncode:
            missing(f"{client} (its environment cannot be made: {done.stderr.strip()[-400:]})")
    stamp.write_text(wanted)
    return python


def _folder() -> Path:
    return Path(_CHOSEN) if _CHOSEN else Path.home() / ".cache" / "modelward" / "test-environments"


def _install(python: Path, packages: tuple[str, ...]) -> list[str]:
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--quiet", "--python", str(python), *packages]
    return [str(python), "-m", "pip", "install", "--quiet", "--no-input", *packages]
