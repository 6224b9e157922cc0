"""Errors as AWS clients know them: a code, a message, and a status that is 400 unless the contract says otherwise."""

from modelward.kernel.errors import (
    Conflict,
    Invalid,
    ModelwardError,
    NotAllowed,
    NotFound,
    NotImplementedYet,
    Unavailable,
)


class AwsError(Exception):
    """An error with the code and the message that an AWS client looks for."""

    def __init__(self, code: str, message: str, *, status: int = 400, resource: str = "") -> None:
        """Keep what is told.

        Args:
            code: the name clients match on, such as ``ValidationException`` or ``ResourceNotFound``.
            message: the sentence, literally where clients match on it.
            status: the HTTP status; clients retry 5xx.
            resource: what it is about, in the error documents of the object store.
        """
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.resource = code, message, status, resource


def validation(message: str) -> AwsError:
    """The request breaks a rule."""
    return AwsError("ValidationException", message)


def not_found(message: str) -> AwsError:
    """The modelled error of a missing thing."""
    return AwsError("ResourceNotFound", message)


def access_denied(message: str) -> AwsError:
    """The key's holder may not do this."""
    return AwsError("AccessDeniedException", message)


# The first that fits stands for the error; an operation that needs another code raises AwsError itself.
NATIVE: list[tuple[type[ModelwardError], str, int]] = [
    (NotAllowed, "AccessDeniedException", 400),
    (NotFound, "ResourceNotFound", 400),
    (Conflict, "ConflictException", 400),
    (NotImplementedYet, "ValidationException", 400),
    (Invalid, "ValidationException", 400),
    (Unavailable, "ServiceUnavailable", 503),
]


def from_native(problem: ModelwardError) -> AwsError:
    """The AWS form of an error of ours; the hint follows the message."""
    told = f"{problem.message} {problem.hint}" if problem.hint else problem.message
    for kind, code, status in NATIVE:
        if isinstance(problem, kind):
            return AwsError(code, told, status=status)
    return AwsError("InternalFailure", "Something went wrong; the server's log tells more.", status=500)
