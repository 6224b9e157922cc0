"""Which fields of ours say what the members of each kind of record say. What is not here is looked for in whole records."""

from collections.abc import Callable
from functools import lru_cache

from modelward.interfaces.aws.arns import make_arn
from modelward.interfaces.aws.search_queries import (
    About,
    Arn,
    Line,
    Member,
    Moment,
    Number,
    Package,
    Plan,
    Same,
    Text,
    Word,
)
from modelward.interfaces.aws.training_jobs import SECONDARY, STATUS
from modelward.interfaces.aws.words import APPROVALS_OF, CARD_STATUS_OF

Before = Callable[[str], str]
# What a package tells as it was sent, member by member.
SENT = ("ModelPackageRegistrationType", "Domain", "Task", "SamplePayloadUrl", "SourceUri", "SkipModelValidation")


@lru_cache(maxsize=256)
def plan_of(resource: str, account: str, region: str) -> Plan:
    """How records of a kind are found, as a caller in this account and region names things."""
    return PLANS[resource](lambda kind: make_arn("sagemaker", region, account, kind, ""))


def _cards(before: Before) -> Plan:
    return Plan(
        members={
            "modelcardname": Text("name"),
            "modelcardarn": Arn("name", before("model-card")),
            "modelcardversion": Number("number"),
            "modelcardstatus": Word("status", {theirs: [ours.value] for theirs, ours in CARD_STATUS_OF.items()}),
            "riskrating": Text("risk"),
            "modelid": About("subject", ("package", "model"), "subject_id"),
            "modelpackagegroupname": Text("of_model"),
            "creationtime": Moment("created"),
            "createdby.userprofilename": Text("created_by"),
            "lastmodifiedtime": Moment("modified"),
            "lastmodifiedby.userprofilename": Text("modified_by"),
        },
        maps={},
        sorts={
            "modelcardname": "name",
            "modelcardarn": "name",
            "modelcardversion": "number",
            "riskrating": "risk",
            "creationtime": "created",
            "lastmodifiedtime": "modified",
        },
    )


def _packages(before: Before) -> Plan:
    statuses = {theirs: [each.value for each in ours] for theirs, ours in APPROVALS_OF.items()}
    return Plan(
        members={
            "modelpackagename": Package(""),
            "modelpackagearn": Package(before("model-package")),
            "modelpackagegroupname": Line("model", "any_model"),
            "modelpackageversion": Number("number"),
            "modelpackagedescription": Text("description"),
            "modelpackagestatus": Same("Completed"),
            "modelapprovalstatus": Word("status", statuses),
            "modellifecycle.stage": Text("stage"),
            "modellifecycle.stagestatus": Text("stage_status"),
            "creationtime": Moment("created"),
            "createdby.userprofilename": Text("created_by"),
            "lastmodifiedtime": Moment("modified"),
            "lastmodifiedby.userprofilename": Text("modified_by"),
            **{each.lower(): Text("told", each) for each in SENT},
        },
        maps={"customermetadataproperties": "metadata"},
        sorts={
            "modelpackagearn": "ref",
            "modelpackagegroupname": "model",
            "modelpackageversion": "number",
            "creationtime": "created",
            "lastmodifiedtime": "modified",
        },
    )


def _groups(before: Before) -> Plan:
    return Plan(
        members={
            "modelpackagegroupname": Text("name"),
            "modelpackagegrouparn": Arn("name", before("model-package-group")),
            "modelpackagegroupdescription": Text("description"),
            "modelpackagegroupstatus": Same("Completed"),
            "creationtime": Moment("created"),
            "createdby.userprofilename": Text("created_by"),
        },
        maps={},
        sorts={
            "modelpackagegroupname": "name",
            "modelpackagegrouparn": "name",
            "creationtime": "created",
            "lastmodifiedtime": "created",
        },
    )


def _trainings(before: Before) -> Plan:
    states = {theirs: [ours.value] for ours, theirs in STATUS.items()}
    secondary = {SECONDARY.get(theirs, theirs): natives for theirs, natives in states.items()}
    return Plan(
        members={
            "trainingjobname": Text("name"),
            "trainingjobarn": Arn("name", before("training-job")),
            "trainingjobstatus": Word("state", states),
            "secondarystatus": Word("state", secondary),
            "modelartifacts.s3modelartifacts": Text("artifact"),
            "creationtime": Moment("created"),
            "lastmodifiedtime": Moment("modified"),
        },
        maps={"hyperparameters": "hyperparameter"},
        sorts={
            "trainingjobname": "name",
            "trainingjobarn": "name",
            "creationtime": "created",
            "lastmodifiedtime": "modified",
        },
    )


def _models(before: Before) -> Plan:
    names: dict[str, Member] = {
        "modelname": Text("name"),
        "modelarn": Arn("name", before("model")),
        "creationtime": Moment("created"),
    }
    return Plan(
        members=names,
        maps={},
        sorts={"modelname": "name", "modelarn": "name", "creationtime": "created", "lastmodifiedtime": "created"},
        prefix="Model.",
    )


PLANS: dict[str, Callable[[Before], Plan]] = {
    "Model": _models,
    "ModelCard": _cards,
    "ModelPackage": _packages,
    "ModelPackageGroup": _groups,
    "TrainingJob": _trainings,
}
