"""The descriptions of services as botocore has them, loaded once."""

from functools import cache

from botocore import loaders
from botocore.model import ServiceModel

_loader = loaders.Loader()


@cache
def service_model(service: str) -> ServiceModel:
    """The description of a service, by botocore's name of it."""
    return ServiceModel(_loader.load_service_model(service, "service-2"), service)


@cache
def token_member(service: str, operation: str) -> str | None:
    """The member by which a client says that a request is the same as before; None when there is none."""
    members: list[str] = service_model(service).operation_model(operation).idempotent_members
    return members[0] if members else None
