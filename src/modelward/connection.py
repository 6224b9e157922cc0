"""``modelward.connect()``: find the server, or open the app in this process."""

import os
from pathlib import Path
from typing import Any

from modelward import settings as settings_module
from modelward.home import Home
from modelward.kernel.errors import Unavailable
from modelward.sdk import Client
from modelward.sdk.transports import AppTransport, HttpTransport


def connect(target: str | Path | None = None, *, token: str | None = None, **options: Any) -> Client:
    """Connect to Modelward.

    Args:
        target: a URL means that server; a path means that data folder; nothing means MODELWARD_URL, else the data folder
            of MODELWARD_HOME (``modelward-data`` here). A folder that a server holds is reached through that server.
        token: who is asking; default MODELWARD_TOKEN, else the owner's token in the data folder.
        options: further settings for an app in this process, such as ``database_url``.

    Raises:
        Unavailable: no server answers there, or no token is known.
    """
    target = target or os.environ.get("MODELWARD_URL") or None
    token = token or os.environ.get("MODELWARD_TOKEN") or None
    if isinstance(target, str) and "://" in target:
        return Client(HttpTransport(target), token=token or _local_secret(target))
    settings = settings_module.load(home=str(target) if target else None, **options)
    home = Home(settings.home)
    found = home.server()
    if home.is_taken() and not settings.uses_postgres:
        if found is None:
            raise Unavailable(
                f"Another process, or another client in this one, holds {home.folder} and serves no one.",
                hint="Close it, or start `modelward serve` instead.",
            )
        return Client(HttpTransport(str(found["url"])), token=token or home.owner_secret())
    return _in_this_process(settings, token)


def _in_this_process(settings: settings_module.Settings, token: str | None) -> Client:
    from modelward.app import open_house

    house = open_house(settings)
    try:
        secret = token or house.home.owner_secret()
    except Unavailable:
        house.close()
        raise
    house.start()
    return Client(AppTransport(house.asgi, on_close=house.close), token=secret)


def _local_secret(url: str) -> str:
    home = Home(settings_module.load().home)
    found = home.server()
    if found and str(found["url"]).rstrip("/") == url.rstrip("/"):
        return home.owner_secret()
    raise Unavailable(f"No token for {url} is known.", hint="Give connect(url, token=...) or set MODELWARD_TOKEN.")
