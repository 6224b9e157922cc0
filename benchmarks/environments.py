"""The peers' environments: one venv each, made when first wanted, kept until the list of what goes into it changes."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

# What a peer needs, pinned. Evidently of this version does not import under pandas 3.
PEERS = {
    "mlflow": ("mlflow==3.17.2",),
    "moto": ("moto[server,s3]==5.2.5",),
    "evidently": ("evidently==0.7.23", "pandas<3"),
    "nannyml": ("nannyml==0.13.1", "pandas<3", "pyarrow<27", "scikit-learn<1.6", "category-encoders<2.7"),
    "whylogs": ("whylogs[viz]==1.6.4", "pandas<3", "pyarrow<27"),
    "shap": ("shap==0.51.0", "scikit-learn==1.9.1"),
    # The source of a commit under Apache-2.0: the wheel of that name is under another licence, and only taken when asked.
    "smclarify": (
        "smclarify @ git+https://github.com/aws/amazon-sagemaker-clarify@024329d1",
        "numpy<2",
        "pandas<3",
        "pyarrow<20",
    ),
    "smclarify-wheel": ("smclarify==0.5", "numpy<2", "pandas<3", "pyarrow<20"),
}
HERE = Path(__file__).resolve().parent


class PeerUnavailable(RuntimeError):
    """The environment of a peer cannot be made here."""


def folder() -> Path:
    """Where peers live: MODELWARD_BENCH_ENVIRONMENTS, else .environments beside this file."""
    return Path(os.environ.get("MODELWARD_BENCH_ENVIRONMENTS") or HERE / ".environments")


def python_of(peer: str) -> Path:
    """The interpreter of a peer's environment, which is made first if need be.

    Raises:
        PeerUnavailable: it cannot be made; the message says at which step and why.
    """
    home = folder() / peer
    python, stamp = home / "bin" / "python", home / "made-of"
    wanted = "\n".join((*PEERS[peer], f"{sys.version_info[0]}.{sys.version_info[1]}"))
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"making the environment of {peer} ({', '.join(PEERS[peer])}) in {home}", file=sys.stderr, flush=True)
    began = time.monotonic()
    shutil.rmtree(home, ignore_errors=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    uv = Path(sys.executable).with_name("uv")
    if uv.exists():
        # Resolves and copies from its cache in seconds what takes pip minutes.
        _run(peer, "make a virtual environment", [str(uv), "venv", "--quiet", "--python", sys.executable, str(home)])
        _run(peer, "install", [str(uv), "pip", "install", "--quiet", "--python", str(python), *PEERS[peer]])
    else:
        _run(peer, "make a virtual environment", [sys.executable, "-m", "venv", str(home)])
        _run(peer, "install", [str(python), "-m", "pip", "install", "--quiet", "--no-input", *PEERS[peer]])
    stamp.write_text(wanted)
    print(f"{peer} is ready after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return python


def _run(peer: str, step: str, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING")]
        why = " ".join(lines[-3:]) or f"exit code {done.returncode}"
        raise PeerUnavailable(
            f"{peer} is left out: could not {step}: {why[:400]}. "
            "A package index is needed once; after that the environment is kept."
        )


if __name__ == "__main__":
    for name in sys.argv[1:] or PEERS:
        try:
            print(python_of(name))
        except PeerUnavailable as problem:
            sys.exit(str(problem))
