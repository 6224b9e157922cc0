"""Checks and converts answers by botocore's service models: types, names and required members.

Not lengths and patterns, since what was made natively may have names that AWS would not take.
"""

import base64
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from botocore.model import Shape

from modelward.interfaces.aws.service_models import service_model

Write = Callable[[Any], Any]


class AnswerInvalid(Exception):
    """An answer does not fit the service model: a fault of ours."""

    def below(self, place: str) -> "AnswerInvalid":
        """The same fault, told from one place further up. The place is put together only when something is wrong."""
        return AnswerInvalid(f"{place}{self}")


@cache
def answer_writer(service: str, operation: str) -> Callable[[dict[str, Any] | None], Any]:
    """What turns a handler's answer into what is encoded as JSON.

    Raises (when called):
        AnswerInvalid: the answer does not fit.
    """
    shape = service_model(service).operation_model(operation).output_shape
    write = _Writes().of(shape) if shape else None
    if write is None:
        return lambda _answer: {}

    def run(answer: dict[str, Any] | None) -> Any:
        try:
            return write(answer or {})
        except AnswerInvalid as problem:
            raise problem.below("answer") from None

    return run


class _Writes:
    """Makes the writers of the shapes of answers."""

    def __init__(self) -> None:
        self._made: dict[str, Write] = {}

    def of(self, shape: Shape) -> Write:
        """The writer of a shape."""
        key = f"{shape.name}/{shape.type_name}"
        if key not in self._made:
            self._made[key] = lambda value: self._made[key](value)
            self._made[key] = getattr(self, f"_{shape.type_name}", self._plain)(shape)
        return self._made[key]

    def _structure(self, shape: Any) -> Write:
        members = {name: self.of(member) for name, member in shape.members.items()}
        required = frozenset(shape.required_members)

        def write(value: Any) -> Any:
            if not isinstance(value, dict):
                raise AnswerInvalid(" is no structure.")
            written = {}
            name = ""
            try:
                for name, each in value.items():
                    if each is not None:
                        written[name] = members[name](each)
            except KeyError:
                raise AnswerInvalid(f" has {name}, which {shape.name} does not know.") from None
            except AnswerInvalid as problem:
                raise problem.below(f".{name}") from None
            if not required <= written.keys():
                missing = ", ".join(sorted(required - written.keys()))
                raise AnswerInvalid(f" lacks {missing}, which {shape.name} requires.")
            return written

        return write

    def _list(self, shape: Any) -> Write:
        of_member = self.of(shape.member)

        def write(value: Any) -> Any:
            if not isinstance(value, list | tuple):
                raise AnswerInvalid(" is no list.")
            try:
                return [of_member(each) for each in value]
            except AnswerInvalid as problem:
                raise problem.below("[]") from None

        return write

    def _map(self, shape: Any) -> Write:
        of_value = self.of(shape.value)

        def write(value: Any) -> Any:
            if not isinstance(value, dict):
                raise AnswerInvalid(" is no map.")
            try:
                return {str(name): of_value(each) for name, each in value.items() if each is not None}
            except AnswerInvalid as problem:
                raise problem.below("[]") from None

        return write

    def _timestamp(self, _shape: Any) -> Write:
        def write(value: Any) -> Any:
            if not isinstance(value, datetime) or value.tzinfo is None:
                raise AnswerInvalid(" is no datetime with a zone.")
            return value.timestamp()

        return write

    def _blob(self, _shape: Any) -> Write:
        def write(value: Any) -> Any:
            if not isinstance(value, bytes):
                raise AnswerInvalid(" is not bytes.")
            return base64.b64encode(value).decode()

        return write

    def _plain(self, shape: Any) -> Write:
        kinds: tuple[type, ...] = {
            "string": (str,),
            "boolean": (bool,),
            "float": (int, float),
            "double": (int, float),
        }.get(shape.type_name, (int,))

        def write(value: Any) -> Any:
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                raise AnswerInvalid(f" is {type(value).__name__}, not {shape.type_name}.")
            return value

        return write
