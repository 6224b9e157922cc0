"""What model cards rest on and must have, from Python."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

from modelward.sdk.resources import Resource


class CardEvidence(Resource):
    """Evidence, bound fields, reports, templates, control packs and history of cards; part of ``client.cards``."""

    def evidence(self, name: str, *, kind: str | None = None) -> Iterator[Any]:
        """The evidence that fields of a card may be bound to, the newest first."""
        return self._sender.each(f"{_at(name)}/evidence", kind=kind)

    def bindings(self, name: str, *, number: int | None = None) -> Any:
        """The bound fields of a card: what they say, from where, how old it is, and whether it is stale."""
        return self._sender.get(f"{_at(name)}/bindings", number=number)

    def bind(
        self,
        name: str,
        path: str,
        evidence: str,
        *,
        measure: str = "",
        days_max: int | None = None,
        note: str = "",
        number: int | None = None,
    ) -> Any:
        """Bind a field to a piece of evidence: a single measure, or without one its metric groups."""
        body = {
            "path": path,
            "evidence": evidence,
            "measure": measure,
            "days_max": days_max,
            "note": note,
            "number": number,
        }
        return self._sender.put(f"{_at(name)}/bindings", body)

    def unbind(self, name: str, path: str, *, note: str = "") -> Any:
        """Let a bound field go; its value stays."""
        return self._sender.delete(f"{_at(name)}/bindings", field=path, note=note or None)

    def refresh(self, name: str, *, path: str | None = None) -> Any:
        """Let bound fields (one, or all) say what the newest evidence says."""
        return self._sender.post(f"{_at(name)}/bindings/refresh", {"path": path})

    def import_report(
        self, name: str, report: dict[str, Any], *, title: str = "", dataset: str = "", at: str | None = None
    ) -> Any:
        """Take up the JSON of a report of bias, explanations or quality as an evaluation, bound to the report."""
        body = {"report": report, "title": title, "dataset": dataset, "at": at}
        return self._sender.post(f"{_at(name)}/reports", body)

    def completeness(self, name: str) -> Any:
        """What a card lacks, for which status, and how to supply it."""
        return self._sender.get(f"{_at(name)}/completeness")

    def at_moment(self, name: str, at: str | datetime) -> Any:
        """A card as it stood at a moment: content, status, and the evidence known then."""
        return self._sender.get(f"{_at(name)}/as-of", at=at if isinstance(at, str) else at.isoformat())

    def since_approval(self, name: str) -> Any:
        """What changed since the card was approved last."""
        return self._sender.get(f"{_at(name)}/since-approval")

    def statuses(self, name: str) -> Any:
        """Every status that a card had, the oldest first."""
        return self._sender.get(f"{_at(name)}/statuses")

    def template(self, *, number: int | None = None) -> Any:
        """The template that says what cards must have; or an earlier one by number."""
        return self._sender.get("/card-template", number=number)

    def templates(self) -> Any:
        """The templates that are or were in force, the newest first."""
        return self._sender.get("/card-templates")

    def adopt_template(self, template: str | dict[str, Any], *, source: str = "") -> Any:
        """Put a template in force: TOML, or what a file of YAML or JSON says."""
        form = "text" if isinstance(template, str) else "template"
        return self._sender.put("/card-template", {form: template, "source": source})

    def retire_template(self, *, reason: str = "") -> Any:
        """Retire your own template: the one that comes with Modelward is in force again."""
        return self._sender.delete("/card-template", reason=reason or None)

    def packs(self, *, retired: bool = False) -> Any:
        """The control packs there are; with ``retired`` also those that count no longer."""
        return self._sender.get("/card-packs", retired=retired or None)

    def pack(self, pack: str, *, number: int | None = None) -> Any:
        """A control pack with its controls: the newest version, or one by number."""
        return self._sender.get(_pack(pack), number=number)

    def pack_versions(self, pack: str) -> Any:
        """The versions of a control pack, the newest first."""
        return self._sender.get(f"{_pack(pack)}/versions")

    def put_pack(self, pack: str, content: dict[str, Any], *, note: str = "", number: int | None = None) -> Any:
        """Write a control pack of your own, or its next version; ``number`` is the version you saw, 0 for none."""
        return self._sender.put(_pack(pack), {"pack": content, "note": note, "number": number})

    def retire_pack(self, pack: str, *, reason: str = "") -> Any:
        """Retire a control pack of your own; what cards were measured by it is kept."""
        return self._sender.delete(_pack(pack), reason=reason or None)

    def controls(self, name: str, pack: str, *, at: str | None = None) -> Any:
        """How a card answers the controls of a pack, now or as it stood at a moment."""
        return self._sender.get(f"{_at(name)}/controls/{quote(pack, safe='')}", at=at)

    def state_control(self, name: str, pack: str, control: str, *, applies: bool, reason: str = "") -> Any:
        """Say that a control does not apply to a card, and why; or that it does after all."""
        path = f"{_at(name)}/controls/{quote(pack, safe='')}/{quote(control, safe='')}"
        return self._sender.put(path, {"applies": applies, "reason": reason})


def _at(name: str) -> str:
    return f"/cards/{quote(name, safe='')}"


def _pack(pack: str) -> str:
    return f"/card-packs/{quote(pack, safe='')}"
