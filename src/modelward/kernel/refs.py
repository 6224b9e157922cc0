"""How things point at things: a reference is the text a person reads ("fraud@3") with its parts at hand."""

import re
from typing import Self

from modelward.kernel.errors import Invalid

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
# One rule for all names a person gives: first a letter or digit, then letters, digits, dot, dash, underscore.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9_])?")


def checked_name(text: str, *, field: str = "name") -> str:
    """Return a name if it keeps the rule.

    Raises:
        Invalid: the name is empty, longer than 128 characters, or has characters outside letters, digits, . _ and -.
    """
    if not _NAME.fullmatch(text):
        shown = text if len(text) <= 80 else text[:77] + "..."
        raise Invalid(
            f"{shown!r} is not a name: use 1 to 128 letters, digits, dots, dashes or underscores, "
            "beginning with a letter or digit and ending with neither dot nor dash.",
            field=field,
        )
    return text


class Ref(str):
    """A reference: text that has been checked. Never make one from unchecked text except through ``parse``."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str, *, field: str = "ref") -> Self:
        """Check the text and return it as a reference."""
        return cls(checked_name(text, field=field))


class ModelRef(Ref):
    """A registered model, by its name: ``fraud``."""

    __slots__ = ()


class VersionRef(Ref):
    """A version of a registered model: ``fraud@3``."""

    __slots__ = ()

    @classmethod
    def of(cls, model: str, number: int) -> Self:
        """Point at version ``number`` (from 1) of a model."""
        return cls(f"{model}@{number}")

    @classmethod
    def parse(cls, text: str, *, field: str = "version") -> Self:
        """Read ``name@number``.

        Raises:
            Invalid: the text has another form.
        """
        model, at, number = text.partition("@")
        if not at or not _NUMBER.fullmatch(number):
            raise Invalid(
                f"{text[:140]!r} is not a model version: write it as name@number, as in fraud@3.", field=field
            )
        checked_name(model, field=field)
        return cls(text)

    @property
    def model(self) -> ModelRef:
        """The model of this version."""
        return ModelRef(self.rpartition("@")[0])

    @property
    def number(self) -> int:
        """The number of this version, from 1."""
        return int(self.rpartition("@")[2])


class CardRef(Ref):
    """A model card, by its name."""

    __slots__ = ()


class EndpointRef(Ref):
    """A serving endpoint, by its name."""

    __slots__ = ()


class BaselineRef(Ref):
    """A baseline, by its name."""

    __slots__ = ()


class MonitorRef(Ref):
    """A monitor, by its name."""

    __slots__ = ()


class RunRef(Ref):
    """One run of a monitor, by its id."""

    __slots__ = ()


class EvaluationRef(Ref):
    """One evaluation of a model version, by its id."""

    __slots__ = ()


class AlertRef(Ref):
    """One alert, by its id."""

    __slots__ = ()


class ReviewRef(Ref):
    """One review of a model version, by its id."""

    __slots__ = ()


class Digest(str):
    """A SHA-256 of some bytes: ``sha256:`` and 64 hexadecimal digits."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str, *, field: str = "digest") -> Self:
        """Read ``sha256:<64 hex digits>``.

        Raises:
            Invalid: the text has another form.
        """
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", text):
            raise Invalid(
                f"{text[:100]!r} is not a digest: write it as sha256: and 64 hexadecimal digits.", field=field
            )
        return cls(text)

    @property
    def hex(self) -> str:
        """The 64 hexadecimal digits."""
        return self[7:]
