"""The Python client: the same requests over HTTP to a server or to an app in this process. Knows only the kernel."""

from modelward.sdk.client import Client
from modelward.sdk.records import Record

__all__ = ["Client", "Record"]
