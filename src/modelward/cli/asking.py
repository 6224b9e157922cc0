"""The model that `modelward analyze` asks: one that is served at an address, or a function of the user's own."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from modelward.kernel.errors import Invalid, NotFound, Unavailable

if TYPE_CHECKING:
    from modelward.analysis.compatible.predictors import Predictor

CONNECT_SECONDS_MAX, ANSWER_SECONDS_MAX = 10.0, 300.0


def predictor_at(place: str, block: Any, headers: tuple[str, ...]) -> "Predictor":
    """The predictor at ``place``: an http(s) address, or ``module:function``.

    ``block``: the ``predictor`` part of the configuration, which tells what bodies and answers look like. ``headers``:
    "Name: value", sent with each request.

    Raises:
        Invalid, NotFound: it is neither, or there is no such function.
    """
    from modelward.analysis.compatible.predictors import Predictor, posting, predictor_settings

    settings = predictor_settings(block)
    if place.startswith(("http://", "https://")):
        return posting(_poster(place, _headers(headers)), settings)
    function = _function(place)
    return Predictor(ask=lambda rows, names: function(rows), settings=settings)


def _function(place: str) -> Any:
    module, colon, name = place.partition(":")
    if not (module and colon and name):
        raise Invalid(
            f"{place!r} is neither an http(s) address nor module:function.",
            field="--predictor",
            hint="For example http://127.0.0.1:8080/predict, or scoring:predict for predict() in scoring.py.",
        )
    # As for any Python program that is started here: modules of this folder can be imported.
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found = import_module(module)
    except ModuleNotFoundError as problem:
        raise NotFound(f"There is no module {problem.name!r}.", field="--predictor") from problem
    function = getattr(found, name, None)
    if not callable(function):
        raise NotFound(f"Module {module!r} has no function {name!r}.", field="--predictor")
    return function


def _headers(lines: tuple[str, ...]) -> dict[str, str]:
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not (name.strip() and colon):
            raise Invalid(f"The header {line!r} is not of the form Name: value.", field="--header")
        headers[name.strip()] = value.strip()
    return headers


def _poster(address: str, headers: dict[str, str]) -> Any:
    import httpx

    # One client for all requests, closed with the process: a command ends when its work is done.
    client = httpx.Client(timeout=httpx.Timeout(ANSWER_SECONDS_MAX, connect=CONNECT_SECONDS_MAX), trust_env=False)

    def post(body: bytes, content_type: str, accepts: str) -> bytes:
        try:
            answer = client.post(
                address, content=body, headers={"Content-Type": content_type, "Accept": accepts} | headers
            )
        except httpx.HTTPError as problem:
            raise Unavailable(
                f"The model at {address} does not answer: {str(problem) or type(problem).__name__}.",
                hint="With --state what is done is kept: run the same command again.",
            ) from problem
        if answer.status_code != 200:
            raise Unavailable(f"The model at {address} answered {answer.status_code}: {answer.text[:200]}")
        return answer.content

    return post
