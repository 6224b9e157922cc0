"""Training jobs for AWS clients: training runs as they were recorded. Nothing is trained here."""

from typing import Any

from modelward.governance.access.permissions import Permission
from modelward.governance.registry import training
from modelward.governance.registry.training_run import TrainingFacts, TrainingRun, TrainingState
from modelward.governance.tags import use_cases as tags
from modelward.interfaces.aws.errors import AwsError, validation
from modelward.interfaces.aws.lists import SORTS, browse_of, token_of
from modelward.interfaces.aws.operations import Call, Family
from modelward.interfaces.aws.words import tags_of
from modelward.kernel.errors import Conflict, NotFound

family = Family("sagemaker")
STATUS = {
    TrainingState.RUNNING: "InProgress",
    TrainingState.COMPLETED: "Completed",
    TrainingState.FAILED: "Failed",
    TrainingState.STOPPED: "Stopped",
}
STATUS_OF = {theirs: ours for ours, theirs in STATUS.items()}
SECONDARY = {"InProgress": "Training"}
STOPPING_SECONDS = 86_400
KEPT = (
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "VpcConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "DebugHookConfig",
    "ExperimentConfig",
    "Environment",
    "RetryStrategy",
)


@family.operation("CreateTrainingJob", permission=Permission.VERSION_REGISTER)
def create_training_job(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Refuse: training runs elsewhere and is recorded here. In test mode the job is recorded as if it had run."""
    name = request["TrainingJobName"]
    if not call.lenient:
        raise validation(
            "Modelward runs no training jobs. Train elsewhere and record the run: POST /api/v1/training-runs, "
            "or client.trainings.record() in Python."
        )
    output = request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
    channels = {each["ChannelName"]: _source(each) for each in request.get("InputDataConfig", [])}
    algorithm = request.get("AlgorithmSpecification", {})
    facts = TrainingFacts(
        artifact_uri=f"{output}/{name}/output/model.tar.gz",
        image=algorithm.get("TrainingImage", ""),
        algorithm=algorithm.get("AlgorithmName", ""),
        hyperparameters=request.get("HyperParameters", {}),
        datasets={channel: source for channel, source in channels.items() if source},
        role=request["RoleArn"],
        started_at=call.work.now,
        ended_at=call.work.now,
    )
    told = {key: request[key] for key in KEPT if key in request}
    try:
        training.record_training(call.work, name=name, facts=facts, particulars=told)
    except Conflict:
        raise AwsError("ResourceInUse", "Training job names must be unique within an AWS account and region.") from None
    if wanted := tags_of(request.get("Tags")):
        tags.put_tags(call.work, f"training/{name}", wanted, permission=Permission.VERSION_REGISTER)
    return {"TrainingJobArn": call.arn("training-job", name)}


def _source(channel: dict[str, Any]) -> str:
    found: str = channel.get("DataSource", {}).get("S3DataSource", {}).get("S3Uri", "")
    return found


@family.operation("DescribeTrainingJob", permission=Permission.MODEL_READ)
def describe_training_job(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Tell of a recorded training run."""
    try:
        run = training.get_training(call.work, request["TrainingJobName"])
    except NotFound:
        raise validation("Requested resource not found.") from None
    return training_record(call, run, training.read_particulars(call.work, [run.name])[run.name])


def training_record(call: Call, run: TrainingRun, told: dict[str, Any]) -> dict[str, Any]:
    """A training run as clients see one; what they did not say themselves is told from the facts."""
    facts, status = run.facts, STATUS[run.facts.state]
    ended = facts.ended_at or (None if facts.state is TrainingState.RUNNING else run.modified_at)
    begun = facts.started_at or run.created_at
    return {
        "AlgorithmSpecification": {
            "TrainingImage": facts.image or None,
            "AlgorithmName": facts.algorithm or None,
            "TrainingInputMode": "File",
        },
        "InputDataConfig": [_channel(name, source) for name, source in facts.datasets.items()] or None,
        "RoleArn": facts.role or None,
        "StoppingCondition": {"MaxRuntimeInSeconds": STOPPING_SECONDS},
        **told,
        "TrainingJobName": run.name,
        "TrainingJobArn": call.arn("training-job", run.name),
        "ModelArtifacts": {"S3ModelArtifacts": facts.artifact_uri},
        "TrainingJobStatus": status,
        "SecondaryStatus": SECONDARY.get(status, status),
        "FailureReason": facts.failure_reason or None,
        "HyperParameters": facts.hyperparameters or None,
        "SecondaryStatusTransitions": [
            {
                "Status": SECONDARY.get(status, status),
                "StartTime": begun,
                "EndTime": ended,
                "StatusMessage": "As recorded.",
            }
        ],
        "FinalMetricDataList": [
            {"MetricName": name, "Value": value, "Timestamp": ended or begun} for name, value in facts.metrics.items()
        ]
        or None,
        "CreationTime": run.created_at,
        "TrainingStartTime": begun,
        "TrainingEndTime": ended,
        "LastModifiedTime": run.modified_at,
        "TrainingTimeInSeconds": max(0, int((ended - begun).total_seconds())) if ended else None,
    }


def _channel(name: str, source: str) -> dict[str, Any]:
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}}}


@family.operation("ListTrainingJobs", permission=Permission.MODEL_READ)
def list_training_jobs(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """List recorded training runs, by name, age and status."""
    browse = browse_of(request, kind="TrainingJobs", sorts={**SORTS, "Status": "state"})
    wanted = request.get("StatusEquals")
    if (wanted and wanted not in STATUS_OF) or {"WarmPoolStatusEquals", "TrainingPlanArnEquals"} & request.keys():
        # No run here is ever in such a state.
        return {"TrainingJobSummaries": []}
    found = training.browse_trainings(call.work, browse, state=STATUS_OF[wanted] if wanted else None)
    return {
        "TrainingJobSummaries": [
            {
                "TrainingJobName": each.name,
                "TrainingJobArn": call.arn("training-job", each.name),
                "CreationTime": each.created_at,
                "TrainingEndTime": each.facts.ended_at,
                "LastModifiedTime": each.modified_at,
                "TrainingJobStatus": STATUS[each.facts.state],
                "SecondaryStatus": SECONDARY.get(STATUS[each.facts.state], STATUS[each.facts.state]),
            }
            for each in found.items
        ],
        "NextToken": token_of(request, "TrainingJobs", found),
    }
