"""A model card in Python: read and edit its fields as attributes, save, compare, move it through its statuses."""

import html
from pathlib import Path
from typing import Any

from modelward.kernel.errors import Conflict
from modelward.sdk import card_documents
from modelward.sdk.card_bound import BoundCard
from modelward.sdk.card_content import Section, check, check_plain, to_plain, without_empty
from modelward.sdk.records import Record
from modelward.sdk.resources import Sender

_MOVES = "Use request_review(), approve(), reopen() or archive(): the status is no field."


class ModelCard(BoundCard, Record):
    """A card as the server has it, and the changes you make to it until you save them.

    >>> card = client.cards.get("fraud-v3")
    >>> card.intended_uses.purpose_of_model = "Scores payments for review."
    >>> card.save(note="Purpose agreed with the business.")
    """

    def __init__(self, fields: dict[str, Any], *, sender: Sender, schema: Any) -> None:
        super().__init__("card", fields)
        self._sender, self._schema = sender, to_plain(schema)
        self._adopt(fields)

    def _adopt(self, fields: dict[str, Any]) -> None:
        self._fields = dict(fields)
        self._saved = without_empty(to_plain(fields.get("content") or {}))
        self._edited = Section(to_plain(self._saved), schema=self._schema, root=self._schema)

    @property
    def content(self) -> Section:
        """The content with your changes."""
        return self._edited

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._schema.get("properties", {}):
            return getattr(self._edited, name)
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        elif name == "content":
            self.replace_content(value)
        elif name in self._schema.get("properties", {}):
            setattr(self._edited, name, value)
        elif name in self._fields:
            raise AttributeError(f"{name} of a card cannot be set. {_MOVES if name == 'status' else ''}".strip())
        else:
            setattr(self._edited, name, value)

    @property
    def changed(self) -> bool:
        """Whether there is something to save."""
        return self._edited.to_dict() != self._saved

    @property
    def missing(self) -> list[str]:
        """The fields that the next status asks for and that are not filled yet, as saved."""
        told = self._fields.get("completeness") or {}
        return list(told.get("blocking", told.get("missing", [])))

    def save(self, *, note: str = "") -> "ModelCard":
        """Keep your changes as a new version; without changes nothing happens.

        Raises:
            Invalid: a field breaks the schema; the message names its path.
            Conflict: somebody saved another version since you read this one: ``reload()`` and set your fields again.
        """
        if self.changed:
            content = self._edited.to_dict()
            # The rules of the schema are told best by the server.
            check_plain(content, "$")
            body = {"content": content, "patch": None, "note": note, "number": self._fields["number"]}
            self._sender.put(f"{self._at}/content", body)
            self.reload()
        return self

    def replace_content(self, content: Any) -> None:
        """Take another content as a whole; nothing is saved yet.

        Raises:
            Invalid: it breaks the schema.
        """
        plain = to_plain(content)
        check(plain, self._schema, root=self._schema, path="$")
        self._edited = Section(plain, schema=self._schema, root=self._schema)

    def reload(self) -> "ModelCard":
        """Read the card again; changes that were not saved are dropped."""
        self._adopt(self._sender.get(self._at).to_dict())
        return self

    def fill_from(self, trained: Any, *, overwrite: bool = False) -> dict[str, Any]:
        """Fill in what a trained model tells of itself; nothing is saved yet.

        Args:
            trained: a model in memory, or the path of an ONNX file, a Hugging Face folder, or an MLflow run or model.
            overwrite: also replace what is filled already.

        Returns:
            What was set, by path.
        """
        from modelward.sdk.training import facts_of

        facts = facts_of(trained)
        content = self._edited.to_dict()
        told: dict[str, Any] = {}
        _fill(content, facts.for_card(), "$", overwrite, told)
        check(content, self._schema, root=self._schema, path="$")
        self._edited = Section(content, schema=self._schema, root=self._schema)
        return told

    def request_review(self, reason: str = "") -> "ModelCard":
        """Ask for its review. What the template asks for must be filled, and your changes saved."""
        return self._move("pending-review", reason)

    def approve(self, reason: str = "") -> "ModelCard":
        """Approve the version you read.

        Raises:
            Conflict: somebody saved another version since: ``reload()``, and read what changed with ``diff()``.
        """
        return self._move("approved", reason, number=self._fields["number"])

    def reopen(self, reason: str = "") -> "ModelCard":
        """Make it a draft again."""
        return self._move("draft", reason)

    def archive(self, reason: str = "") -> "ModelCard":
        """Archive it, for good."""
        return self._move("archived", reason)

    def diff(self, before: int, after: int | None = None) -> Any:
        """What changed between two versions, path by path; ``after`` is the current one when left out."""
        return self._sender.get(f"{self._at}/difference", before=before, after=after)

    def to_pdf(self, path: str | Path, *, pack: str = "") -> Any:
        """Save the card as PDF, as it is on the server; ``pack`` names a control pack to add."""
        return card_documents.export(self._sender, self["name"], "pdf", path, number=self["number"], pack=pack)

    def export(self, format: str, path: str | Path, *, pack: str = "") -> Any:
        """Save the card in a format, as it is on the server; the answer says what was dropped."""
        return card_documents.export(self._sender, self["name"], format, path, number=self["number"], pack=pack)

    @property
    def _at(self) -> str:
        from urllib.parse import quote

        return f"/cards/{quote(str(self._fields['name']), safe='')}"

    def _move(self, status: str, reason: str, *, number: int | None = None) -> "ModelCard":
        self._must_be_saved()
        self._sender.put(f"{self._at}/status", {"status": status, "reason": reason, "number": number})
        return self.reload()

    def _must_be_saved(self) -> None:
        """Refuse what would drop changes, or speak of a content that only you have."""
        if self.changed:
            raise Conflict(
                f"{self._fields['name']} has changes that are not saved.",
                field="content",
                hint="Use save() first, or reload() to drop them.",
            )

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._schema.get("properties", {})]

    def _repr_html_(self) -> str:
        missing = ", ".join(self.missing) or "nothing"
        edited = " <i>with changes that are not saved</i>" if self.changed else ""
        head = " · ".join(
            str(self._fields.get(key) or "") for key in ("status", "risk_rating") if self._fields.get(key)
        )
        return (
            f"<h4>{html.escape(str(self._fields['name']))} <small>version {self._fields['number']} · "
            f"{html.escape(head)}{edited}</small></h4><p>Missing: {html.escape(missing)}</p>{_shown(self._edited.to_dict())}"
        )


def _fill(content: dict[str, Any], patch: dict[str, Any], path: str, overwrite: bool, told: dict[str, Any]) -> None:
    for name, value in patch.items():
        here = f"{path}.{name}"
        if isinstance(value, dict):
            inner = content.get(name)
            content[name] = inner if isinstance(inner, dict) else {}
            _fill(content[name], value, here, overwrite, told)
        elif (overwrite or content.get(name) in (None, "", [])) and content.get(name) != value:
            content[name] = value
            told[here] = value


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        rows = "".join(
            f"<tr><th style='text-align:left;vertical-align:top'>{html.escape(str(key).replace('_', ' '))}</th>"
            f"<td style='text-align:left'>{_shown(each)}</td></tr>"
            for key, each in value.items()
        )
        return f"<table>{rows}</table>"
    if isinstance(value, list):
        return "<br>".join(_shown(each) for each in value[:20]) + ("<br>..." if len(value) > 20 else "")
    return html.escape(str(value))
