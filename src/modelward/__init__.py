"""Modelward: open, self-hosted model governance."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelward.connection import connect

__version__ = "0.1.0"
__all__ = ["__version__", "connect"]


def __getattr__(name: str) -> Any:
    # Loaded when first used, so that `import modelward.analysis` in a notebook does not load a server.
    if name == "connect":
        from modelward.connection import connect

        return connect
    raise AttributeError(f"module 'modelward' has no attribute {name!r}")
