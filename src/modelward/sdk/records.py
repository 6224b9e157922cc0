"""What the client gives back: answers as objects that read like attributes and show themselves in a notebook."""

import html
from collections.abc import Iterator, Mapping
from typing import Any


class Record(Mapping[str, Any]):
    """An answer of the server. Fields are attributes and keys alike; nested ones are records too."""

    def __init__(self, kind: str, fields: Mapping[str, Any]) -> None:
        self._kind, self._fields = kind, dict(fields)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return _wrap(name, self._fields[name])
        except KeyError:
            known = ", ".join(sorted(self._fields))
            raise AttributeError(f"This {self._kind} has no field {name!r}; it has {known}.") from None

    def __getitem__(self, name: str) -> Any:
        return _wrap(name, self._fields[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._fields]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self._fields == other._fields

    def __hash__(self) -> int:
        return hash(frozenset(self._fields))

    def to_dict(self) -> dict[str, Any]:
        """The plain dict of this answer."""
        return dict(self._fields)

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={_short(value)}" for name, value in self._fields.items() if value not in ("", None, {}, [])
        )
        return f"<{self._kind} {shown}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left;vertical-align:top'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{_html(value)}</td></tr>"
            for name, value in self._fields.items()
        )
        return f"<table><caption style='text-align:left'><b>{html.escape(self._kind)}</b></caption>{rows}</table>"


class Records(list[Any]):
    """A list of answers; shows itself as a table in a notebook."""

    def _repr_html_(self) -> str:
        if not self:
            return "<p>Nothing.</p>"
        if not all(isinstance(each, Record) for each in self):
            return "<br>".join(html.escape(str(each)) for each in self)
        columns = list(self[0])
        head = "".join(f"<th style='text-align:left'>{html.escape(name)}</th>" for name in columns)
        rows = "".join(
            "<tr>"
            + "".join(f"<td style='text-align:left'>{_html(each.to_dict().get(name))}</td>" for name in columns)
            + "</tr>"
            for each in self
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def wrap(kind: str, answer: Any) -> Any:
    """Make records of an answer: dicts become records, lists become lists of records."""
    return _wrap(kind, answer)


def _wrap(kind: str, value: Any) -> Any:
    if isinstance(value, dict):
        return Record(kind, value)
    if isinstance(value, list):
        return Records(_wrap(kind.removesuffix("s"), each) for each in value)
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _html(value: Any) -> str:
    if isinstance(value, dict):
        return "<br>".join(f"{html.escape(str(key))}: {_html(each)}" for key, each in value.items())
    if isinstance(value, list):
        return "<br>".join(_html(each) for each in value[:20]) + ("<br>..." if len(value) > 20 else "")
    return html.escape("" if value is None else str(value))
