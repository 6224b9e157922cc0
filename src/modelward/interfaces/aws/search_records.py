"""What a search tells of each thing that it finds, many read at once."""

from typing import Any

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import inquiry as cards
from modelward.governance.cards import wording
from modelward.governance.cards.entities import Card
from modelward.governance.registry import training
from modelward.governance.registry.entities import Model, Version
from modelward.governance.registry.training_run import TrainingRun
from modelward.governance.serving import deployables
from modelward.governance.serving.deployable import Deployable
from modelward.governance.tags import use_cases as tags
from modelward.interfaces.aws.card_contents import indexed, plain_text
from modelward.interfaces.aws.model_package_groups import group_record
from modelward.interfaces.aws.models import model_record
from modelward.interfaces.aws.operations import Call
from modelward.interfaces.aws.package_records import many_packages
from modelward.interfaces.aws.training_jobs import training_record
from modelward.interfaces.aws.words import CARD_STATUS, tag_list, user
from modelward.kernel.browsing import Browse

Records = list[dict[str, Any]]


def card_records(call: Call, found: list[Card], *, content: bool = True) -> Records:
    """Cards as a search tells of them: the newest version of each."""
    texts = cards.tell_cards(call.work, [each.name for each in found])
    carried = tags.list_many(call.work, [f"card/{each.name}" for each in found], permission=Permission.CARD_READ)
    return [
        _card_record(call, each, texts[each.name], carried.get(f"card/{each.name}", {}), content=content)
        for each in found
    ]


def _card_record(call: Call, card: Card, told: cards.Told, carried: dict[str, str], *, content: bool) -> dict[str, Any]:
    particulars = msgspec.json.decode(told.particulars) if told.particulars else {}
    return {
        "ModelCardArn": call.arn("model-card", card.name),
        "ModelCardName": str(card.name),
        "ModelCardVersion": card.number,
        "Content": (told.text or plain_text(told.kept)) if content else None,
        "ModelCardStatus": CARD_STATUS[card.status],
        "SecurityConfig": particulars.get("SecurityConfig"),
        "CreationTime": card.created_at,
        "CreatedBy": user(call, card.created_by),
        "LastModifiedTime": card.modified_at,
        "LastModifiedBy": user(call, card.modified_by),
        "Tags": tag_list(carried) or None,
        **indexed(card),
    }


def package_records(call: Call, found: list[Version]) -> Records:
    """The packages, with a group and without."""
    told = many_packages(call, found)
    return [{**record, "Tags": tag_list(version.tags) or None} for record, version in zip(told, found, strict=True)]


def group_records(call: Call, found: list[Model]) -> Records:
    """The groups."""
    # Only a description has the managed configuration; the record of a search does not know it.
    return [{**group_record(call, each, {}), "Tags": tag_list(each.tags) or None} for each in found]


def training_records(call: Call, found: list[TrainingRun]) -> Records:
    """The recorded training runs."""
    told = training.read_particulars(call.work, [each.name for each in found])
    carried = tags.list_many(call.work, [f"training/{each.name}" for each in found], permission=Permission.MODEL_READ)
    return [
        {
            **training_record(call, run, told[run.name]),
            "Tags": tag_list(carried.get(f"training/{run.name}", {})) or None,
        }
        for run in found
    ]


def model_records(call: Call, found: list[Deployable]) -> Records:
    """The models as the dashboard shows them, each with its card."""
    told = deployables.read_particulars(call.work, [each.name for each in found])
    things = [f"deployable/{each.name}" for each in found]
    carried = tags.list_many(call.work, things, permission=Permission.ENDPOINT_READ)
    records = []
    for each in found:
        record = model_record(call, each, told[each.name])
        records.append(
            {
                "Model": {**record, "Tags": tag_list(carried.get(f"deployable/{each.name}", {})) or None},
                "ModelCard": _card_of(call, each, record["ModelArn"]),
            }
        )
    return records


def _card_of(call: Call, found: Deployable, arn: str) -> dict[str, Any] | None:
    """The card of a model: the one that names it, or that of a package it was made from."""
    versions = [each.version for each in found.containers if each.version]
    subjects = [f"model {arn}"]
    subjects += [f"package {call.arn('model-package', f'{each.model}/{each.number}')}" for each in versions]
    told = wording.browse_cards(call.work, Browse(limit=1, descending=True), subjects=subjects).items
    return card_records(call, told, content=False)[0] if told else None
