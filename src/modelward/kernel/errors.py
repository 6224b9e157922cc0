"""The tree of errors that a user may meet; each message says what is wrong, why, and what to do next.

    ModelwardError
    ├── Invalid           the request itself is wrong
    ├── NotAllowed        the actor lacks a permission, or a rule forbids this person
    │   └── NotSignedIn   nobody is signed in
    ├── NotFound          the thing does not exist (or the actor may not know of it)
    ├── Conflict          the thing exists in a state that forbids this
    ├── NotImplementedYet the product does not do this yet, and says so
    └── Unavailable       something outside is missing or broken; trying again may help

The docstring of a class is its default message, so an error always has words.
"""

from typing import ClassVar


class ModelwardError(Exception):
    """Something went wrong in Modelward."""

    status: ClassVar[int] = 500

    def __init__(self, message: str = "", *, field: str | None = None, hint: str | None = None) -> None:
        """Keep the words of the error.

        Args:
            message: what is wrong and why, in a sentence; the class docstring when empty.
            field: path of the offending field (``body.name``, ``$.intended_uses.risk_rating``) where there is one.
            hint: what the reader can do next.
        """
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.field = field
        self.hint = hint
        super().__init__(self.message)

    @property
    def code(self) -> str:
        """The stable name of the error on the wire: the class name."""
        return type(self).__name__

    def __str__(self) -> str:
        where = f" (field {self.field})" if self.field else ""
        next_step = f" {self.hint}" if self.hint else ""
        return f"{self.message}{where}{next_step}"


class Invalid(ModelwardError):
    """The request is not valid."""

    status = 400


class NotAllowed(ModelwardError):
    """You are not allowed to do this."""

    status = 403


class NotSignedIn(NotAllowed):
    """Nobody is signed in: send a token or sign in first."""

    status = 401


class NotFound(ModelwardError):
    """There is no such thing."""

    status = 404


class Conflict(ModelwardError):
    """The present state does not allow this."""

    status = 409


class NotImplementedYet(ModelwardError):
    """This part of Modelward is not built yet."""

    status = 501


class Unavailable(ModelwardError):
    """Something that Modelward needs cannot be reached right now."""

    status = 503
